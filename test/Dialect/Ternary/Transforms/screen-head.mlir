// RUN: tern-opt %s --split-input-file --ternary-screen-head=mode=screened | FileCheck %s --check-prefixes=CHECK,SCREEN
// RUN: tern-opt %s --split-input-file --ternary-screen-head=mode=exact | FileCheck %s --check-prefixes=CHECK,EXACT --implicit-check-not='screen('
// RUN: tern-opt %s --split-input-file --ternary-screen-head=min-bytes=129 | FileCheck %s --check-prefixes=CHECK,EXACT --implicit-check-not='screen('
// RUN: tern-opt %s --split-input-file --ternary-screen-head=min-bytes=128 | FileCheck %s --check-prefixes=CHECK,SCREEN
// RUN: not tern-opt %s --split-input-file --ternary-screen-head=mode=other 2>&1 | FileCheck %s --check-prefix=MODE

// MODE: error: unknown mode 'other'; expected auto, exact or screened

#x = affine_map<(b, t, n, k) -> (b, t, k)>
#w = affine_map<(b, t, n, k) -> (n, k)>
#y = affine_map<(b, t, n, k) -> (b, t, n)>
#id = affine_map<(b, t, n) -> (b, t, n)>

// Row 0 is copied as it is: up to 20 in magnitude, codes are 32 more; above, every
// second number up to 34 has one, and every fourth up to 50: 22 is 53, -38 is
// 32 - 28 and 50 is 63. Byte 0 holds the code of column 0, and bits 0 and 1 of that
// of column 12, which is padding, of code 32; bytes 64 to 67 hold those of columns 4
// to 7. 8 rows are half a tile.

// SCREEN:      module attributes {ternary.head = "screened: reads 192 bytes a token and 16 for each logit that may be one of the best, of 128"}
// EXACT:       module attributes {ternary.head = "exact: reads 128 bytes a token"}
// CHECK-LABEL: func.func private @step(
// SCREEN-SAME:   %[[T:[^ ,]*]]: tensor<1x?x8xf32>, %{{[^ ,]*}}: index, %[[N:[^ ,]*]]: index, %[[BEST:[^ ,]*]]: index, %[[CACHE:[^ ,]*]]: tensor<4xf32> {bufferization.writable = true})
// EXACT-SAME:    %[[T:[^ ,]*]]: tensor<1x?x8xf32>, %{{[^ ,]*}}: index, %[[N:[^ ,]*]]: index, %[[CACHE:[^ ,]*]]: tensor<4xf32> {bufferization.writable = true})
// CHECK:         %[[W:.*]] = arith.constant dense<{{.*}}> : tensor<8x8xbf16>
// CHECK:         %[[FILLED:.*]] = tensor.empty(%[[N]]) : tensor<1x?x8xf32>
// CHECK:         %[[ROWS:.*]] = tensor.dim %[[FILLED]], %{{.*}}
// CHECK:         %[[OUT:.*]] = tensor.empty(%[[ROWS]]) : tensor<1x?x8xf32>
// CHECK:         %[[COUNT:.*]] = tensor.dim %[[T]], %{{.*}}
// CHECK:         %[[ONE:.*]] = arith.cmpi eq, %[[COUNT]], %{{.*}}
// CHECK-NOT:     ternary.trim
// CHECK:         %[[R:.*]] = scf.if %[[ONE]] -> (tensor<1x?x8xf32>) {
// CHECK:           %[[TOKENS:.*]] = tensor.dim %[[T]], %[[C1:.*]] : tensor<1x?x8xf32>
// CHECK-NEXT:      %[[MANY:.*]] = arith.cmpi ugt, %[[TOKENS]], %[[C1]]
// CHECK-NEXT:      scf.if %[[MANY]] {
// CHECK-NEXT:        ternary.trim
// CHECK-NEXT:      }
// EXACT:           %[[ALL:.*]] = arith.constant 0 : index
// CHECK:           %[[H:.*]] = tensor.extract_slice %[[T]][0, 0, 0] [1, 1, 8] [1, 1, 1] : tensor<1x?x8xf32> to tensor<8xf32>
// SCREEN-DAG:      %[[C:.*]] = arith.constant dense<"0x3F01340C3F373737{{(3F)*(20)*}}3504212037373737{{[0-9A-F]*}}"> : tensor<192xi8>
// SCREEN-DAG:      %[[B:.*]] = arith.constant dense_resource<{{.*}}_bounds> : tensor<1x33xbf16>
// SCREEN:          %[[Y:.*]] = ternary.head ins(%[[H]], %[[W]], %[[BEST]] : tensor<8xf32>, tensor<8x8xbf16>) screen(%[[C]], %[[B]] : tensor<192xi8>, tensor<1x33xbf16>) outs(%[[ROW:.*]] : tensor<8xf32>) -> tensor<8xf32>
// EXACT:           %[[Y:.*]] = ternary.head ins(%[[H]], %[[W]], %[[ALL]] : tensor<8xf32>, tensor<8x8xbf16>) outs(%[[ROW:.*]] : tensor<8xf32>) -> tensor<8xf32>
// CHECK:           tensor.insert_slice %[[Y]] into %[[OUT]][0, 0, 0] [1, 1, 8] [1, 1, 1] : tensor<8xf32> into tensor<1x?x8xf32>
// CHECK:         } else {
// CHECK-NOT:       ternary.trim
// CHECK:           %[[ZEROS:.*]] = linalg.fill {{.*}} outs(%[[OUT]] :
// CHECK:           linalg.generic {{.*}} ins(%[[T]], %[[W]] : {{.*}} outs(%[[ZEROS]] :
// CHECK:         return %[[R]], %[[CACHE]]
module {
func.func private @step(%t: tensor<1x?x8xf32>, %past: index, %n: index, %cache: tensor<4xf32> {bufferization.writable = true}) -> (tensor<1x?x8xf32>, tensor<4xf32>) {
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<[[50.0, -50.0, 20.0, -20.0, 22.0, -38.0, 1.0, 0.0], [2.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]]> : tensor<8x8xbf16>
  %e = tensor.empty(%n) : tensor<1x?x8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x?x8xf32>) -> tensor<1x?x8xf32>
  %y = linalg.generic {indexing_maps = [#x, #w, #y], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%t, %w : tensor<1x?x8xf32>, tensor<8x8xbf16>) outs(%f : tensor<1x?x8xf32>) {
  ^bb0(%a: f32, %b: bf16, %sum: f32):
    %c = arith.extf %b : bf16 to f32
    %p = arith.mulf %a, %c : f32
    %s = arith.addf %sum, %p : f32
    linalg.yield %s : f32
  } -> tensor<1x?x8xf32>
  return %y, %cache : tensor<1x?x8xf32>, tensor<4xf32>
}
}

