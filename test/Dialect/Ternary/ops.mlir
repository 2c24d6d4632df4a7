// RUN: tern-opt %s | tern-opt | FileCheck %s
// RUN: tern-opt %s --mlir-print-op-generic | tern-opt | FileCheck %s
// RUN: tern-opt %s --emit-bytecode | tern-opt | FileCheck %s

#rule = #ternary.quantization<reciprocal, half_even, eps = 1.0e-05, qmin = -128>
#i2 = #ternary.layout<i2, tile = 16>
#t5 = #ternary.layout<t5>

// CHECK-LABEL: func.func @types(
// CHECK-SAME:  : !ternary.matrix<96x64>, %{{.*}}: !ternary.matrix<0x0>,
// CHECK-SAME:  : !ternary.matrix<96x64, #ternary.layout<i2, tile = 16>>,
// CHECK-SAME:  : !ternary.matrix<96x64, #ternary.layout<t5>>)
func.func @types(%a: !ternary.matrix<96x64, #ternary.layout<i2>>, %b: !ternary.matrix<0x0>,
                 %c: !ternary.matrix<96x64, #i2>, %d: !ternary.matrix<96x64, #t5>) {
  return
}

// CHECK-LABEL: func.func @bit_linear(
func.func @bit_linear(%x: tensor<2x?x64xbf16>, %v: tensor<64xf32>, %w: !ternary.matrix<96x64>,
                      %s: tensor<1xf32>, %g: tensor<96x4xf32>) {
  // CHECK: ternary.bit_linear %{{.*}}, %{{.*}}, %{{.*}} {quantization = #ternary.quantization<reciprocal, half_even, eps = 9.99999974E-6, qmin = -128>}
  // CHECK-SAME: : (tensor<2x?x64xbf16>, !ternary.matrix<96x64>, tensor<1xf32>) -> tensor<2x?x96xbf16>
  %0 = ternary.bit_linear %x, %w, %s {quantization = #rule}
      : (tensor<2x?x64xbf16>, !ternary.matrix<96x64>, tensor<1xf32>) -> tensor<2x?x96xbf16>
  // CHECK: ternary.bit_linear %{{.*}}, %{{.*}}, %{{.*}} {scale_divides}
  // CHECK-SAME: : (tensor<64xf32>, !ternary.matrix<96x64>, tensor<96x4xf32>) -> tensor<96xf32>
  %1 = ternary.bit_linear %v, %w, %g {scale_divides}
      : (tensor<64xf32>, !ternary.matrix<96x64>, tensor<96x4xf32>) -> tensor<96xf32>
  return
}

// CHECK-LABEL: func.func @arithmetic(
func.func @arithmetic(%x: tensor<?x64xf32>, %w: !ternary.matrix<96x64>, %s: tensor<1xf32>, %g: tensor<96x2xf32>) {
  // CHECK: %[[Q:.*]], %[[S:.*]] = ternary.quantize %{{.*}}, <step, half_up, eps = 0.000000e+00, qmin = -127> : tensor<?x64xf32> -> tensor<?x64xi8>, tensor<?xf32>
  %q, %qs = ternary.quantize %x, <step, half_up, eps = 0.0, qmin = -127> : tensor<?x64xf32> -> tensor<?x64xi8>, tensor<?xf32>
  // CHECK: ternary.quantize %{{.*}}, <step, half_up, eps = 1.000000e+00, qmin = -127> : tensor<?x64xf32> -> tensor<?x64xi8>, tensor<?xbf16>
  %c, %cs = ternary.quantize %x, <step, half_up, eps = 1.0, qmin = -127> : tensor<?x64xf32> -> tensor<?x64xi8>, tensor<?xbf16>
  // CHECK: ternary.matmul %[[Q]], %{{.*}} : (tensor<?x64xi8>, !ternary.matrix<96x64>) -> tensor<?x96xi32>
  %0 = ternary.matmul %q, %w : (tensor<?x64xi8>, !ternary.matrix<96x64>) -> tensor<?x96xi32>
  // CHECK: ternary.matmul %{{.*}}, %{{.*}} : (tensor<?x64xf32>, !ternary.matrix<96x64>) -> tensor<?x2x96xf32>
  %1 = ternary.matmul %x, %w : (tensor<?x64xf32>, !ternary.matrix<96x64>) -> tensor<?x2x96xf32>
  // CHECK: ternary.rescale %{{.*}}, %{{.*}} by %[[S]] {scale_divides, step}
  %2 = ternary.rescale %0, %s by %qs {scale_divides, step} : (tensor<?x96xi32>, tensor<1xf32>, tensor<?xf32>) -> tensor<?x96xf32>
  // CHECK: ternary.rescale %{{.*}}, %{{.*}} : (tensor<?x2x96xf32>, tensor<96x2xf32>) -> tensor<?x96xf32>
  %3 = ternary.rescale %1, %g : (tensor<?x2x96xf32>, tensor<96x2xf32>) -> tensor<?x96xf32>
  return
}

// CHECK-LABEL: func.func @storage(
func.func @storage(%x: tensor<?x64xi8>, %init: tensor<?x96xi32>, %mx: memref<?x64xi8>, %mb: memref<1536xi8>, %my: memref<?x96xi32>) {
  // CHECK: ternary.constant dense<[70, 160]> : tensor<2xui8> as !ternary.matrix<2x4>
  %c = ternary.constant dense<[70, 160]> : tensor<2xui8> as !ternary.matrix<2x4>
  // A resource that is not given is legal: it has been elided.
  // CHECK: ternary.constant dense_resource<w> : tensor<1536xi8> as !ternary.matrix<96x64>
  %w = ternary.constant dense_resource<w> : tensor<1536xi8> as !ternary.matrix<96x64>
  // CHECK: ternary.pack %{{.*}} : !ternary.matrix<96x64> to !ternary.matrix<96x64, #ternary.layout<i2, tile = 16>>
  %p = ternary.pack %w : !ternary.matrix<96x64> to !ternary.matrix<96x64, #i2>
  // CHECK: ternary.stack %{{.*}}, %{{.*}} : !ternary.matrix<96x64>, !ternary.matrix<96x64> to !ternary.matrix<192x64>
  %s = ternary.stack %w, %w : !ternary.matrix<96x64>, !ternary.matrix<96x64> to !ternary.matrix<192x64>
  // CHECK: ternary.unpack %{{.*}} : !ternary.matrix<96x64> to tensor<96x64xi8>
  %t = ternary.unpack %w : !ternary.matrix<96x64> to tensor<96x64xi8>
  // CHECK: ternary.bytes %{{.*}} : !ternary.matrix<96x64, #ternary.layout<i2, tile = 16>> to tensor<1536xi8>
  %b = ternary.bytes %p : !ternary.matrix<96x64, #i2> to tensor<1536xi8>
  // CHECK: ternary.packed_matmul !ternary.matrix<90x60, #ternary.layout<i2, tile = 16>> ins(%{{.*}}, %{{.*}} : tensor<?x64xi8>, tensor<1536xi8>) outs(%{{.*}} : tensor<?x96xi32>) {note} -> tensor<?x96xi32>
  %y = ternary.packed_matmul !ternary.matrix<90x60, #i2> ins(%x, %b : tensor<?x64xi8>, tensor<1536xi8>) outs(%init : tensor<?x96xi32>) {note} -> tensor<?x96xi32>
  // CHECK: ternary.packed_matmul !ternary.matrix<90x60, #ternary.layout<i2, tile = 16>> ins(%{{.*}}, %{{.*}} : memref<?x64xi8>, memref<1536xi8>) outs(%{{.*}} : memref<?x96xi32>){{$}}
  ternary.packed_matmul !ternary.matrix<90x60, #i2> ins(%mx, %mb : memref<?x64xi8>, memref<1536xi8>) outs(%my : memref<?x96xi32>)
  return
}

// CHECK-LABEL: func.func @packed_floats(
func.func @packed_floats(%x: tensor<?x64xf32>, %b: tensor<1536xi8>, %init: tensor<?x96xf32>, %mx: memref<?x64xf32>, %mb: memref<1536xi8>, %my: memref<?x96xf32>) {
  // CHECK: ternary.packed_matmul !ternary.matrix<90x60, #ternary.layout<i2, tile = 16>> ins(%{{.*}}, %{{.*}} : tensor<?x64xf32>, tensor<1536xi8>) outs(%{{.*}} : tensor<?x96xf32>) -> tensor<?x96xf32>
  %y = ternary.packed_matmul !ternary.matrix<90x60, #i2> ins(%x, %b : tensor<?x64xf32>, tensor<1536xi8>) outs(%init : tensor<?x96xf32>) -> tensor<?x96xf32>
  // CHECK: ternary.packed_matmul !ternary.matrix<90x60, #ternary.layout<i2, tile = 16>> ins(%{{.*}}, %{{.*}} : memref<?x64xf32>, memref<1536xi8>) outs(%{{.*}} : memref<?x96xf32>){{$}}
  ternary.packed_matmul !ternary.matrix<90x60, #i2> ins(%mx, %mb : memref<?x64xf32>, memref<1536xi8>) outs(%my : memref<?x96xf32>)
  return
}

// CHECK-LABEL: func.func @trim(
func.func @trim() {
  // CHECK: ternary.trim {note}
  ternary.trim {note}
  return
}

// CHECK-LABEL: func.func @announce(
func.func @announce(%weights: memref<1536xi8>, %any: memref<?xi8>) {
  // CHECK: ternary.announce %{{.*}} in 4 streams {note} : memref<1536xi8>
  ternary.announce %weights in 4 streams {note} : memref<1536xi8>
  // CHECK: ternary.announce %{{.*}} in 1 streams : memref<?xi8>
  ternary.announce %any in 1 streams : memref<?xi8>
  return
}

// CHECK-LABEL: func.func @fetch(
func.func @fetch(%rows: memref<90x60xbf16>, %row: index, %row_of_few: memref<60xbf16>, %any: memref<?x8xf32, strided<[?, 1], offset: ?>>, %part: memref<8xf32, strided<[1], offset: ?>>) {
  // CHECK: ternary.fetch %{{.*}}[%{{.*}}], %{{.*}} {note} : memref<90x60xbf16>, memref<60xbf16>
  ternary.fetch %rows[%row], %row_of_few {note} : memref<90x60xbf16>, memref<60xbf16>
  // CHECK: ternary.fetch %{{.*}}[%{{.*}}], %{{.*}} : memref<?x8xf32, strided<[?, 1], offset: ?>>, memref<8xf32, strided<[1], offset: ?>>
  ternary.fetch %any[%row], %part : memref<?x8xf32, strided<[?, 1], offset: ?>>, memref<8xf32, strided<[1], offset: ?>>
  return
}
