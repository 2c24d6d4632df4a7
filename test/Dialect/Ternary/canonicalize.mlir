// RUN: tern-opt %s --canonicalize | FileCheck %s

#tiled = #ternary.layout<i2, tile = 2>
#t5 = #ternary.layout<t5>

// The rows 1 0 -1 0 and -1 -1 1 1 are the codes 2 1 0 1 and 0 0 2 2.
// CHECK-LABEL: func.func @unpack_constant
// CHECK-NEXT:  %[[T:.*]] = arith.constant dense<{{\[\[}}1, 0, -1, 0], [-1, -1, 1, 1]]> : tensor<2x4xi8>
// CHECK-NEXT:  return %[[T]]
func.func @unpack_constant() -> tensor<2x4xi8> {
  %w = ternary.constant dense<[70, 160]> : tensor<2xui8> as !ternary.matrix<2x4>
  %t = ternary.unpack %w : !ternary.matrix<2x4> to tensor<2x4xi8>
  return %t : tensor<2x4xi8>
}

// Five codes a byte, the fifth being padding. The last four are the number
// 1*27 + 0*9 + 1*3 + 1 = 31, so the first row is 64*2 + 31 = 159; those of the
// second 0*27 + 2*9 + 2*3 + 1 = 25, which is 64*0 + 25.
// CHECK-LABEL: func.func @pack_constant_t5
// CHECK-NEXT:  ternary.constant dense<[159, 25]> : tensor<2xui8> as !ternary.matrix<2x4, #ternary.layout<t5>>
func.func @pack_constant_t5() -> !ternary.matrix<2x4, #t5> {
  %w = ternary.constant dense<[70, 160]> : tensor<2xui8> as !ternary.matrix<2x4>
  %p = ternary.pack %w : !ternary.matrix<2x4> to !ternary.matrix<2x4, #t5>
  return %p : !ternary.matrix<2x4, #t5>
}

// Numbers up to 63 have the first code in the two highest bits. Those from 64 on
// have 51 bytes of their own, from 193 on: 17 for the first code 2, then, a byte
// further, 1 and 0.
// CHECK-LABEL: func.func @unpack_constant_t5
// CHECK-NEXT:  arith.constant dense<{{\[\[}}-1, -1, -1, -1, -1], [-1, 1, 0, -1, -1], [1, 1, 0, -1, -1],
// CHECK-SAME:    [1, 1, 0, -1, 0], [1, 1, 1, 1, 1], [0, 1, 0, -1, 0], [0, 1, 1, 1, 1], [-1, 1, 0, -1, 0], [-1, 1, 1, 1, 1]]> : tensor<9x5xi8>
func.func @unpack_constant_t5() -> tensor<9x5xi8> {
  %w = ternary.constant dense<[0, 63, 191, 193, 209, 211, 227, 229, 245]> : tensor<9xui8> as !ternary.matrix<9x5, #t5>
  %t = ternary.unpack %w : !ternary.matrix<9x5, #t5> to tensor<9x5xi8>
  return %t : tensor<9x5xi8>
}

// CHECK-LABEL: func.func @repack_constant_t5
// CHECK-NEXT:  ternary.constant dense<[0, 63, 191, 193, 209, 211, 227, 229, 245]>
func.func @repack_constant_t5() -> !ternary.matrix<9x5, #t5> {
  %w = ternary.constant dense<[0, 84, 24, 84, 26, 84, 26, 85, 170, 86, 25, 85, 169, 86, 24, 85, 168, 86]> : tensor<18xui8> as !ternary.matrix<9x5>
  %p = ternary.pack %w : !ternary.matrix<9x5> to !ternary.matrix<9x5, #t5>
  return %p : !ternary.matrix<9x5, #t5>
}

// One step of a tile of two rows: byte 4l + i holds column i of row l in its
// lowest code; planes 1 to 3 are padding, 84 in all.
// CHECK-LABEL: func.func @pack_constant_tiled
// CHECK-NEXT:  ternary.constant dense<[86, 85, 84, 85, 84, 84, 86, 86]> : tensor<8xui8>
func.func @pack_constant_tiled() -> !ternary.matrix<2x4, #tiled> {
  %w = ternary.constant dense<[70, 160]> : tensor<2xui8> as !ternary.matrix<2x4>
  %p = ternary.pack %w : !ternary.matrix<2x4> to !ternary.matrix<2x4, #tiled>
  return %p : !ternary.matrix<2x4, #tiled>
}

