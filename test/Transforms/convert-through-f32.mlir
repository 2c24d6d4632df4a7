// RUN: tern-opt %s --tern-convert-through-f32 | FileCheck %s
// RUN: tern-opt %s --tern-llvm-pipeline | FileCheck %s --check-prefix=LLVM --implicit-check-not=bf16

// CHECK-LABEL: func.func @scalars(
// CHECK:         %[[F:.*]] = arith.extf %{{.*}} : bf16 to f32
// CHECK:         %[[W:.*]] = arith.extf %[[F]] : f32 to f64
// CHECK:         %[[S:.*]] = arith.addf %[[W]],
// CHECK:         %[[T:.*]] = arith.truncf %[[S]] : f64 to f32
// CHECK:         %[[N:.*]] = arith.truncf %[[T]] : f32 to bf16
// CHECK:         return %[[N]]
// LLVM-LABEL:  llvm.func {{.*}}@scalars(
// LLVM:          llvm.fpext %{{.*}} : f32 to f64
// LLVM:          llvm.fptrunc %{{.*}} : f64 to f32
func.func @scalars(%x: bf16, %y: f64) -> bf16 {
  %w = arith.extf %x : bf16 to f64
  %s = arith.addf %w, %y : f64
  %n = arith.truncf %s : f64 to bf16
  return %n : bf16
}

// CHECK-LABEL: func.func @vectors(
// CHECK:         arith.extf %{{.*}} : vector<8xbf16> to vector<8xf32>
// CHECK:         arith.extf %{{.*}} : vector<8xf32> to vector<8xf64>
// CHECK:         arith.truncf %{{.*}} : vector<8xf64> to vector<8xf32>
// CHECK:         arith.truncf %{{.*}} : vector<8xf32> to vector<8xbf16>
func.func @vectors(%x: vector<8xbf16>, %y: vector<8xf64>) -> (vector<8xf64>, vector<8xbf16>) {
  %w = arith.extf %x : vector<8xbf16> to vector<8xf64>
  %n = arith.truncf %y : vector<8xf64> to vector<8xbf16>
  return %w, %n : vector<8xf64>, vector<8xbf16>
}

// For these there is a conversion.
// CHECK-LABEL: func.func @others(
// CHECK-NEXT:    arith.extf %{{.*}} : f16 to f64
// CHECK-NEXT:    arith.extf %{{.*}} : bf16 to f32
// CHECK-NEXT:    arith.truncf %{{.*}} : f64 to f16
// CHECK-NEXT:    arith.truncf %{{.*}} : f32 to bf16
// CHECK-NEXT:    return
func.func @others(%h: f16, %b: bf16, %f: f32, %d: f64) -> (f64, f32, f16, bf16) {
  %0 = arith.extf %h : f16 to f64
  %1 = arith.extf %b : bf16 to f32
  %2 = arith.truncf %d : f64 to f16
  %3 = arith.truncf %f : f32 to bf16
  return %0, %1, %2, %3 : f64, f32, f16, bf16
}
