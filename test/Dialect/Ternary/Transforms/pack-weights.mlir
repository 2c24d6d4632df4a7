// RUN: tern-opt %s --ternary-pack-weights | FileCheck %s --check-prefixes=CHECK,I2
// RUN: tern-opt %s --ternary-pack-weights=encoding=t5 | FileCheck %s --check-prefixes=CHECK,T5
// RUN: not tern-opt %s --ternary-pack-weights=encoding=i4 2>&1 | FileCheck %s --check-prefix=ENCODING
// RUN: not tern-opt %s --ternary-pack-weights=tile=3 2>&1 | FileCheck %s --check-prefix=TILE
// RUN: not tern-opt %s --ternary-pack-weights=tile=0 2>&1 | FileCheck %s --check-prefix=NOTILE
// ENCODING: error: unknown encoding 'i4'; expected auto, i2 or t5
// TILE: error: tile of 3 rows; expected 0 or a power of two up to 256
// NOTILE: error: tile of 0 rows; expected a power of two up to 256

// Whole tiles and, in i2, whole steps: nothing is cut. Both products use the same
// bytes. Rows of activations are 17 lines of 64 bytes apart, an odd number: 16 hold
// them, or 16 and a part of one.
// CHECK-LABEL: func.func @whole(
// CHECK:       %[[B:.*]] = arith.constant dense_resource<{{.*}}> : tensor<[[#]]xi8>
// CHECK:       %[[WIDE:.*]] = tensor.pad %arg0 low[0, 0] high[0, 64]
// CHECK:       : tensor<?x1024xi8> to tensor<?x1088xi8>
// I2:          %[[X:.*]] = tensor.extract_slice %[[WIDE]][0, 0] [%{{.*}}, 1024] [1, 1] : tensor<?x1088xi8> to tensor<?x1024xi8>
// T5:          %[[X:.*]] = tensor.extract_slice %[[WIDE]][0, 0] [%{{.*}}, 1040] [1, 1] : tensor<?x1088xi8> to tensor<?x1040xi8>
// CHECK:       %[[Y:.*]] = ternary.packed_matmul !ternary.matrix<32x1024, #ternary.layout<{{i2|t5}}, tile = 16>> ins(%[[X]], %[[B]] :
// CHECK-NOT:   tensor.extract_slice %[[Y]]
// CHECK:       tensor.pad %arg1 low[0, 0] high[0, 64]
// CHECK:       ternary.packed_matmul !ternary.matrix<32x1024, #ternary.layout<{{i2|t5}}, tile = 16>> ins(%{{.*}}, %[[B]] :
// CHECK-NOT:   tensor.extract_slice
func.func @whole(%x: tensor<?x1024xi8>, %z: tensor<2x1024xi8>) -> (tensor<?x32xi32>, tensor<2x32xi32>) {
  %w = ternary.constant dense<85> : tensor<8192xui8> as !ternary.matrix<32x1024>
  %y = ternary.matmul %x, %w : (tensor<?x1024xi8>, !ternary.matrix<32x1024>) -> tensor<?x32xi32>
  %v = ternary.matmul %z, %w : (tensor<2x1024xi8>, !ternary.matrix<32x1024>) -> tensor<2x32xi32>
  return %y, %v : tensor<?x32xi32>, tensor<2x32xi32>
}

// CHECK-LABEL: func.func @parts(
// CHECK:       tensor.pad %arg0 low[0, 0] high[0, [[#PAD:]]]
// I2:          : tensor<?x4xi8> to tensor<?x16xi8>
// T5:          : tensor<?x4xi8> to tensor<?x20xi8>
// CHECK:       %[[M:.*]] = tensor.dim
// CHECK:       %[[INIT:.*]] = tensor.empty(%[[M]]) : tensor<?x16xi32>
// CHECK:       %[[Y:.*]] = ternary.packed_matmul !ternary.matrix<2x4, #ternary.layout<{{i2|t5}}, tile = 16>>
// CHECK-SAME:  outs(%[[INIT]] : tensor<?x16xi32>)
// CHECK:       tensor.extract_slice %[[Y]][0, 0] [%[[M]], 2] [1, 1] : tensor<?x16xi32> to tensor<?x2xi32>
func.func @parts(%x: tensor<?x4xi8>) -> tensor<?x2xi32> {
  %w = ternary.constant dense<[70, 160]> : tensor<2xui8> as !ternary.matrix<2x4>
  %y = ternary.matmul %x, %w : (tensor<?x4xi8>, !ternary.matrix<2x4>) -> tensor<?x2xi32>
  return %y : tensor<?x2xi32>
}

// Three lines are an odd number, and hold all columns; a row of one line or less
// takes what it needs.
// CHECK-LABEL: func.func @lines(
// I2-NOT:      tensor.pad
// T5:          tensor.pad %arg0 low[0, 0] high[0, 128]
// T5:          tensor.extract_slice %{{.*}} : tensor<?x320xi8> to tensor<?x200xi8>
// CHECK:       ternary.packed_matmul
// I2:          tensor.pad %arg1 low[0, 0] high[0, 4]
// CHECK-NOT:   tensor.{{pad|extract_slice}}
// CHECK:       ternary.packed_matmul
func.func @lines(%x: tensor<?x192xi8>, %z: tensor<?x60xi8>) -> (tensor<?x16xi32>, tensor<?x16xi32>) {
  %w = ternary.constant dense<85> : tensor<768xui8> as !ternary.matrix<16x192>
  %y = ternary.matmul %x, %w : (tensor<?x192xi8>, !ternary.matrix<16x192>) -> tensor<?x16xi32>
  %s = ternary.constant dense<85> : tensor<240xui8> as !ternary.matrix<16x60>
  %v = ternary.matmul %z, %s : (tensor<?x60xi8>, !ternary.matrix<16x60>) -> tensor<?x16xi32>
  return %y, %v : tensor<?x16xi32>, tensor<?x16xi32>
}