// The bytes of a splat are as many as its rows need.
// CHECK-LABEL: func.func @stack_constants
// CHECK-NEXT:  ternary.constant dense<[70, 160, 85, 85, 100]> : tensor<5xui8> as !ternary.matrix<5x4>
func.func @stack_constants() -> !ternary.matrix<5x4> {
  %v = ternary.constant dense<[70, 160]> : tensor<2xui8> as !ternary.matrix<2x4>
  %z = ternary.constant dense<85> : tensor<2xui8> as !ternary.matrix<2x4>
  %w = ternary.constant dense<[100]> : tensor<1xui8> as !ternary.matrix<1x4>
  %s = ternary.stack %v, %z, %w : !ternary.matrix<2x4>, !ternary.matrix<2x4>, !ternary.matrix<1x4> to !ternary.matrix<5x4>
  return %s : !ternary.matrix<5x4>
}

// CHECK-LABEL: func.func @stack_of_one
// CHECK-NEXT:  return %arg0
func.func @stack_of_one(%w: !ternary.matrix<2x4>) -> !ternary.matrix<2x4> {
  %s = ternary.stack %w : !ternary.matrix<2x4> to !ternary.matrix<2x4>
  return %s : !ternary.matrix<2x4>
}

// One of them is not known.
// CHECK-LABEL: func.func @stack_unknown
// CHECK:       ternary.stack
func.func @stack_unknown(%v: !ternary.matrix<2x4>) -> !ternary.matrix<3x4, #tiled> {
  %w = ternary.constant dense<[100]> : tensor<1xui8> as !ternary.matrix<1x4>
  %s = ternary.stack %v, %w : !ternary.matrix<2x4>, !ternary.matrix<1x4> to !ternary.matrix<3x4>
  %p = ternary.pack %s : !ternary.matrix<3x4> to !ternary.matrix<3x4, #tiled>
  return %p : !ternary.matrix<3x4, #tiled>
}

// CHECK-LABEL: func.func @bytes_of_constant
// CHECK-NEXT:  arith.constant dense<[70, -96]> : tensor<2xi8>
func.func @bytes_of_constant() -> tensor<2xi8> {
  %w = ternary.constant dense<[70, 160]> : tensor<2xui8> as !ternary.matrix<2x4>
  %b = ternary.bytes %w : !ternary.matrix<2x4> to tensor<2xi8>
  return %b : tensor<2xi8>
}

// CHECK-LABEL: func.func @splat
// CHECK-NEXT:  arith.constant dense<0> : tensor<2x4xi8>
func.func @splat() -> tensor<2x4xi8> {
  %w = ternary.constant dense<85> : tensor<2xui8> as !ternary.matrix<2x4>
  %t = ternary.unpack %w : !ternary.matrix<2x4> to tensor<2x4xi8>
  return %t : tensor<2x4xi8>
}

// CHECK-LABEL: func.func @empty
// CHECK-NEXT:  arith.constant dense<> : tensor<0xi8>
func.func @empty() -> tensor<0xi8> {
  %w = ternary.constant dense<> : tensor<0xui8> as !ternary.matrix<0x4>
  %p = ternary.pack %w : !ternary.matrix<0x4> to !ternary.matrix<0x4, #tiled>
  %b = ternary.bytes %p : !ternary.matrix<0x4, #tiled> to tensor<0xi8>
  return %b : tensor<0xi8>
}

// The blob of a resource is shared, not copied.
// CHECK-LABEL: func.func @bytes_of_resource
// CHECK-NEXT:  arith.constant dense_resource<w> : tensor<2xi8>
func.func @bytes_of_resource() -> tensor<2xi8> {
  %w = ternary.constant dense_resource<w> : tensor<2xui8> as !ternary.matrix<2x4>
  %b = ternary.bytes %w : !ternary.matrix<2x4> to tensor<2xi8>
  return %b : tensor<2xi8>
}

// CHECK-LABEL: func.func @resource
// CHECK-NEXT:  arith.constant dense<{{\[\[}}1, 0, -1, 0], [-1, -1, 1, 1]]> : tensor<2x4xi8>
func.func @resource() -> tensor<2x4xi8> {
  %w = ternary.constant dense_resource<w> : tensor<2xui8> as !ternary.matrix<2x4>
  %t = ternary.unpack %w : !ternary.matrix<2x4> to tensor<2x4xi8>
  return %t : tensor<2x4xi8>
}

// Bytes that are not at hand cannot be repacked.
// CHECK-LABEL: func.func @elided
// CHECK:       ternary.pack
func.func @elided() -> !ternary.matrix<2x4, #t5> {
  %w = ternary.constant dense_resource<elsewhere> : tensor<2xui8> as !ternary.matrix<2x4>
  %p = ternary.pack %w : !ternary.matrix<2x4> to !ternary.matrix<2x4, #t5>
  return %p : !ternary.matrix<2x4, #t5>
}