// -----

#x = affine_map<(b, t, n, k) -> (b, t, k)>
#w = affine_map<(b, t, n, k) -> (n, k)>
#y = affine_map<(b, t, n, k) -> (b, t, n)>

// Bounds are rounded up: where 50 is a level of scale 1, quarters are copied as 0,
// which errs by 0.35355, between 0.353515625 (0x3EB5) and 0.35546875 (0x3EB6). Row 5,
// of scale 2, is copied as it is; its norm is the largest, 141.4, between 141 (0x430D)
// and 142 (0x430E). Row 2 is too long to be copied: its error is infinite, and its
// norm does not count. Padding has no scale and an error of minus infinity.
// CHECK-LABEL:  func.func private @step(
// SCREEN:       {{.*}}_bounds: "0x40000000803F803F0000803F803F0040803F803F00000000000000000000000000000000B63EB63E807FB63EB63E0000B63EB63E80FF80FF80FF80FF80FF80FF80FF80FF0E43"
module {
func.func private @step(%t: tensor<1x?x8xf32>, %past: index, %n: index) -> tensor<1x?x8xf32> {
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<[[50.0, 0.25, 0.25, 0.0, 0.0, 0.0, 0.0, 0.0], [50.0, 0.25, 0.25, 0.0, 0.0, 0.0, 0.0, 0.0], [3.0e18, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], [50.0, 0.25, 0.25, 0.0, 0.0, 0.0, 0.0, 0.0], [50.0, 0.25, 0.25, 0.0, 0.0, 0.0, 0.0, 0.0], [100.0, 100.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], [50.0, 0.25, 0.25, 0.0, 0.0, 0.0, 0.0, 0.0], [50.0, 0.25, 0.25, 0.0, 0.0, 0.0, 0.0, 0.0]]> : tensor<8x8xbf16>
  %e = tensor.empty(%n) : tensor<1x?x8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x?x8xf32>) -> tensor<1x?x8xf32>
  %y = linalg.generic {indexing_maps = [#x, #w, #y], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%t, %w : tensor<1x?x8xf32>, tensor<8x8xbf16>) outs(%f : tensor<1x?x8xf32>) {
  ^bb0(%a: f32, %b: bf16, %sum: f32):
    %c = arith.extf %b : bf16 to f32
    %p = arith.mulf %a, %c : f32
    %s = arith.addf %sum, %p : f32
    linalg.yield %s : f32
  } -> tensor<1x?x8xf32>
  return %y : tensor<1x?x8xf32>
}
}
