(func $region_8000002c (;slot 1;)
  ;; locals: 39 i32, 1 v128
  if (i32.lt_s (local.get 0) (i32.const 12)) ;; unlikely
    (return (local.get 0))
  end
  (local.set 6 (i32.load offset=TLB_FETCH (i32.const 0)))
  if (i32.or (i32.xor (i32.load offset=PC (i32.const 0)) (i32.const -2147483604)) (i32.xor (i32.load offset=2097152 (local.get 6)) (i32.const (;decoded page 0;)))) ;; unlikely
    (return (local.get 0))
  end
  (local.set 8 (i32.load offset=ra (i32.const 0)))
  (local.set 9 (i32.load offset=sp (i32.const 0)))
  (local.set 13 (i32.load offset=t1 (i32.const 0)))
  (local.set 16 (i32.load offset=s1 (i32.const 0)))
  (local.set 17 (i32.load offset=a0 (i32.const 0)))
  (local.set 18 (i32.load offset=a1 (i32.const 0)))
  (local.set 25 (i32.load offset=s2 (i32.const 0)))
  block
    block
      loop
        block
          (local.set 2 (i32.const 0))
          (br_if 2 (i32.lt_s (local.get 0) (i32.const 12))) ;; unlikely
          (local.set 0 (i32.sub (local.get 0) (i32.const 4)))
          (local.set 13 (local.get 16))
          (local.set 16 (local.get 25))
          (local.set 25 (local.get 13))
          (local.set 39 (local.get 16))
          (local.set 8 (i32.const -2147483588))
          (local.set 3 (i32.and (local.get 39) (i32.const -2)))
          if (i32.eq (local.get 3) (i32.const -2147483576))
            (local.set 0 (i32.sub (local.get 0) (i32.const 2)))
            (local.set 17 (i32.add (local.get 17) (i32.const 2)))
            (local.set 39 (local.get 8))
            (local.set 3 (i32.and (local.get 39) (i32.const -2)))
            (local.set 2 (i32.const 65537))
            (br_if 3 (i32.ne (local.get 3) (i32.const -2147483588))) ;; unlikely
            (br 1)
          end
          if (i32.eq (local.get 3) (i32.const -2147483568))
            (local.set 0 (i32.sub (local.get 0) (i32.const 6)))
            (local.set 9 (i32.add (local.get 9) (i32.const -16)))
            if (i32.eqz (local.get 40)) ;; unlikely
              if (i32.ge_u (i32.sub (local.tee 39 (i32.add (local.get 9) (i32.const 12))) (i32.load offset=cache2048.page (i32.const 0))) (i32.load offset=cache2048.room (i32.const 0))) ;; unlikely
                (local.set 2 (i32.const 81925))
                (br_if 5 (i32.eqz (call $lookUp (local.get 39) (i32.const 4194307) (local.get 41)))) ;; unlikely
              end
              (local.set 40 (i32.add (local.get 39) (i32.load offset=cache2048.delta (i32.const 0))))
            end
            (i32.store (local.get 40) (local.get 8))
            (local.set 17 (i32.add (local.get 17) (i32.const 3)))
            (local.set 8 (i32.load (local.get 40)))
            (local.set 9 (i32.add (local.get 9) (i32.const 16)))
            (local.set 39 (local.get 8))
            (local.set 3 (i32.and (local.get 39) (i32.const -2)))
            (local.set 2 (i32.const 114689))
            (br_if 3 (i32.ne (local.get 3) (i32.const -2147483588))) ;; unlikely
            (br 1)
          end
          (i32.store offset=ra (i32.const 0) (local.get 8))
          (i32.store offset=sp (i32.const 0) (local.get 9))
          (i32.store offset=t1 (i32.const 0) (local.get 13))
          (i32.store offset=s1 (i32.const 0) (local.get 16))
          (i32.store offset=a0 (i32.const 0) (local.get 17))
          (i32.store offset=a1 (i32.const 0) (local.get 18))
          (i32.store offset=s2 (i32.const 0) (local.get 25))
          (i32.store offset=PC (i32.const 0) (local.get 3))
          if (i32.eqz (local.get 1)) ;; unlikely
            (return (local.get 0))
          end
          (local.set 7 (i32.shl (i32.and (i32.xor (i32.shr_u (local.get 3) (i32.const 1)) (i32.shr_u (local.get 6) (i32.const 14))) (i32.const 65535)) (i32.const 3)))
          if (i32.ne (i32.load offset=JUMP_CACHE (local.get 7)) (local.get 3)) ;; unlikely
            (return (local.get 0))
          end
          if (i32.ge_u (local.tee 7 (i32.xor (i32.load offset=JUMP_CACHE+4 (local.get 7)) (local.get 6))) (i32.const 4194304)) ;; unlikely
            (return (local.get 0))
          end
          (local.set 0 (call_indirect (type 0) (local.get 0) (i32.sub (local.get 1) (i32.const 1)) (local.get 7)))
          if (i32.lt_s (local.get 0) (i32.const 2)) ;; unlikely
            (return (local.get 0))
          end
          if (i32.or (i32.xor (i32.load offset=PC (i32.const 0)) (i32.const -2147483588)) (i32.xor (i32.load offset=sp (i32.const 0)) (local.get 9))) ;; unlikely
            (return (local.get 0))
          end
          (local.set 8 (i32.load offset=ra (i32.const 0)))
          (local.set 13 (i32.load offset=t1 (i32.const 0)))
          (local.set 16 (i32.load offset=s1 (i32.const 0)))
          (local.set 17 (i32.load offset=a0 (i32.const 0)))
          (local.set 18 (i32.load offset=a1 (i32.const 0)))
          (local.set 25 (i32.load offset=s2 (i32.const 0)))
          (br 0)
        end
        (local.set 0 (i32.sub (local.get 0) (i32.const 2)))
        (local.set 18 (i32.add (local.get 18) (local.get 17)))
        (br 0)
      end
      (unreachable)
    end
    (i32.store offset=ra (i32.const 0) (local.get 8))
    (i32.store offset=sp (i32.const 0) (local.get 9))
    (i32.store offset=t1 (i32.const 0) (local.get 13))
    (i32.store offset=s1 (i32.const 0) (local.get 16))
    (i32.store offset=a0 (i32.const 0) (local.get 17))
    (i32.store offset=a1 (i32.const 0) (local.get 18))
    (i32.store offset=s2 (i32.const 0) (local.get 25))
    (br 0)
  end
  (i32.store offset=PC (i32.const 0) (i32.add (i32.shr_s (local.get 2) (i32.const 11)) (i32.const -2147483604)))
  (i32.add (local.get 0) (i32.and (local.get 2) (i32.const 2047)))
)