// More than 4,096 bytes become a resource, which no one hashes.
// CHECK-LABEL: func.func @large
// CHECK-NEXT:  ternary.constant dense_resource<trits> : tensor<4100xui8>
func.func @large() -> !ternary.matrix<4100x4, #t5> {
  %w = ternary.constant dense<85> : tensor<4100xui8> as !ternary.matrix<4100x4>
  %p = ternary.pack %w : !ternary.matrix<4100x4> to !ternary.matrix<4100x4, #t5>
  return %p : !ternary.matrix<4100x4, #t5>
}

// CHECK-LABEL: func.func @pack_to_itself(
// CHECK-SAME:  %[[W:.*]]: !ternary.matrix<2x4>)
// CHECK-NEXT:  return %[[W]]
func.func @pack_to_itself(%w: !ternary.matrix<2x4>) -> !ternary.matrix<2x4> {
  %p = ternary.pack %w : !ternary.matrix<2x4> to !ternary.matrix<2x4>
  return %p : !ternary.matrix<2x4>
}

// CHECK-LABEL: func.func @pack_of_pack(
// CHECK-SAME:  %[[W:.*]]: !ternary.matrix<2x4>)
// CHECK-NEXT:  %[[P:.*]] = ternary.pack %[[W]] : !ternary.matrix<2x4> to !ternary.matrix<2x4, #ternary.layout<t5>>
// CHECK-NEXT:  return %[[W]], %[[P]]
func.func @pack_of_pack(%w: !ternary.matrix<2x4>) -> (!ternary.matrix<2x4>, !ternary.matrix<2x4, #t5>) {
  %p = ternary.pack %w : !ternary.matrix<2x4> to !ternary.matrix<2x4, #tiled>
  %same = ternary.pack %p : !ternary.matrix<2x4, #tiled> to !ternary.matrix<2x4>
  %other = ternary.pack %p : !ternary.matrix<2x4, #tiled> to !ternary.matrix<2x4, #t5>
  return %same, %other : !ternary.matrix<2x4>, !ternary.matrix<2x4, #t5>
}

// Layouts change no value.
// CHECK-LABEL: func.func @users_of_pack(
// CHECK-NOT:   ternary.pack
func.func @users_of_pack(%x: tensor<?x4xi8>, %w: !ternary.matrix<2x4>) -> (tensor<2x4xi8>, tensor<?x2xi32>) {
  %p = ternary.pack %w : !ternary.matrix<2x4> to !ternary.matrix<2x4, #tiled>
  %t = ternary.unpack %p : !ternary.matrix<2x4, #tiled> to tensor<2x4xi8>
  %y = ternary.matmul %x, %p : (tensor<?x4xi8>, !ternary.matrix<2x4, #tiled>) -> tensor<?x2xi32>
  return %t, %y : tensor<2x4xi8>, tensor<?x2xi32>
}

// CHECK-LABEL: func.func @zero_weights(
// CHECK-NEXT:  arith.constant dense<0> : tensor<3x2xi32>
// CHECK-NEXT:  return
func.func @zero_weights(%x: tensor<3x4xi8>) -> tensor<3x2xi32> {
  %w = ternary.constant dense<85> : tensor<2xui8> as !ternary.matrix<2x4>
  %y = ternary.matmul %x, %w : (tensor<3x4xi8>, !ternary.matrix<2x4>) -> tensor<3x2xi32>
  return %y : tensor<3x2xi32>
}

// CHECK-LABEL: func.func @some_weights(
// CHECK:       ternary.matmul
func.func @some_weights(%x: tensor<3x4xi8>) -> tensor<3x2xi32> {
  %w = ternary.constant dense<[85, 84]> : tensor<2xui8> as !ternary.matrix<2x4>
  %y = ternary.matmul %x, %w : (tensor<3x4xi8>, !ternary.matrix<2x4>) -> tensor<3x2xi32>
  return %y : tensor<3x2xi32>
}

// CHECK-LABEL: func.func @no_columns(
// CHECK-NEXT:  arith.constant dense<0.000000e+00> : tensor<3x2xf32>
func.func @no_columns(%x: tensor<3x0xf32>, %w: !ternary.matrix<2x0>) -> tensor<3x2xf32> {
  %y = ternary.matmul %x, %w : (tensor<3x0xf32>, !ternary.matrix<2x0>) -> tensor<3x2xf32>
  return %y : tensor<3x2xf32>
}

// CHECK-LABEL: func.func @no_tokens(
// CHECK-NEXT:  arith.constant dense<0> : tensor<0x2xi32>
func.func @no_tokens(%x: tensor<0x4xi8>, %w: !ternary.matrix<2x4>) -> tensor<0x2xi32> {
  %y = ternary.matmul %x, %w : (tensor<0x4xi8>, !ternary.matrix<2x4>) -> tensor<0x2xi32>
  return %y : tensor<0x2xi32>
}

{-#
  dialect_resources: {
    builtin: {
      w: "0x0100000046A0"
    }
  }
#-}
