(func $region_80000018 (;slot 1;)
  ;; locals: 39 i32, 1 v128
  if (i32.lt_s (local.get 0) (i32.const 29)) ;; unlikely
    (return (local.get 0))
  end
  (local.set 6 (i32.load offset=TLB_FETCH (i32.const 0)))
  if (i32.or (i32.xor (i32.load offset=PC (i32.const 0)) (i32.const -2147483624)) (i32.xor (i32.load offset=2097152 (local.get 6)) (i32.const (;decoded page 0;)))) ;; unlikely
    (return (local.get 0))
  end
  (local.set 8 (i32.load offset=ra (i32.const 0)))
  (local.set 15 (i32.load offset=s0 (i32.const 0)))
  (local.set 17 (i32.load offset=a0 (i32.const 0)))
  (local.set 18 (i32.load offset=a1 (i32.const 0)))
  (local.set 19 (i32.load offset=a2 (i32.const 0)))
  block
    block
      loop
        block
          (local.set 2 (i32.const 0))
          (br_if 2 (i32.lt_s (local.get 0) (i32.const 29))) ;; unlikely
          (local.set 0 (i32.sub (local.get 0) (i32.const 7)))
          (local.set 17 (i32.add (local.get 17) (i32.const 1)))
          (local.set 18 (local.get 17))
          (local.set 18 (i32.shl (local.get 18) (i32.const 2)))
          if (i32.eqz (local.get 39)) ;; unlikely
            if (i32.ge_u (i32.sub (local.tee 40 (i32.add (local.get 15) (i32.const 4))) (i32.load offset=cache2048.page (i32.const 0))) (i32.load offset=cache2048.room (i32.const 0))) ;; unlikely
              (local.set 2 (i32.const 12292))
              (br_if 4 (i32.eqz (call $lookUp (local.get 40) (i32.const 4194311) (local.get 41)))) ;; unlikely
            end
            (local.set 39 (i32.add (local.get 40) (i32.load offset=cache2048.delta (i32.const 0))))
          end
          (local.set 19 (i32.load (local.get 39)))
          (local.set 18 (i32.add (local.get 18) (local.get 19)))
          (i32.store offset=ra (local.get 39) (local.get 18))
          if (local.get 17)
            (local.set 0 (i32.sub (local.get 0) (i32.const 7)))
            (local.set 17 (i32.add (local.get 17) (i32.const 1)))
            (local.set 18 (local.get 17))
            (local.set 18 (i32.shl (local.get 18) (i32.const 2)))
            (local.set 19 (i32.load (local.get 39)))
            (local.set 18 (i32.add (local.get 18) (local.get 19)))
            (i32.store offset=ra (local.get 39) (local.get 18))
            if (local.get 17)
              (local.set 0 (i32.sub (local.get 0) (i32.const 7)))
              (local.set 17 (i32.add (local.get 17) (i32.const 1)))
              (local.set 18 (local.get 17))
              (local.set 18 (i32.shl (local.get 18) (i32.const 2)))
              (local.set 19 (i32.load (local.get 39)))
              (local.set 18 (i32.add (local.get 18) (local.get 19)))
              (i32.store offset=ra (local.get 39) (local.get 18))
              if (local.get 17)
                (local.set 0 (i32.sub (local.get 0) (i32.const 7)))
                (local.set 17 (i32.add (local.get 17) (i32.const 1)))
                (local.set 18 (local.get 17))
                (local.set 18 (i32.shl (local.get 18) (i32.const 2)))
                (local.set 19 (i32.load (local.get 39)))
                (local.set 18 (i32.add (local.get 18) (local.get 19)))
                (i32.store offset=ra (local.get 39) (local.get 18))
                (br_if 4 (local.get 17))
                (br 3)
              end
              (br 2)
            end
            (br 1)
          end
          (br 0)
        end
        (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
        (local.set 40 (local.get 8))
        (local.set 3 (i32.and (local.get 40) (i32.const -2)))
        (i32.store offset=a0 (i32.const 0) (local.get 17))
        (i32.store offset=a1 (i32.const 0) (local.get 18))
        (i32.store offset=a2 (i32.const 0) (local.get 19))
        (i32.store offset=PC (i32.const 0) (local.get 3))
        (return (local.get 0))
      end
      (unreachable)
    end
    (i32.store offset=a0 (i32.const 0) (local.get 17))
    (i32.store offset=a1 (i32.const 0) (local.get 18))
    (i32.store offset=a2 (i32.const 0) (local.get 19))
    (br 0)
  end
  (i32.store offset=PC (i32.const 0) (i32.add (i32.shr_s (local.get 2) (i32.const 11)) (i32.const -2147483624)))
  (i32.add (local.get 0) (i32.and (local.get 2) (i32.const 2047)))
)
