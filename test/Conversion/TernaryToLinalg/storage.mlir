// RUN: tern-opt %s --convert-ternary-to-linalg --one-shot-bufferize="bufferize-function-boundaries function-boundary-type-conversion=identity-layout-map" --convert-linalg-to-loops --convert-vector-to-scf --convert-scf-to-cf --expand-strided-metadata --lower-affine --convert-vector-to-llvm --finalize-memref-to-llvm --convert-arith-to-llvm --convert-index-to-llvm --convert-func-to-llvm --convert-cf-to-llvm --convert-ub-to-llvm --reconcile-unrealized-casts | mlir-runner -e main --entry-point-result=void --shared-libs=%mlir_lib_dir/libmlir_runner_utils.so,%mlir_lib_dir/libmlir_c_runner_utils.so | FileCheck %s

// Matrices that are only known at run time: the loops put the trits where the
// folds of constants do (see canonicalize.mlir for the numbers).

#tiled = #ternary.layout<i2, tile = 2>
#t5 = #ternary.layout<t5>
#t5tiled = #ternary.layout<t5, tile = 4>

func.func @pack(%w: !ternary.matrix<2x4>) -> (tensor<8xi8>, tensor<2xi8>, tensor<2x4xi8>) {
  %p = ternary.pack %w : !ternary.matrix<2x4> to !ternary.matrix<2x4, #tiled>
  %pb = ternary.bytes %p : !ternary.matrix<2x4, #tiled> to tensor<8xi8>
  %q = ternary.pack %p : !ternary.matrix<2x4, #tiled> to !ternary.matrix<2x4, #t5>
  %qb = ternary.bytes %q : !ternary.matrix<2x4, #t5> to tensor<2xi8>
  %r = ternary.pack %q : !ternary.matrix<2x4, #t5> to !ternary.matrix<2x4, #t5tiled>
  %t = ternary.unpack %r : !ternary.matrix<2x4, #t5tiled> to tensor<2x4xi8>
  return %pb, %qb, %t : tensor<8xi8>, tensor<2xi8>, tensor<2x4xi8>
}

func.func @pack_fives(%w: !ternary.matrix<9x5>) -> (tensor<9xi8>, tensor<9x5xi8>) {
  %p = ternary.pack %w : !ternary.matrix<9x5> to !ternary.matrix<9x5, #t5>
  %b = ternary.bytes %p : !ternary.matrix<9x5, #t5> to tensor<9xi8>
  %t = ternary.unpack %p : !ternary.matrix<9x5, #t5> to tensor<9x5xi8>
  return %b, %t : tensor<9xi8>, tensor<9x5xi8>
}

// CHECK:      ( 86, 85, 84, 85, 84, 84, 86, 86 )
// 159 as an i8, and 25:
// CHECK-NEXT: ( -97, 25 )
// CHECK-NEXT: ( ( 1, 0, -1, 0 ), ( -1, -1, 1, 1 ) )
// 0, 63, 191, 193, 209, 211, 227, 229 and 245 as i8:
// CHECK-NEXT: ( 0, 63, -65, -63, -47, -45, -29, -27, -11 )
// CHECK-NEXT: ( ( -1, -1, -1, -1, -1 ), ( -1, 1, 0, -1, -1 ), ( 1, 1, 0, -1, -1 ), ( 1, 1, 0, -1, 0 ), ( 1, 1, 1, 1, 1 ), ( 0, 1, 0, -1, 0 ), ( 0, 1, 1, 1, 1 ), ( -1, 1, 0, -1, 0 ), ( -1, 1, 1, 1, 1 ) )
func.func @main() {
  %c0 = arith.constant 0 : index
  %pad = arith.constant 0 : i8
  %w = ternary.constant dense<[70, 160]> : tensor<2xui8> as !ternary.matrix<2x4>
  %b, %q, %t = call @pack(%w) : (!ternary.matrix<2x4>) -> (tensor<8xi8>, tensor<2xi8>, tensor<2x4xi8>)
  %0 = vector.transfer_read %b[%c0], %pad : tensor<8xi8>, vector<8xi8>
  vector.print %0 : vector<8xi8>
  %1 = vector.transfer_read %q[%c0], %pad : tensor<2xi8>, vector<2xi8>
  vector.print %1 : vector<2xi8>
  %2 = vector.transfer_read %t[%c0, %c0], %pad : tensor<2x4xi8>, vector<2x4xi8>
  vector.print %2 : vector<2x4xi8>
  %fives = ternary.constant dense<[0, 84, 24, 84, 26, 84, 26, 85, 170, 86, 25, 85, 169, 86, 24, 85, 168, 86]> : tensor<18xui8> as !ternary.matrix<9x5>
  %fb, %ft = call @pack_fives(%fives) : (!ternary.matrix<9x5>) -> (tensor<9xi8>, tensor<9x5xi8>)
  %3 = vector.transfer_read %fb[%c0], %pad : tensor<9xi8>, vector<9xi8>
  vector.print %3 : vector<9xi8>
  %4 = vector.transfer_read %ft[%c0, %c0], %pad : tensor<9x5xi8>, vector<9x5xi8>
  vector.print %4 : vector<9x5xi8>
  return
}
