(func $region_80000018 (;slot 1;)
  ;; locals: 38 i32
  if (i32.lt_s (local.get 0) (i32.const 6)) ;; unlikely
    (return (local.get 0))
  end
  (local.set 6 (i32.load offset=TLB_FETCH (i32.const 0)))
  if (i32.or (i32.xor (i32.load offset=PC (i32.const 0)) (i32.const -2147483624)) (i32.xor (i32.load offset=2097152 (local.get 6)) (i32.const (;decoded page 0;)))) ;; unlikely
    (return (local.get 0))
  end
  (local.set 8 (i32.load offset=ra (i32.const 0)))
  (local.set 17 (i32.load offset=a0 (i32.const 0)))
  (local.set 18 (i32.load offset=a1 (i32.const 0)))
  (local.set 19 (i32.load offset=a2 (i32.const 0)))
  (local.set 20 (i32.load offset=a3 (i32.const 0)))
  block
    block
      (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
      if (i32.eqz (local.get 17))
        (local.set 0 (i32.sub (local.get 0) (i32.const 2)))
        (local.set 17 (i32.add (local.get 17) (i32.const -1)))
        (br_if 1 (i32.ne (local.get 17) (local.get 20)))
        (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
        (local.set 39 (local.get 8))
        (local.set 3 (i32.and (local.get 39) (i32.const -2)))
        (i32.store offset=a0 (i32.const 0) (local.get 17))
        (i32.store offset=PC (i32.const 0) (local.get 3))
        (return (local.get 0))
      end
      (br 0)
    end
    (local.set 0 (i32.sub (local.get 0) (i32.const 2)))
    (local.set 18 (i32.add (local.get 18) (i32.const 1)))
    if (i32.ne (local.get 18) (local.get 19))
      (i32.store offset=612 (i32.const 0) (i32.const 32768))
      (i32.store offset=a0 (i32.const 0) (local.get 17))
      (i32.store offset=a1 (i32.const 0) (local.get 18))
      (i32.store offset=PC (i32.const 0) (i32.const -2147483608))
      (return (local.get 0))
    end
    (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
    (local.set 39 (local.get 8))
    (local.set 3 (i32.and (local.get 39) (i32.const -2)))
    (i32.store offset=a0 (i32.const 0) (local.get 17))
    (i32.store offset=a1 (i32.const 0) (local.get 18))
    (i32.store offset=PC (i32.const 0) (local.get 3))
    (return (local.get 0))
    (unreachable)
  end
  (i32.store offset=PC (i32.const 0) (i32.add (i32.shr_s (local.get 2) (i32.const 11)) (i32.const -2147483624)))
  (i32.add (local.get 0) (i32.and (local.get 2) (i32.const 2047)))
)
