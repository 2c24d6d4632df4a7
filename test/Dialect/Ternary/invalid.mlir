// RUN: tern-opt %s --split-input-file --verify-diagnostics

// expected-error @below {{tile of 3 rows; expected 0 or a power of two up to 256}}
func.func private @tile(!ternary.matrix<1x1, #ternary.layout<i2, tile = 3>>)

// -----

func.func private @largest_tile(!ternary.matrix<1x1, #ternary.layout<i2, tile = 256>>)
// expected-error @below {{tile of 512 rows; expected 0 or a power of two up to 256}}
func.func private @tile(!ternary.matrix<1x1, #ternary.layout<i2, tile = 512>>)

// -----

// expected-error @below {{a ternary matrix has 2 dimensions, found 3}}
func.func private @rank(!ternary.matrix<1x2x3>)

// -----

func.func private @most_columns(!ternary.matrix<1x16777215>)
// expected-error @below {{has 16777216 columns; expected at most 16777215, so that a sum fits i32}}
func.func private @columns(!ternary.matrix<1x16777216>)

// -----

func.func private @most_rows(!ternary.matrix<4294967296x1>)
// expected-error @below {{has 4294967297 rows; expected at most 2^32}}
func.func private @rows(!ternary.matrix<4294967297x1>)

// -----

func.func private @rule1() attributes {a = #ternary.quantization<step, half_up, eps = 0.0, qmin = -127>}
// expected-error @below {{eps must be a finite f32 that is not negative}}
func.func private @rule2() attributes {a = #ternary.quantization<step, half_up, eps = -1.0, qmin = -127>}

// -----

// expected-error @below {{qmin is -126; expected -128 or -127}}
func.func private @rule3() attributes {a = #ternary.quantization<step, half_up, eps = 1.0, qmin = -126>}

// -----

func.func @bit_linear_rank(%x: tensor<f32>, %w: !ternary.matrix<3x4>, %s: tensor<1xf32>) {
  // expected-error @below {{x has rank 0; expected a last dimension of features}}
  ternary.bit_linear %x, %w, %s : (tensor<f32>, !ternary.matrix<3x4>, tensor<1xf32>) -> tensor<f32>
  return
}

// -----

func.func @bit_linear_result_rank(%x: tensor<2x4xf32>, %w: !ternary.matrix<3x4>, %s: tensor<1xf32>) {
  // expected-error @below {{result has rank 1; expected 2, the rank of x}}
  ternary.bit_linear %x, %w, %s : (tensor<2x4xf32>, !ternary.matrix<3x4>, tensor<1xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @bit_linear_columns(%x: tensor<2x5xf32>, %w: !ternary.matrix<3x4>, %s: tensor<1xf32>) {
  // expected-error @below {{last dimension of x is 5; expected 4, the columns of the weights}}
  ternary.bit_linear %x, %w, %s : (tensor<2x5xf32>, !ternary.matrix<3x4>, tensor<1xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @bit_linear_rows(%x: tensor<2x4xf32>, %w: !ternary.matrix<3x4>, %s: tensor<1xf32>) {
  // expected-error @below {{last dimension of the result is 4; expected 3, the rows of the weights}}
  ternary.bit_linear %x, %w, %s : (tensor<2x4xf32>, !ternary.matrix<3x4>, tensor<1xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @bit_linear_tokens(%x: tensor<2x4xf32>, %d: tensor<?x4xf32>, %w: !ternary.matrix<3x4>, %s: tensor<1xf32>) {
  ternary.bit_linear %d, %w, %s : (tensor<?x4xf32>, !ternary.matrix<3x4>, tensor<1xf32>) -> tensor<9x3xf32>
  // expected-error @below {{dimension 0 of the result is 9; expected 2, that of x}}
  ternary.bit_linear %x, %w, %s : (tensor<2x4xf32>, !ternary.matrix<3x4>, tensor<1xf32>) -> tensor<9x3xf32>
  return
}

// -----

func.func @bit_linear_element(%x: tensor<2x4xf16>, %w: !ternary.matrix<3x4>, %s: tensor<1xf32>) {
  // expected-error @below {{result has elements of 'f32'; expected 'f16'}}
  ternary.bit_linear %x, %w, %s : (tensor<2x4xf16>, !ternary.matrix<3x4>, tensor<1xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @bit_linear_scale_rank(%x: tensor<2x4xf32>, %w: !ternary.matrix<3x4>, %s: tensor<3x1x1xf32>) {
  // expected-error @below {{scale has rank 3; expected 1 or 2}}
  ternary.bit_linear %x, %w, %s : (tensor<2x4xf32>, !ternary.matrix<3x4>, tensor<3x1x1xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @bit_linear_scale(%x: tensor<2x4xf32>, %w: !ternary.matrix<3x4>, %n: tensor<3xf32>, %s: tensor<2xf32>) {
  ternary.bit_linear %x, %w, %n : (tensor<2x4xf32>, !ternary.matrix<3x4>, tensor<3xf32>) -> tensor<2x3xf32>
  // expected-error @below {{scale has 2 elements in dimension 0; expected 1 or 3, the output features}}
  ternary.bit_linear %x, %w, %s : (tensor<2x4xf32>, !ternary.matrix<3x4>, tensor<2xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @bit_linear_group_rows(%x: tensor<2x4xf32>, %w: !ternary.matrix<3x4>, %s: tensor<1x2xf32>) {
  // expected-error @below {{scale has 1 elements in dimension 0; expected 3, the output features}}
  ternary.bit_linear %x, %w, %s : (tensor<2x4xf32>, !ternary.matrix<3x4>, tensor<1x2xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @bit_linear_groups(%x: tensor<2x4xf32>, %w: !ternary.matrix<3x4>, %g: tensor<3x4xf32>, %s: tensor<3x3xf32>) {
  ternary.bit_linear %x, %w, %g : (tensor<2x4xf32>, !ternary.matrix<3x4>, tensor<3x4xf32>) -> tensor<2x3xf32>
  // expected-error @below {{dimension 1 of scale is 3; expected a divisor of the 4 columns of the weights}}
  ternary.bit_linear %x, %w, %s : (tensor<2x4xf32>, !ternary.matrix<3x4>, tensor<3x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @bit_linear_no_groups(%x: tensor<2x4xf32>, %w: !ternary.matrix<3x4>, %s: tensor<3x0xf32>) {
  // expected-error @below {{dimension 1 of scale is 0; expected a divisor of the 4 columns of the weights}}
  ternary.bit_linear %x, %w, %s : (tensor<2x4xf32>, !ternary.matrix<3x4>, tensor<3x0xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @quantize_rows(%x: tensor<2x4xf32>) {
  // expected-error @below {{dimension 0 of the codes is 3; expected 2, that of x}}
  ternary.quantize %x, <step, half_up, eps = 1.0, qmin = -127> : tensor<2x4xf32> -> tensor<3x4xi8>, tensor<2xf32>
  return
}

// -----

func.func @quantize_columns(%x: tensor<2x4xf32>) {
  // expected-error @below {{dimension 1 of the codes is 5; expected 4, that of x}}
  ternary.quantize %x, <step, half_up, eps = 1.0, qmin = -127> : tensor<2x4xf32> -> tensor<2x5xi8>, tensor<2xf32>
  return
}

// -----

func.func @quantize_scales(%x: tensor<2x4xf32>) {
  // expected-error @below {{size of the scales is 4; expected 2, dimension 0 of x}}
  ternary.quantize %x, <step, half_up, eps = 1.0, qmin = -127> : tensor<2x4xf32> -> tensor<2x4xi8>, tensor<4xf32>
  return
}

// -----

// Codes times a scale that is rounded up would not fit i8.
func.func @quantize_short_scales(%x: tensor<2x4xf32>) {
  // expected-error @below {{scales of bf16 are given with the form 'quotient'; expected 'step', as they are rounded up}}
  ternary.quantize %x, <quotient, half_up, eps = 1.0, qmin = -127> : tensor<2x4xf32> -> tensor<2x4xi8>, tensor<2xbf16>
  return
}

// -----

func.func @matmul_element(%x: tensor<2x4xi8>, %w: !ternary.matrix<3x4>) {
  // expected-error @below {{result has elements of 'f32'; expected 'i32'}}
  ternary.matmul %x, %w : (tensor<2x4xi8>, !ternary.matrix<3x4>) -> tensor<2x3xf32>
  return
}

// -----

func.func @matmul_rank(%x: tensor<2x4xi8>, %w: !ternary.matrix<3x4>) {
  // expected-error @below {{result has rank 4; expected 2, or 3 with groups}}
  ternary.matmul %x, %w : (tensor<2x4xi8>, !ternary.matrix<3x4>) -> tensor<2x1x1x3xi32>
  return
}

// -----

func.func @matmul_columns(%x: tensor<2x5xi8>, %w: !ternary.matrix<3x4>) {
  // expected-error @below {{dimension 1 of x is 5; expected 4, the columns of the weights}}
  ternary.matmul %x, %w : (tensor<2x5xi8>, !ternary.matrix<3x4>) -> tensor<2x3xi32>
  return
}

// -----

func.func @matmul_tokens(%x: tensor<2x4xi8>, %w: !ternary.matrix<3x4>) {
  // expected-error @below {{dimension 0 of the result is 1; expected 2, that of x}}
  ternary.matmul %x, %w : (tensor<2x4xi8>, !ternary.matrix<3x4>) -> tensor<1x3xi32>
  return
}

// -----

func.func @matmul_rows(%x: tensor<2x4xi8>, %w: !ternary.matrix<3x4>) {
  // expected-error @below {{last dimension of the result is 4; expected 3, the rows of the weights}}
  ternary.matmul %x, %w : (tensor<2x4xi8>, !ternary.matrix<3x4>) -> tensor<2x4xi32>
  return
}

// -----

func.func @matmul_groups(%x: tensor<2x4xi8>, %w: !ternary.matrix<3x4>) {
  ternary.matmul %x, %w : (tensor<2x4xi8>, !ternary.matrix<3x4>) -> tensor<2x4x3xi32>
  // expected-error @below {{dimension 1 of the result is 3; expected a divisor of the 4 columns of the weights}}
  ternary.matmul %x, %w : (tensor<2x4xi8>, !ternary.matrix<3x4>) -> tensor<2x3x3xi32>
  return
}

// -----

func.func @matmul_unknown_groups(%x: tensor<2x4xi8>, %w: !ternary.matrix<3x4>) {
  // expected-error @below {{dimension 1 of the result is ?; expected a divisor of the 4 columns of the weights}}
  ternary.matmul %x, %w : (tensor<2x4xi8>, !ternary.matrix<3x4>) -> tensor<2x?x3xi32>
  return
}

// -----

func.func @rescale_rank(%acc: tensor<3xi32>, %s: tensor<1xf32>) {
  // expected-error @below {{acc has rank 1; expected 2, or 3 with groups}}
  ternary.rescale %acc, %s : (tensor<3xi32>, tensor<1xf32>) -> tensor<1x3xf32>
  return
}

// -----

func.func @rescale_tokens(%acc: tensor<2x3xi32>, %s: tensor<1xf32>) {
  // expected-error @below {{dimension 0 of the result is 1; expected 2, that of acc}}
  ternary.rescale %acc, %s : (tensor<2x3xi32>, tensor<1xf32>) -> tensor<1x3xf32>
  return
}

// -----

func.func @rescale_rows(%acc: tensor<2x4x3xi32>, %s: tensor<3x4xf32>) {
  // expected-error @below {{dimension 1 of the result is 4; expected 3, the last of acc}}
  ternary.rescale %acc, %s : (tensor<2x4x3xi32>, tensor<3x4xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @rescale_scale(%acc: tensor<2x3xi32>, %s: tensor<2xf32>) {
  // expected-error @below {{scale has 2 elements in dimension 0; expected 1 or 3, the output features}}
  ternary.rescale %acc, %s : (tensor<2x3xi32>, tensor<2xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @rescale_ungrouped(%acc: tensor<2x3xi32>, %s: tensor<3x1xf32>) {
  // expected-error @below {{acc has rank 2 and scale rank 2; expected 2 and 1, or 3 and 2 with groups}}
  ternary.rescale %acc, %s : (tensor<2x3xi32>, tensor<3x1xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @rescale_groups(%acc: tensor<2x4x3xi32>, %s: tensor<3x2xf32>) {
  // expected-error @below {{dimension 1 of scale is 2; expected 4, the groups of acc}}
  ternary.rescale %acc, %s : (tensor<2x4x3xi32>, tensor<3x2xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @rescale_activation_scales(%acc: tensor<2x3xi32>, %s: tensor<1xf32>, %a: tensor<3xf32>) {
  // expected-error @below {{size of the activation scales is 3; expected 2, dimension 0 of acc}}
  ternary.rescale %acc, %s by %a : (tensor<2x3xi32>, tensor<1xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @rescale_step(%acc: tensor<2x3xi32>, %s: tensor<1xf32>) {
  // expected-error @below {{has 'step' but no activation scales to multiply by}}
  ternary.rescale %acc, %s {step} : (tensor<2x3xi32>, tensor<1xf32>) -> tensor<2x3xf32>
  return
}

// -----

// expected-error @below {{has 3 bytes; expected 2 for '!ternary.matrix<2x4>'}}
%w = ternary.constant dense<85> : tensor<3xui8> as !ternary.matrix<2x4>

// -----

// expected-error @below {{bytes have the type 'tensor<2x1xui8>'; expected one dimension of i8 or ui8}}
%w = ternary.constant dense<85> : tensor<2x1xui8> as !ternary.matrix<2x4>

// -----

// expected-error @below {{bytes have the type 'tensor<2xi16>'; expected one dimension of i8 or ui8}}
%w = ternary.constant dense<85> : tensor<2xi16> as !ternary.matrix<2x4>

// -----

// expected-error @below {{bytes must be a dense attribute or a resource}}
%w = ternary.constant sparse<0, 85> : tensor<2xui8> as !ternary.matrix<2x4>

// -----

// 229 is 3211 in base four: the last field of the second row is 3.
// expected-error @below {{holds the code 3 at row 1, column 3; expected 0, 1 or 2}}
%w = ternary.constant dense<[85, 229]> : tensor<2xui8> as !ternary.matrix<2x4>

// -----

%valid = ternary.constant dense<245> : tensor<1xui8> as !ternary.matrix<1x5, #ternary.layout<t5>>
// expected-error @below {{holds the code 3 at row 0, column 0; expected 0, 1 or 2}}
%w = ternary.constant dense<246> : tensor<1xui8> as !ternary.matrix<1x5, #ternary.layout<t5>>

// -----

// Between the 17 bytes of two first codes is one that is none's.
// expected-error @below {{holds the code 3 at row 0, column 0; expected 0, 1 or 2}}
%w = ternary.constant dense<210> : tensor<1xui8> as !ternary.matrix<1x5, #ternary.layout<t5>>

// -----

%valid = ternary.constant dense<64> : tensor<1xui8> as !ternary.matrix<1x3>
// expected-error @below {{holds the code 0 in the padding at row 0, column 3; expected 1 (trit 0)}}
%w = ternary.constant dense<0> : tensor<1xui8> as !ternary.matrix<1x3>

// -----

// The second row of a tile, of a matrix that has one row.
// expected-error @below {{holds the code 0 in the padding at row 1, column 0; expected 1 (trit 0)}}
%w = ternary.constant dense<[85, 85, 85, 85, 84, 85, 85, 85]> : tensor<8xui8> as !ternary.matrix<1x16, #ternary.layout<i2, tile = 2>>

// -----

func.func @pack(%w: !ternary.matrix<3x4>) {
  // expected-error @below {{number of rows of the result is 4; expected 3, that of the source}}
  ternary.pack %w : !ternary.matrix<3x4> to !ternary.matrix<4x4>
  return
}

// -----

func.func @pack_columns(%w: !ternary.matrix<3x4>) {
  // expected-error @below {{number of columns of the result is 5; expected 4, that of the source}}
  ternary.pack %w : !ternary.matrix<3x4> to !ternary.matrix<3x5>
  return
}

// -----

// expected-error @below {{has no source; expected at least one}}
%s = "ternary.stack"() : () -> !ternary.matrix<0x4>

// -----

func.func @stack_rows(%v: !ternary.matrix<3x4>, %w: !ternary.matrix<2x4>) {
  // expected-error @below {{number of rows of the result is 6; expected 5, the sum over the sources}}
  ternary.stack %v, %w : !ternary.matrix<3x4>, !ternary.matrix<2x4> to !ternary.matrix<6x4>
  return
}

// -----

func.func @stack_columns(%v: !ternary.matrix<3x4>, %w: !ternary.matrix<2x5>) {
  // expected-error @below {{number of columns of a source is 5; expected 4, that of the result}}
  ternary.stack %v, %w : !ternary.matrix<3x4>, !ternary.matrix<2x5> to !ternary.matrix<5x4>
  return
}

// -----

func.func @stack_layouts(%v: !ternary.matrix<3x4>, %w: !ternary.matrix<2x4, #ternary.layout<t5>>) {
  // expected-error @below {{source is '!ternary.matrix<2x4, #ternary.layout<t5>>'; expected the layout of the result, '!ternary.matrix<5x4>'}}
  ternary.stack %v, %w : !ternary.matrix<3x4>, !ternary.matrix<2x4, #ternary.layout<t5>> to !ternary.matrix<5x4>
  return
}

// -----

func.func @stack_tiles(%w: !ternary.matrix<2x4, #ternary.layout<i2, tile = 2>>) {
  // expected-error @below {{result is '!ternary.matrix<2x4, #ternary.layout<i2, tile = 2>>'; expected a row-major layout}}
  ternary.stack %w : !ternary.matrix<2x4, #ternary.layout<i2, tile = 2>> to !ternary.matrix<2x4, #ternary.layout<i2, tile = 2>>
  return
}

// -----

func.func @unpack(%w: !ternary.matrix<3x4>) {
  // expected-error @below {{dimension 1 of the result is 5; expected 4, the columns of the source}}
  ternary.unpack %w : !ternary.matrix<3x4> to tensor<3x5xi8>
  return
}

// -----

func.func @unpack_rows(%w: !ternary.matrix<3x4>) {
  // expected-error @below {{dimension 0 of the result is ?; expected 3, the rows of the source}}
  ternary.unpack %w : !ternary.matrix<3x4> to tensor<?x4xi8>
  return
}

// -----

func.func @bytes(%w: !ternary.matrix<3x5>) {
  ternary.bytes %w : !ternary.matrix<3x5> to tensor<6xi8>
  // expected-error @below {{size of the result is 5; expected 6, the bytes of the source}}
  ternary.bytes %w : !ternary.matrix<3x5> to tensor<5xi8>
  return
}

// -----

func.func @packed_layout(%x: tensor<2x16xi8>, %b: tensor<64xi8>, %y: tensor<2x16xi32>) {
  // expected-error @below {{matrix is '!ternary.matrix<16x16>'; expected a tiled layout}}
  ternary.packed_matmul !ternary.matrix<16x16> ins(%x, %b : tensor<2x16xi8>, tensor<64xi8>) outs(%y : tensor<2x16xi32>) -> tensor<2x16xi32>
  return
}

// -----

func.func @packed_columns(%x: tensor<2x15xi8>, %b: tensor<64xi8>, %y: tensor<2x16xi32>) {
  // expected-error @below {{dimension 1 of x is 15; expected 16, the columns of the matrix in whole steps}}
  ternary.packed_matmul !ternary.matrix<15x15, #ternary.layout<i2, tile = 16>> ins(%x, %b : tensor<2x15xi8>, tensor<64xi8>) outs(%y : tensor<2x16xi32>) -> tensor<2x16xi32>
  return
}

// -----

func.func @packed_bytes(%x: tensor<2x16xi8>, %b: tensor<63xi8>, %y: tensor<2x16xi32>) {
  // expected-error @below {{number of bytes is 63; expected 64, the storage of the matrix}}
  ternary.packed_matmul !ternary.matrix<15x15, #ternary.layout<i2, tile = 16>> ins(%x, %b : tensor<2x16xi8>, tensor<63xi8>) outs(%y : tensor<2x16xi32>) -> tensor<2x16xi32>
  return
}

// -----

func.func @packed_tokens(%x: tensor<2x16xi8>, %b: tensor<64xi8>, %y: tensor<3x16xi32>) {
  // expected-error @below {{dimension 0 of init is 3; expected 2, that of x}}
  ternary.packed_matmul !ternary.matrix<15x15, #ternary.layout<i2, tile = 16>> ins(%x, %b : tensor<2x16xi8>, tensor<64xi8>) outs(%y : tensor<3x16xi32>) -> tensor<3x16xi32>
  return
}

// -----

func.func @packed_rows(%x: tensor<2x16xi8>, %b: tensor<64xi8>, %y: tensor<2x15xi32>) {
  // expected-error @below {{dimension 1 of init is 15; expected 16, the rows of the matrix in whole tiles}}
  ternary.packed_matmul !ternary.matrix<15x15, #ternary.layout<i2, tile = 16>> ins(%x, %b : tensor<2x16xi8>, tensor<64xi8>) outs(%y : tensor<2x15xi32>) -> tensor<2x15xi32>
  return
}

// -----

func.func @packed_bytes_to_floats(%x: memref<2x16xi8>, %b: memref<64xi8>, %y: memref<2x16xf32>) {
  // expected-error @below {{init has elements of 'f32'; expected 'i32'}}
  ternary.packed_matmul !ternary.matrix<15x15, #ternary.layout<i2, tile = 16>> ins(%x, %b : memref<2x16xi8>, memref<64xi8>) outs(%y : memref<2x16xf32>)
  return
}

// -----

func.func @packed_floats_to_integers(%x: tensor<2x16xf32>, %b: tensor<64xi8>, %y: tensor<2x16xi32>) {
  // expected-error @below {{init has elements of 'i32'; expected 'f32'}}
  ternary.packed_matmul !ternary.matrix<15x15, #ternary.layout<i2, tile = 16>> ins(%x, %b : tensor<2x16xf32>, tensor<64xi8>) outs(%y : tensor<2x16xi32>) -> tensor<2x16xi32>
  return
}

// -----

func.func @packed_result(%x: tensor<2x16xi8>, %b: tensor<64xi8>, %y: tensor<2x16xi32>) {
  // expected-error @below {{result is 'tensor<?x16xi32>'; expected 'tensor<2x16xi32>', the type of init}}
  ternary.packed_matmul !ternary.matrix<15x15, #ternary.layout<i2, tile = 16>> ins(%x, %b : tensor<2x16xi8>, tensor<64xi8>) outs(%y : tensor<2x16xi32>) -> tensor<?x16xi32>
  return
}

// -----

func.func @packed_no_result(%x: tensor<2x16xi8>, %b: tensor<64xi8>, %y: tensor<2x16xi32>) {
  // expected-error @below {{needs a result, since init is 'tensor<2x16xi32>'}}
  ternary.packed_matmul !ternary.matrix<15x15, #ternary.layout<i2, tile = 16>> ins(%x, %b : tensor<2x16xi8>, tensor<64xi8>) outs(%y : tensor<2x16xi32>)
  return
}

// -----

func.func @packed_buffer_result(%x: memref<2x16xi8>, %b: memref<64xi8>, %y: memref<2x16xi32>) {
  // expected-error @below {{cannot have a result, since init is 'memref<2x16xi32>'}}
  ternary.packed_matmul !ternary.matrix<15x15, #ternary.layout<i2, tile = 16>> ins(%x, %b : memref<2x16xi8>, memref<64xi8>) outs(%y : memref<2x16xi32>) -> tensor<2x16xi32>
  return
}

// -----

func.func @packed_mixed(%x: tensor<2x16xi8>, %b: memref<64xi8>, %y: memref<2x16xi32>) {
  // expected-error @below {{mixes tensors and memrefs: x is 'tensor<2x16xi8>', bytes are 'memref<64xi8>', init is 'memref<2x16xi32>'}}
  ternary.packed_matmul !ternary.matrix<15x15, #ternary.layout<i2, tile = 16>> ins(%x, %b : tensor<2x16xi8>, memref<64xi8>) outs(%y : memref<2x16xi32>)
  return
}

// -----

func.func @assert(%ok: i1, %n: index) {
  // expected-error @below {{has 1 texts and 1 values; expected one text more, values standing between them}}
  ternary.assert %ok, ["rows"], %n
  return
}

// -----

func.func @announce_no_streams(%weights: memref<1536xi8>) {
  // expected-error @below {{attribute 'streams' failed to satisfy constraint: 64-bit signless integer attribute whose value is positive}}
  ternary.announce %weights in 0 streams : memref<1536xi8>
  return
}

// -----

func.func @announce_rows(%weights: memref<96x16xi8>) {
  // expected-error @below {{operand #0 must be 1D memref of 8-bit signless integer values}}
  ternary.announce %weights in 4 streams : memref<96x16xi8>
  return
}

// -----

func.func @fetch_elements(%rows: memref<9x6xbf16>, %row: index, %target: memref<6xf16>) {
  // expected-error @below {{target is 'memref<6xf16>'; expected elements as those of 'memref<9x6xbf16>'}}
  ternary.fetch %rows[%row], %target : memref<9x6xbf16>, memref<6xf16>
  return
}

// -----

func.func @fetch_size(%rows: memref<9x6xf32>, %row: index, %target: memref<9xf32>) {
  // expected-error @below {{target is 'memref<9xf32>'; expected the static size of a row of 'memref<9x6xf32>'}}
  ternary.fetch %rows[%row], %target : memref<9x6xf32>, memref<9xf32>
  return
}

// -----

func.func @fetch_unknown_size(%rows: memref<9x?xf32>, %row: index, %target: memref<?xf32>) {
  // expected-error @below {{target is 'memref<?xf32>'; expected the static size of a row of 'memref<9x?xf32>'}}
  ternary.fetch %rows[%row], %target : memref<9x?xf32>, memref<?xf32>
  return
}

// -----

func.func @fetch_strides(%rows: memref<9x6xf32>, %row: index, %target: memref<6xf32, strided<[2]>>) {
  // expected-error @below {{has an operand of type 'memref<6xf32, strided<[2]>>'; expected a last dimension of stride 1}}
  ternary.fetch %rows[%row], %target : memref<9x6xf32>, memref<6xf32, strided<[2]>>
  return
}
