(func $region_80000018 (;slot 1;)
  ;; locals: 41 i32
  if (i32.lt_s (local.get 0) (i32.const 2)) ;; unlikely
    (return (local.get 0))
  end
  (local.set 6 (i32.load offset=TLB_FETCH (i32.const 0)))
  if (i32.or (i32.xor (i32.load offset=PC (i32.const 0)) (i32.const -2147483624)) (i32.xor (i32.load offset=2097152 (local.get 6)) (i32.const (;decoded page 0;)))) ;; unlikely
    (return (local.get 0))
  end
  (local.set 4 (i32.load offset=TLB_READ (i32.const 0)))
  (local.set 5 (i32.load offset=TLB_WRITE (i32.const 0)))
  (local.set 15 (i32.load offset=s0 (i32.const 0)))
  (local.set 17 (i32.load offset=a0 (i32.const 0)))
  (local.set 18 (i32.load offset=a1 (i32.const 0)))
  (local.set 19 (i32.load offset=a2 (i32.const 0)))
  (local.set 20 (i32.load offset=a3 (i32.const 0)))
  (local.set 21 (i32.load offset=a4 (i32.const 0)))
  block
    block
      loop
        (local.set 2 (i32.const 0))
        (br_if 1 (i32.lt_s (local.get 0) (i32.const 2))) ;; unlikely
        (local.set 0 (i32.sub (local.get 0) (i32.const 2)))
        (local.set 39 (local.get 18))
        (local.set 40 (local.get 15))
        (local.set 2 (i32.const 2))
        (br_if 1 (i32.and (i32.or (local.tee 41 (i32.add (i32.load (i32.add (local.get 5) (i32.shl (i32.shr_u (local.get 40) (i32.const 12)) (i32.const 2)))) (i32.const -1))) (local.get 40)) (i32.const 3))) ;; unlikely
        (local.set 41 (i32.xor (local.get 41) (local.get 40)))
        (local.set 42 (i32.load (local.get 41)))
        (i32.store (local.get 41) (i32.add (local.get 42) (local.get 39)))
        (local.set 17 (local.get 42))
        (local.set 39 (local.get 17))
        (local.set 40 (local.get 15))
        (local.set 2 (i32.const 8193))
        (br_if 1 (i32.and (i32.or (local.tee 41 (i32.add (i32.load (i32.add (local.get 5) (i32.shl (i32.shr_u (local.get 40) (i32.const 12)) (i32.const 2)))) (i32.const -1))) (local.get 40)) (i32.const 3))) ;; unlikely
        (local.set 41 (i32.xor (local.get 41) (local.get 40)))
        (local.set 42 (i32.load (local.get 41)))
        (i32.store (local.get 41) (select (local.get 42) (local.get 39) (i32.gt_u (local.get 42) (local.get 39))))
        (local.set 19 (local.get 42))
        loop
          block
            (local.set 2 (i32.const 16384))
            (br_if 3 (i32.lt_s (local.get 0) (i32.const 17))) ;; unlikely
            (local.set 0 (i32.sub (local.get 0) (i32.const 4)))
            (local.set 39 (local.get 15))
            (local.set 2 (i32.const 16388))
            (br_if 3 (i32.and (i32.or (local.tee 40 (i32.add (i32.load (i32.add (local.get 4) (i32.shl (i32.shr_u (local.get 39) (i32.const 12)) (i32.const 2)))) (i32.const -1))) (local.get 39)) (i32.const 3))) ;; unlikely
            (local.set 40 (i32.xor (local.get 40) (local.get 39)))
            (i32.store offset=RESERVATION (i32.const 0) (local.get 40))
            (local.set 20 (i32.load (local.get 40)))
            (local.set 20 (i32.add (local.get 20) (local.get 17)))
            (local.set 39 (local.get 20))
            (local.set 40 (local.get 15))
            (local.set 2 (i32.const 32770))
            (br_if 3 (i32.and (i32.or (local.tee 41 (i32.add (i32.load (i32.add (local.get 5) (i32.shl (i32.shr_u (local.get 40) (i32.const 12)) (i32.const 2)))) (i32.const -1))) (local.get 40)) (i32.const 3))) ;; unlikely
            (local.set 41 (i32.xor (local.get 41) (local.get 40)))
            (local.set 42 (i32.ne (i32.load offset=RESERVATION (i32.const 0)) (local.get 41)))
            if (i32.eqz (local.get 42))
              (i32.store (local.get 41) (local.get 39))
            end
            (i32.store offset=RESERVATION (i32.const 0) (i32.const 0))
            (local.set 21 (local.get 42))
            if (local.get 21)
              (local.set 0 (i32.sub (local.get 0) (i32.const 4)))
              (local.set 39 (local.get 15))
              (local.set 2 (i32.const 16388))
              (br_if 4 (i32.and (i32.or (local.tee 40 (i32.add (i32.load (i32.add (local.get 4) (i32.shl (i32.shr_u (local.get 39) (i32.const 12)) (i32.const 2)))) (i32.const -1))) (local.get 39)) (i32.const 3))) ;; unlikely
              (local.set 40 (i32.xor (local.get 40) (local.get 39)))
              (i32.store offset=RESERVATION (i32.const 0) (local.get 40))
              (local.set 20 (i32.load (local.get 40)))
              (local.set 20 (i32.add (local.get 20) (local.get 17)))
              (local.set 39 (local.get 20))
              (local.set 40 (local.get 15))
              (local.set 2 (i32.const 32770))
              (br_if 4 (i32.and (i32.or (local.tee 41 (i32.add (i32.load (i32.add (local.get 5) (i32.shl (i32.shr_u (local.get 40) (i32.const 12)) (i32.const 2)))) (i32.const -1))) (local.get 40)) (i32.const 3))) ;; unlikely
              (local.set 41 (i32.xor (local.get 41) (local.get 40)))
              (local.set 42 (i32.ne (i32.load offset=RESERVATION (i32.const 0)) (local.get 41)))
              if (i32.eqz (local.get 42))
                (i32.store (local.get 41) (local.get 39))
              end
              (i32.store offset=RESERVATION (i32.const 0) (i32.const 0))
              (local.set 21 (local.get 42))
              if (local.get 21)
                (local.set 0 (i32.sub (local.get 0) (i32.const 4)))
                (local.set 39 (local.get 15))
                (local.set 2 (i32.const 16388))
                (br_if 5 (i32.and (i32.or (local.tee 40 (i32.add (i32.load (i32.add (local.get 4) (i32.shl (i32.shr_u (local.get 39) (i32.const 12)) (i32.const 2)))) (i32.const -1))) (local.get 39)) (i32.const 3))) ;; unlikely
                (local.set 40 (i32.xor (local.get 40) (local.get 39)))
                (i32.store offset=RESERVATION (i32.const 0) (local.get 40))
                (local.set 20 (i32.load (local.get 40)))
                (local.set 20 (i32.add (local.get 20) (local.get 17)))
                (local.set 39 (local.get 20))
                (local.set 40 (local.get 15))
                (local.set 2 (i32.const 32770))
                (br_if 5 (i32.and (i32.or (local.tee 41 (i32.add (i32.load (i32.add (local.get 5) (i32.shl (i32.shr_u (local.get 40) (i32.const 12)) (i32.const 2)))) (i32.const -1))) (local.get 40)) (i32.const 3))) ;; unlikely
                (local.set 41 (i32.xor (local.get 41) (local.get 40)))
                (local.set 42 (i32.ne (i32.load offset=RESERVATION (i32.const 0)) (local.get 41)))
                if (i32.eqz (local.get 42))
                  (i32.store (local.get 41) (local.get 39))
                end
                (i32.store offset=RESERVATION (i32.const 0) (i32.const 0))
                (local.set 21 (local.get 42))
                if (local.get 21)
                  (local.set 0 (i32.sub (local.get 0) (i32.const 4)))
                  (local.set 39 (local.get 15))
                  (local.set 2 (i32.const 16388))
                  (br_if 6 (i32.and (i32.or (local.tee 40 (i32.add (i32.load (i32.add (local.get 4) (i32.shl (i32.shr_u (local.get 39) (i32.const 12)) (i32.const 2)))) (i32.const -1))) (local.get 39)) (i32.const 3))) ;; unlikely
                  (local.set 40 (i32.xor (local.get 40) (local.get 39)))
                  (i32.store offset=RESERVATION (i32.const 0) (local.get 40))
                  (local.set 20 (i32.load (local.get 40)))
                  (local.set 20 (i32.add (local.get 20) (local.get 17)))
                  (local.set 39 (local.get 20))
                  (local.set 40 (local.get 15))
                  (local.set 2 (i32.const 32770))
                  (br_if 6 (i32.and (i32.or (local.tee 41 (i32.add (i32.load (i32.add (local.get 5) (i32.shl (i32.shr_u (local.get 40) (i32.const 12)) (i32.const 2)))) (i32.const -1))) (local.get 40)) (i32.const 3))) ;; unlikely
                  (local.set 41 (i32.xor (local.get 41) (local.get 40)))
                  (local.set 42 (i32.ne (i32.load offset=RESERVATION (i32.const 0)) (local.get 41)))
                  if (i32.eqz (local.get 42))
                    (i32.store (local.get 41) (local.get 39))
                  end
                  (i32.store offset=RESERVATION (i32.const 0) (i32.const 0))
                  (local.set 21 (local.get 42))
                  (br_if 4 (local.get 21))
                  (br 3)
                end
                (br 2)
              end
              (br 1)
            end
            (br 0)
          end
          (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
          (br 1)
        end
      end
      (unreachable)
    end
    (i32.store offset=a0 (i32.const 0) (local.get 17))
    (i32.store offset=a2 (i32.const 0) (local.get 19))
    (i32.store offset=a3 (i32.const 0) (local.get 20))
    (i32.store offset=a4 (i32.const 0) (local.get 21))
    (br 0)
  end
  (i32.store offset=PC (i32.const 0) (i32.add (i32.shr_s (local.get 2) (i32.const 11)) (i32.const -2147483624)))
  (i32.add (local.get 0) (i32.and (local.get 2) (i32.const 2047)))
)
