(func $region_80001ff6 (;slot 1;)
  ;; locals: 37 i32
  if (i32.lt_s (local.get 0) (i32.const 12)) ;; unlikely
    (return (local.get 0))
  end
  (local.set 6 (i32.load offset=TLB_FETCH (i32.const 0)))
  if (i32.or (i32.or (i32.or (i32.xor (i32.load offset=PC (i32.const 0)) (i32.const -2147475466)) (i32.xor (i32.load offset=2097156 (local.get 6)) (i32.const (;decoded page 0;)))) (i32.xor (i32.load offset=2097160 (local.get 6)) (i32.const (;decoded page 1;)))) (i32.xor (i32.load offset=2097152 (local.get 6)) (i32.const 302252096))) ;; unlikely
    (return (local.get 0))
  end
  (local.set 8 (i32.load offset=ra (i32.const 0)))
  (local.set 12 (i32.load offset=t0 (i32.const 0)))
  (local.set 15 (i32.load offset=s0 (i32.const 0)))
  (local.set 17 (i32.load offset=a0 (i32.const 0)))
  (local.set 18 (i32.load offset=a1 (i32.const 0)))
  (local.set 19 (i32.load offset=a2 (i32.const 0)))
  block
    block
      loop
        (local.set 2 (i32.const 0))
        (br_if 1 (i32.lt_s (local.get 0) (i32.const 12))) ;; unlikely
        (local.set 0 (i32.sub (local.get 0) (i32.const 4)))
        (local.set 17 (i32.add (local.get 17) (i32.const 1)))
        (local.set 18 (i32.add (local.get 18) (local.get 17)))
        (local.set 19 (i32.xor (local.get 19) (local.get 18)))
        (br_if 0 (local.get 17))
        (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
        (local.set 0 (i32.sub (local.get 0) (i32.const 7)))
        (local.set 15 (i32.const -2146435072))
        (local.set 15 (local.get 15))
        (local.set 12 (i32.const 0))
        (local.set 12 (i32.add (local.get 12) (i32.const 40)))
        (local.set 8 (i32.const -2147475456))
        (local.set 8 (i32.add (local.get 8) (i32.const 10)))
        (br 0)
      end
      (unreachable)
    end
    (i32.store offset=ra (i32.const 0) (local.get 8))
    (i32.store offset=t0 (i32.const 0) (local.get 12))
    (i32.store offset=s0 (i32.const 0) (local.get 15))
    (i32.store offset=a0 (i32.const 0) (local.get 17))
    (i32.store offset=a1 (i32.const 0) (local.get 18))
    (i32.store offset=a2 (i32.const 0) (local.get 19))
    (br 0)
  end
  (i32.store offset=PC (i32.const 0) (i32.add (i32.shr_s (local.get 2) (i32.const 11)) (i32.const -2147475466)))
  (i32.add (local.get 0) (i32.and (local.get 2) (i32.const 2047)))
)
