(func $region_80000018 (;slot 1;)
  ;; locals: 37 i32, 3 f64, 1 i32, 1 v128, 3 f64, 1 i32
  if (i32.lt_s (local.get 0) (i32.const 26)) ;; unlikely
    (return (local.get 0))
  end
  (local.set 6 (i32.load offset=TLB_FETCH (i32.const 0)))
  if (i32.or (i32.or (i32.xor (i32.load offset=PC (i32.const 0)) (i32.const -2147483624)) (i32.xor (i32.load offset=2097152 (local.get 6)) (i32.const (;decoded page 0;)))) (i32.or (i32.xor (i32.and (i32.load offset=FCSR (i32.const 0)) (i32.const 225)) (i32.const 1)) (i32.xor (i32.load offset=FS (i32.const 0)) (i32.const 3)))) ;; unlikely
    (return (local.get 0))
  end
  (local.set 8 (i32.load offset=ra (i32.const 0)))
  (local.set 12 (i32.load offset=t0 (i32.const 0)))
  (local.set 15 (i32.load offset=s0 (i32.const 0)))
  (local.set 39 (f64.load offset=fa0 (i32.const 0)))
  (local.set 40 (f64.load offset=fa1 (i32.const 0)))
  (local.set 41 (f64.load offset=fa2 (i32.const 0)))
  block
    block
      loop
        block
          (local.set 2 (i32.const 0))
          (br_if 2 (i32.lt_s (local.get 0) (i32.const 26))) ;; unlikely
          (local.set 0 (i32.sub (local.get 0) (i32.const 6)))
          if (i32.ge_u (i32.sub (local.get 15) (i32.load offset=cache2048.page (i32.const 0))) (i32.load offset=cache2048.room (i32.const 0))) ;; unlikely
            (local.set 2 (i32.const 6))
            (br_if 3 (i32.eqz (call $lookUp (local.get 15) (i32.const 4194319) (local.get 43)))) ;; unlikely
          end
          (local.set 42 (i32.add (local.get 15) (i32.load offset=cache2048.delta (i32.const 0))))
          (local.set 39 (f64.load (local.get 42)))
          (local.set 44 (local.get 39))
          (local.set 45 (local.get 40))
          (local.set 46 (f64.mul (local.get 44) (local.get 45)))
          if (i32.eqz (i32.lt_u (i32.sub (i32.wrap_i64 (i64.shr_u (i64.reinterpret_f64 (local.get 46)) (i64.const 31))) (i32.const 2097154)) (i32.const -4194306))) ;; unlikely
            (local.set 2 (i32.const 8197))
            (br_if 3 (i32.eqz (i32.and (f64.eq (local.get 46) (f64.const 0)) (i32.or (f64.eq (local.get 44) (f64.const 0)) (f64.eq (local.get 45) (f64.const 0)))))) ;; unlikely
          end
          (local.set 40 (local.get 46))
          (local.set 44 (local.get 41))
          (local.set 45 (local.get 40))
          (local.set 46 (f64.add (local.get 44) (local.get 45)))
          (local.set 2 (i32.const 16388))
          (br_if 2 (i32.eqz (i32.lt_u (i32.wrap_i64 (i64.shr_u (i64.reinterpret_f64 (local.get 46)) (i64.const 31))) (i32.const -2097152)))) ;; unlikely
          (local.set 41 (local.get 46))
          (f64.store offset=sp (local.get 42) (local.get 41))
          (local.set 12 (i32.add (local.get 12) (i32.const -1)))
          (br_if 0 (local.get 12))
          (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
          (local.set 0 (i32.sub (local.get 0) (i32.const 6)))
          (local.set 15 (i32.const -2146435072))
          (local.set 15 (local.get 15))
          (local.set 12 (i32.const 0))
          (local.set 12 (i32.add (local.get 12) (i32.const 40)))
          (local.set 8 (i32.const -2147483648))
          (local.set 8 (i32.add (local.get 8) (i32.const 52)))
          (br 0)
        end
        (local.set 0 (i32.sub (local.get 0) (i32.const 6)))
        if (i32.ge_u (i32.sub (local.get 15) (i32.load offset=cache2049.page (i32.const 0))) (i32.load offset=cache2049.room (i32.const 0))) ;; unlikely
          (local.set 2 (i32.const 6))
          (br_if 2 (i32.eqz (call $lookUp (local.get 15) (i32.const 4196367) (local.get 43)))) ;; unlikely
        end
        (local.set 47 (i32.add (local.get 15) (i32.load offset=cache2049.delta (i32.const 0))))
        (local.set 39 (f64.load (local.get 47)))
        (local.set 44 (local.get 39))
        (local.set 45 (local.get 40))
        (local.set 46 (f64.mul (local.get 44) (local.get 45)))
        if (i32.eqz (i32.lt_u (i32.sub (i32.wrap_i64 (i64.shr_u (i64.reinterpret_f64 (local.get 46)) (i64.const 31))) (i32.const 2097154)) (i32.const -4194306))) ;; unlikely
          (local.set 2 (i32.const 8197))
          (br_if 2 (i32.eqz (i32.and (f64.eq (local.get 46) (f64.const 0)) (i32.or (f64.eq (local.get 44) (f64.const 0)) (f64.eq (local.get 45) (f64.const 0)))))) ;; unlikely
        end
        (local.set 40 (local.get 46))
        (local.set 44 (local.get 41))
        (local.set 45 (local.get 40))
        (local.set 46 (f64.add (local.get 44) (local.get 45)))
        (local.set 2 (i32.const 16388))
        (br_if 1 (i32.eqz (i32.lt_u (i32.wrap_i64 (i64.shr_u (i64.reinterpret_f64 (local.get 46)) (i64.const 31))) (i32.const -2097152)))) ;; unlikely
        (local.set 41 (local.get 46))
        (f64.store offset=sp (local.get 47) (local.get 41))
        (local.set 12 (i32.add (local.get 12) (i32.const -1)))
        (br_if 0 (local.get 12))
        (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
        (local.set 0 (i32.sub (local.get 0) (i32.const 6)))
        (local.set 15 (i32.const -2146435072))
        (local.set 15 (local.get 15))
        (local.set 12 (i32.const 0))
        (local.set 12 (i32.add (local.get 12) (i32.const 40)))
        (local.set 8 (i32.const -2147483648))
        (local.set 8 (i32.add (local.get 8) (i32.const 52)))
        (br 0)
      end
      (unreachable)
    end
    (i32.store offset=ra (i32.const 0) (local.get 8))
    (i32.store offset=t0 (i32.const 0) (local.get 12))
    (i32.store offset=s0 (i32.const 0) (local.get 15))
    (f64.store offset=fa0 (i32.const 0) (local.get 39))
    (f64.store offset=fa1 (i32.const 0) (local.get 40))
    (f64.store offset=fa2 (i32.const 0) (local.get 41))
    (br 0)
  end
  (i32.store offset=PC (i32.const 0) (i32.add (i32.shr_s (local.get 2) (i32.const 11)) (i32.const -2147483624)))
  (i32.add (local.get 0) (i32.and (local.get 2) (i32.const 2047)))
)
