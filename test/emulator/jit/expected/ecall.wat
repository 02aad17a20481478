(func $region_80000018 (;slot 1;)
  ;; locals: 37 i32
  if (i32.lt_s (local.get 0) (i32.const 2)) ;; unlikely
    (return (local.get 0))
  end
  (local.set 6 (i32.load offset=TLB_FETCH (i32.const 0)))
  if (i32.or (i32.xor (i32.load offset=PC (i32.const 0)) (i32.const -2147483624)) (i32.xor (i32.load offset=2097152 (local.get 6)) (i32.const (;decoded page 0;)))) ;; unlikely
    (return (local.get 0))
  end
  (local.set 17 (i32.load offset=a0 (i32.const 0)))
  block
    block
      loop
        (local.set 2 (i32.const 0))
        (br_if 1 (i32.lt_s (local.get 0) (i32.const 2))) ;; unlikely
        (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
        (local.set 24 (i32.const 93))
        (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
        (i32.store offset=a0 (i32.const 0) (local.get 17))
        (i32.store offset=a7 (i32.const 0) (local.get 24))
        (i32.store offset=PC (i32.const 0) (i32.const -2147483620))
        (local.set 0 (call_indirect (type 0) (local.get 0) (i32.sub (local.get 1) (i32.const 1)) (i32.const 0)))
        if (i32.lt_s (local.get 0) (i32.const 2)) ;; unlikely
          (return (local.get 0))
        end
        if (i32.xor (i32.load offset=PC (i32.const 0)) (i32.const -2147483616)) ;; unlikely
          (return (local.get 0))
        end
        (local.set 17 (i32.load offset=a0 (i32.const 0)))
        (local.set 24 (i32.load offset=a7 (i32.const 0)))
        (local.set 0 (i32.sub (local.get 0) (i32.const 2)))
        (local.set 17 (i32.add (local.get 17) (local.get 24)))
        (br 0)
      end
      (unreachable)
    end
    (i32.store offset=a0 (i32.const 0) (local.get 17))
    (br 0)
  end
  (i32.store offset=PC (i32.const 0) (i32.add (i32.shr_s (local.get 2) (i32.const 11)) (i32.const -2147483624)))
  (i32.add (local.get 0) (i32.and (local.get 2) (i32.const 2047)))
)