// Floats are read one by one, wherever their lines are: zeros fill up a step, and no
// line. Whole steps are what they were.
// CHECK-LABEL: func.func @floats(
// CHECK-SAME:  %[[X:.*]]: tensor<?x200xf32>, %[[Z:.*]]: tensor<3x320xf32>)
// I2:          %[[ZERO:.*]] = arith.constant 0.000000e+00 : f32
// I2:          %[[PADDED:.*]] = tensor.pad %[[X]] low[0, 0] high[0, 8]
// I2:          tensor.yield %[[ZERO]] : f32
// I2-NEXT:     } : tensor<?x200xf32> to tensor<?x208xf32>
// T5-NOT:      tensor.pad
// CHECK-NOT:   tensor.extract_slice
// CHECK:       %[[INIT:.*]] = tensor.empty(%{{.*}}) : tensor<?x32xf32>
// I2:          %[[Y:.*]] = ternary.packed_matmul !ternary.matrix<17x200, #ternary.layout<i2, tile = 16>> ins(%[[PADDED]], %{{.*}} : tensor<?x208xf32>, tensor<1664xi8>) outs(%[[INIT]] : tensor<?x32xf32>) -> tensor<?x32xf32>
// T5:          %[[Y:.*]] = ternary.packed_matmul !ternary.matrix<17x200, #ternary.layout<t5, tile = 16>> ins(%[[X]], %{{.*}} : tensor<?x200xf32>, tensor<1280xi8>) outs(%[[INIT]] : tensor<?x32xf32>) -> tensor<?x32xf32>
// CHECK:       tensor.extract_slice %[[Y]][0, 0] [%{{.*}}, 17] [1, 1] : tensor<?x32xf32> to tensor<?x17xf32>
// CHECK-NOT:   tensor.{{pad|extract_slice}}
// CHECK:       ternary.packed_matmul !ternary.matrix<16x320, #ternary.layout<{{i2|t5}}, tile = 16>> ins(%[[Z]], %{{.*}} : tensor<3x320xf32>, tensor<[[#]]xi8>) outs(%{{.*}} : tensor<3x16xf32>) -> tensor<3x16xf32>
// CHECK-NOT:   ternary.matmul
func.func @floats(%x: tensor<?x200xf32>, %z: tensor<3x320xf32>) -> (tensor<?x17xf32>, tensor<3x16xf32>) {
  %w = ternary.constant dense<85> : tensor<850xui8> as !ternary.matrix<17x200>
  %y = ternary.matmul %x, %w : (tensor<?x200xf32>, !ternary.matrix<17x200>) -> tensor<?x17xf32>
  %s = ternary.constant dense<85> : tensor<1280xui8> as !ternary.matrix<16x320>
  %v = ternary.matmul %z, %s : (tensor<3x320xf32>, !ternary.matrix<16x320>) -> tensor<3x16xf32>
  return %y, %v : tensor<?x17xf32>, tensor<3x16xf32>
}

// A product of floats and one of bytes use the same weights.
// CHECK-LABEL: func.func @shared(
// CHECK:       %[[B:.*]] = arith.constant dense<{{.*}}> : tensor<[[#]]xi8>
// CHECK:       ternary.packed_matmul {{.*}} ins(%{{.*}}, %[[B]] : tensor<1x80xf32>,
// CHECK:       ternary.packed_matmul {{.*}} ins(%{{.*}}, %[[B]] : tensor<1x80xi8>,
func.func @shared(%f: tensor<1x80xf32>, %x: tensor<1x80xi8>) -> (tensor<1x16xf32>, tensor<1x16xi32>) {
  %w = ternary.constant dense<85> : tensor<320xui8> as !ternary.matrix<16x80>
  %0 = ternary.matmul %f, %w : (tensor<1x80xf32>, !ternary.matrix<16x80>) -> tensor<1x16xf32>
  %1 = ternary.matmul %x, %w : (tensor<1x80xi8>, !ternary.matrix<16x80>) -> tensor<1x16xi32>
  return %0, %1 : tensor<1x16xf32>, tensor<1x16xi32>
}

// Groups have sums of their own, also of floats, and what is no constant cannot be
// packed at compile time.
// CHECK-LABEL: func.func @stays(
// CHECK-NOT:   ternary.packed_matmul
// CHECK-COUNT-4: ternary.matmul
// CHECK-NOT:   ternary.packed_matmul
func.func @stays(%x: tensor<?x4xi8>, %f: tensor<?x4xf32>, %v: !ternary.matrix<2x4>) -> (tensor<?x2x2xf32>, tensor<?x2x2xi32>, tensor<?x2xf32>, tensor<?x2xi32>) {
  %w = ternary.constant dense<[70, 160]> : tensor<2xui8> as !ternary.matrix<2x4>
  %0 = ternary.matmul %f, %w : (tensor<?x4xf32>, !ternary.matrix<2x4>) -> tensor<?x2x2xf32>
  %1 = ternary.matmul %x, %w : (tensor<?x4xi8>, !ternary.matrix<2x4>) -> tensor<?x2x2xi32>
  %2 = ternary.matmul %f, %v : (tensor<?x4xf32>, !ternary.matrix<2x4>) -> tensor<?x2xf32>
  %3 = ternary.matmul %x, %v : (tensor<?x4xi8>, !ternary.matrix<2x4>) -> tensor<?x2xi32>
  return %0, %1, %2, %3 : tensor<?x2x2xf32>, tensor<?x2x2xi32>, tensor<?x2xf32>, tensor<?x2xi32>
}
