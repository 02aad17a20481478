(func $region_80000018 (;slot 1;)
  ;; locals: 38 i32, 1 v128
  if (i32.lt_s (local.get 0) (i32.const 12)) ;; unlikely
    (return (local.get 0))
  end
  (local.set 6 (i32.load offset=TLB_FETCH (i32.const 0)))
  if (i32.or (i32.xor (i32.load offset=PC (i32.const 0)) (i32.const -2147483624)) (i32.xor (i32.load offset=2097152 (local.get 6)) (i32.const (;decoded page 0;)))) ;; unlikely
    (return (local.get 0))
  end
  (local.set 8 (i32.load offset=ra (i32.const 0)))
  (local.set 12 (i32.load offset=t0 (i32.const 0)))
  (local.set 13 (i32.load offset=t1 (i32.const 0)))
  (local.set 15 (i32.load offset=s0 (i32.const 0)))
  (local.set 17 (i32.load offset=a0 (i32.const 0)))
  (local.set 18 (i32.load offset=a1 (i32.const 0)))
  block
    block
      loop
        (local.set 2 (i32.const 0))
        (br_if 1 (i32.lt_s (local.get 0) (i32.const 12))) ;; unlikely
        (local.set 0 (i32.sub (local.get 0) (i32.const 5)))
        if (i32.ge_u (i32.sub (local.get 15) (i32.load offset=cache0.page (i32.const 0))) (i32.load offset=cache0.room (i32.const 0))) ;; unlikely
          (local.set 2 (i32.const 5))
          (br_if 2 (i32.eqz (call $lookUp (local.get 15) (i32.const 3) (local.get 40)))) ;; unlikely
        end
        (local.set 39 (i32.add (local.get 15) (i32.load offset=cache0.delta (i32.const 0))))
        (i32.store offset=IDLE (i32.const 0) (local.get 39))
        (i32.store offset=IDLE (i32.const 0) (local.get 39))
        (i32.store offset=IDLE (i32.const 0) (local.get 39))
        (i32.store offset=IDLE (i32.const 0) (local.get 39))
        (i32.store offset=IDLE (i32.const 0) (local.get 39))
        (i32.store offset=IDLE (i32.const 0) (local.get 39))
        (i32.store offset=IDLE (i32.const 0) (local.get 39))
        (i32.store offset=IDLE (i32.const 0) (local.get 39))
        (local.set 17 (i32.load (local.get 39)))
        (local.set 13 (i32.const 4096))
        (local.set 15 (i32.add (local.get 15) (local.get 13)))
        (local.set 18 (i32.add (local.get 18) (local.get 17)))
        (br_if 0 (local.get 17))
        (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
        (local.set 0 (i32.sub (local.get 0) (i32.const 6)))
        (local.set 15 (i32.const -2146435072))
        (local.set 15 (local.get 15))
        (local.set 12 (i32.const 0))
        (local.set 12 (i32.add (local.get 12) (i32.const 40)))
        (local.set 8 (i32.const -2147483648))
        (local.set 8 (i32.add (local.get 8) (i32.const 48)))
        (br 0)
      end
      (unreachable)
    end
    (i32.store offset=ra (i32.const 0) (local.get 8))
    (i32.store offset=t0 (i32.const 0) (local.get 12))
    (i32.store offset=t1 (i32.const 0) (local.get 13))
    (i32.store offset=s0 (i32.const 0) (local.get 15))
    (i32.store offset=a0 (i32.const 0) (local.get 17))
    (i32.store offset=a1 (i32.const 0) (local.get 18))
    (br 0)
  end
  (i32.store offset=PC (i32.const 0) (i32.add (i32.shr_s (local.get 2) (i32.const 11)) (i32.const -2147483624)))
  (i32.add (local.get 0) (i32.and (local.get 2) (i32.const 2047)))
)
