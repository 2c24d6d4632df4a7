// RUN: tern-opt %s --convert-ternary-to-vector | FileCheck %s --check-prefixes=CHECK,GENERIC --implicit-check-not=call_intrinsic --implicit-check-not="arith.muli {{.*}}vector"
// RUN: tern-opt %s --convert-ternary-to-vector=target=avx2 | FileCheck %s --check-prefixes=CHECK,AVX2
// RUN: tern-opt %s --convert-ternary-to-vector=target=avxvnni | FileCheck %s --check-prefixes=CHECK,AVXVNNI
// RUN: tern-opt %s --convert-ternary-to-vector=target=avx512vnni | FileCheck %s --check-prefixes=CHECK,AVX512
// RUN: tern-opt %s --convert-ternary-to-vector=target=avx512vbmi | FileCheck %s --check-prefixes=CHECK,AVX512

#i2 = #ternary.layout<i2, tile = 16>

// Products of the same matrix type share a kernel, also if the number of
// tokens is known for one only.
// CHECK-LABEL: func.func @products(
// CHECK:       call @[[KERNEL:ternary_packed_matmul_i2_90x60_[a-z0-9]+]](%arg0, %arg2, %arg3) : (memref<?x64xi8>, memref<1536xi8>, memref<?x96xi32>) -> ()
// CHECK:       memref.cast %arg1 : memref<1x64xi8> to memref<?x64xi8>
// CHECK:       call @[[KERNEL]](
// CHECK:       return
func.func @products(%x: memref<?x64xi8>, %x1: memref<1x64xi8>, %b: memref<1536xi8>, %y: memref<?x96xi32>, %y1: memref<1x96xi32>) {
  ternary.packed_matmul !ternary.matrix<90x60, #i2> ins(%x, %b : memref<?x64xi8>, memref<1536xi8>) outs(%y : memref<?x96xi32>)
  ternary.packed_matmul !ternary.matrix<90x60, #i2> ins(%x1, %b : memref<1x64xi8>, memref<1536xi8>) outs(%y1 : memref<1x96xi32>)
  return
}

// Rows may be apart, as those of a view are: another kernel.
// CHECK-LABEL: func.func @view(
// CHECK:       call @[[KERNEL]]_0(
func.func @view(%x: memref<?x64xi8, strided<[128, 1], offset: 64>>, %b: memref<1536xi8>, %y: memref<?x96xi32>) {
  ternary.packed_matmul !ternary.matrix<90x60, #i2> ins(%x, %b : memref<?x64xi8, strided<[128, 1], offset: 64>>, memref<1536xi8>) outs(%y : memref<?x96xi32>)
  return
}

// One token takes a path of its own; the rows are shared out in both.
// CHECK:       func.func private @[[KERNEL]](
// CHECK:       scf.if
// CHECK:       scf.parallel
// CHECK:       memref.prefetch
// GENERIC:     arith.select
// AVX2:        llvm.call_intrinsic "llvm.x86.avx2.pmadd.ub.sw"
// AVX2:        llvm.call_intrinsic "llvm.x86.avx2.pmadd.wd"
// AVXVNNI:     llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.256"
// AVX512:      llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
// CHECK:       } else {
// CHECK:       scf.parallel

// 16 registers: two tokens by six strips, of which each stays for both tokens.
// AVXVNNI:     %{{.*}}:12 = scf.for
// AVXVNNI:       vpdpbusd.256"(%{{[^,]*}}, %[[CODES:[^,]*]], %[[X0:[^,)]*]])
// AVXVNNI:       vpdpbusd.256"(%{{[^,]*}}, %[[CODES]], %[[X1:[^,)]*]])
// AVXVNNI:       vpdpbusd.256"(%{{[^,]*}}, %[[NEXT:[^,]*]], %[[X0]])
// AVXVNNI:       vpdpbusd.256"(%{{[^,]*}}, %[[NEXT]], %[[X1]])
