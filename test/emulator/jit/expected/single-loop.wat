(func $region_80000018 (;slot 1;)
  ;; locals: 37 i32, 3 f32, 1 i32, 1 v128, 3 f32, 2 f64, 1 i32
  if (i32.lt_s (local.get 0) (i32.const 28)) ;; unlikely
    (return (local.get 0))
  end
  (local.set 6 (i32.load offset=TLB_FETCH (i32.const 0)))
  if (i32.or (i32.or (i32.or (i32.xor (i32.load offset=PC (i32.const 0)) (i32.const -2147483624)) (i32.xor (i32.load offset=2097152 (local.get 6)) (i32.const (;decoded page 0;)))) (i32.or (i32.xor (i32.and (i32.load offset=FCSR (i32.const 0)) (i32.const 225)) (i32.const 1)) (i32.xor (i32.load offset=FS (i32.const 0)) (i32.const 3)))) (i32.xor (i32.and (i32.and (i32.load offset=fa0.high (i32.const 0)) (i32.load offset=fa1.high (i32.const 0))) (i32.load offset=fa2.high (i32.const 0))) (i32.const -1))) ;; unlikely
    (return (local.get 0))
  end
  (local.set 8 (i32.load offset=ra (i32.const 0)))
  (local.set 12 (i32.load offset=t0 (i32.const 0)))
  (local.set 15 (i32.load offset=s0 (i32.const 0)))
  (local.set 17 (i32.load offset=a0 (i32.const 0)))
  (local.set 39 (f32.load offset=fa0 (i32.const 0)))
  (local.set 40 (f32.load offset=fa1 (i32.const 0)))
  (local.set 41 (f32.load offset=fa2 (i32.const 0)))
  block
    block
      loop
        block
          (local.set 2 (i32.const 0))
          (br_if 2 (i32.lt_s (local.get 0) (i32.const 28))) ;; unlikely
          (local.set 0 (i32.sub (local.get 0) (i32.const 7)))
          if (i32.ge_u (i32.sub (local.get 15) (i32.load offset=cache2048.page (i32.const 0))) (i32.load offset=cache2048.room (i32.const 0))) ;; unlikely
            (local.set 2 (i32.const 7))
            (br_if 3 (i32.eqz (call $lookUp (local.get 15) (i32.const 4194315) (local.get 43)))) ;; unlikely
          end
          (local.set 42 (i32.add (local.get 15) (i32.load offset=cache2048.delta (i32.const 0))))
          (local.set 39 (f32.load (local.get 42)))
          (local.set 44 (local.get 39))
          (local.set 45 (local.get 40))
          (local.set 46 (f32.sub (local.get 44) (local.get 45)))
          (local.set 2 (i32.const 8198))
          (br_if 2 (i32.eqz (i32.lt_u (i32.shl (i32.reinterpret_f32 (local.get 46)) (i32.const 1)) (i32.const -16777216)))) ;; unlikely
          (local.set 40 (local.get 46))
          (local.set 44 (local.get 40))
          (local.set 45 (local.get 39))
          (local.set 46 (f32.div (local.get 44) (local.get 45)))
          if (i32.eqz (i32.lt_u (i32.sub (i32.shl (i32.reinterpret_f32 (local.get 46)) (i32.const 1)) (i32.const 16777218)) (i32.const -33554434))) ;; unlikely
            (local.set 2 (i32.const 16389))
            (br_if 3 (i32.eqz (i32.and (f32.eq (local.get 46) (f32.const 0)) (f32.eq (local.get 44) (f32.const 0))))) ;; unlikely
          end
          (local.set 41 (local.get 46))
          (local.set 44 (local.get 41))
          (local.set 47 (f64.promote_f32 (local.get 44)))
          (local.set 48 (f64.trunc (local.get 47)))
          (local.set 2 (i32.const 24580))
          (br_if 2 (i32.eqz (i32.and (f64.le (f64.const -2147483648) (local.get 48)) (f64.le (local.get 48) (f64.const 2147483647))))) ;; unlikely
          (local.set 17 (i32.trunc_f64_s (local.get 48)))
          (f32.store offset=sp (local.get 42) (local.get 41))
          (local.set 12 (i32.add (local.get 12) (i32.const -1)))
          (br_if 0 (local.get 12))
          (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
          (local.set 0 (i32.sub (local.get 0) (i32.const 6)))
          (local.set 15 (i32.const -2146435072))
          (local.set 15 (local.get 15))
          (local.set 12 (i32.const 0))
          (local.set 12 (i32.add (local.get 12) (i32.const 40)))
          (local.set 8 (i32.const -2147483648))
          (local.set 8 (i32.add (local.get 8) (i32.const 56)))
          (br 0)
        end
        (local.set 0 (i32.sub (local.get 0) (i32.const 7)))
        if (i32.ge_u (i32.sub (local.get 15) (i32.load offset=cache2049.page (i32.const 0))) (i32.load offset=cache2049.room (i32.const 0))) ;; unlikely
          (local.set 2 (i32.const 7))
          (br_if 2 (i32.eqz (call $lookUp (local.get 15) (i32.const 4196363) (local.get 43)))) ;; unlikely
        end
        (local.set 49 (i32.add (local.get 15) (i32.load offset=cache2049.delta (i32.const 0))))
        (local.set 39 (f32.load (local.get 49)))
        (local.set 44 (local.get 39))
        (local.set 45 (local.get 40))
        (local.set 46 (f32.sub (local.get 44) (local.get 45)))
        (local.set 2 (i32.const 8198))
        (br_if 1 (i32.eqz (i32.lt_u (i32.shl (i32.reinterpret_f32 (local.get 46)) (i32.const 1)) (i32.const -16777216)))) ;; unlikely
        (local.set 40 (local.get 46))
        (local.set 44 (local.get 40))
        (local.set 45 (local.get 39))
        (local.set 46 (f32.div (local.get 44) (local.get 45)))
        if (i32.eqz (i32.lt_u (i32.sub (i32.shl (i32.reinterpret_f32 (local.get 46)) (i32.const 1)) (i32.const 16777218)) (i32.const -33554434))) ;; unlikely
          (local.set 2 (i32.const 16389))
          (br_if 2 (i32.eqz (i32.and (f32.eq (local.get 46) (f32.const 0)) (f32.eq (local.get 44) (f32.const 0))))) ;; unlikely
        end
        (local.set 41 (local.get 46))
        (local.set 44 (local.get 41))
        (local.set 47 (f64.promote_f32 (local.get 44)))
        (local.set 48 (f64.trunc (local.get 47)))
        (local.set 2 (i32.const 24580))
        (br_if 1 (i32.eqz (i32.and (f64.le (f64.const -2147483648) (local.get 48)) (f64.le (local.get 48) (f64.const 2147483647))))) ;; unlikely
        (local.set 17 (i32.trunc_f64_s (local.get 48)))
        (f32.store offset=sp (local.get 49) (local.get 41))
        (local.set 12 (i32.add (local.get 12) (i32.const -1)))
        (br_if 0 (local.get 12))
        (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
        (local.set 0 (i32.sub (local.get 0) (i32.const 6)))
        (local.set 15 (i32.const -2146435072))
        (local.set 15 (local.get 15))
        (local.set 12 (i32.const 0))
        (local.set 12 (i32.add (local.get 12) (i32.const 40)))
        (local.set 8 (i32.const -2147483648))
        (local.set 8 (i32.add (local.get 8) (i32.const 56)))
        (br 0)
      end
      (unreachable)
    end
    (i32.store offset=ra (i32.const 0) (local.get 8))
    (i32.store offset=t0 (i32.const 0) (local.get 12))
    (i32.store offset=s0 (i32.const 0) (local.get 15))
    (i32.store offset=a0 (i32.const 0) (local.get 17))
    (i64.store offset=fa0 (i32.const 0) (i64.or (i64.extend_i32_u (i32.reinterpret_f32 (local.get 39))) (i64.const -4294967296)))
    (i64.store offset=fa1 (i32.const 0) (i64.or (i64.extend_i32_u (i32.reinterpret_f32 (local.get 40))) (i64.const -4294967296)))
    (i64.store offset=fa2 (i32.const 0) (i64.or (i64.extend_i32_u (i32.reinterpret_f32 (local.get 41))) (i64.const -4294967296)))
    (br 0)
  end
  (i32.store offset=PC (i32.const 0) (i32.add (i32.shr_s (local.get 2) (i32.const 11)) (i32.const -2147483624)))
  (i32.add (local.get 0) (i32.and (local.get 2) (i32.const 2047)))
)
