(func $region_80000018 (;slot 1;)
  ;; locals: 38 i32
  if (i32.lt_s (local.get 0) (i32.const 8)) ;; unlikely
    (return (local.get 0))
  end
  (local.set 6 (i32.load offset=TLB_FETCH (i32.const 0)))
  if (i32.or (i32.xor (i32.load offset=PC (i32.const 0)) (i32.const -2147483624)) (i32.xor (i32.load offset=2097152 (local.get 6)) (i32.const (;decoded page 0;)))) ;; unlikely
    (return (local.get 0))
  end
  (local.set 12 (i32.load offset=t0 (i32.const 0)))
  (local.set 13 (i32.load offset=t1 (i32.const 0)))
  (local.set 17 (i32.load offset=a0 (i32.const 0)))
  (local.set 18 (i32.load offset=a1 (i32.const 0)))
  block
    block
      loop
        (local.set 2 (i32.const 0))
        (br_if 1 (i32.lt_s (local.get 0) (i32.const 8))) ;; unlikely
        (local.set 0 (i32.sub (local.get 0) (i32.const 6)))
        (local.set 12 (i32.and (local.get 17) (i32.const 8)))
        (local.set 13 (i32.const -2147483648))
        (local.set 13 (i32.add (local.get 13) (i32.const 48)))
        (local.set 13 (i32.add (local.get 13) (local.get 12)))
        (local.set 17 (i32.add (local.get 17) (i32.const 8)))
        (local.set 39 (local.get 13))
        (local.set 3 (i32.and (local.get 39) (i32.const -2)))
        if (i32.eq (local.get 3) (i32.const -2147483600))
          (local.set 0 (i32.sub (local.get 0) (i32.const 2)))
          (local.set 18 (i32.add (local.get 18) (i32.const 1)))
          (br 1)
        end
        if (i32.eq (local.get 3) (i32.const -2147483592))
          (local.set 0 (i32.sub (local.get 0) (i32.const 2)))
          (local.set 18 (i32.add (local.get 18) (i32.const 2)))
          (br 1)
        end
        (i32.store offset=t0 (i32.const 0) (local.get 12))
        (i32.store offset=t1 (i32.const 0) (local.get 13))
        (i32.store offset=a0 (i32.const 0) (local.get 17))
        (i32.store offset=a1 (i32.const 0) (local.get 18))
        (i32.store offset=PC (i32.const 0) (local.get 3))
        (return (local.get 0))
      end
      (unreachable)
    end
    (i32.store offset=t0 (i32.const 0) (local.get 12))
    (i32.store offset=t1 (i32.const 0) (local.get 13))
    (i32.store offset=a0 (i32.const 0) (local.get 17))
    (i32.store offset=a1 (i32.const 0) (local.get 18))
    (br 0)
  end
  (i32.store offset=PC (i32.const 0) (i32.add (i32.shr_s (local.get 2) (i32.const 11)) (i32.const -2147483624)))
  (i32.add (local.get 0) (i32.and (local.get 2) (i32.const 2047)))
)
