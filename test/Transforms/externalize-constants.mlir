// RUN: tern-opt %s --tern-externalize-constants --split-input-file | FileCheck %s
// RUN: tern-opt %s --tern-externalize-constants=min-bytes=255 --split-input-file | FileCheck %s --check-prefix=LOW

// One byte an element below a byte: 256 i4 are 256 bytes, and 255 are not
// enough. Indices follow the order of the globals, not of their uses.
// CHECK-LABEL: module
// LOW-LABEL:   module
// CHECK:       llvm.mlir.global external constant @tern_weights() {{.*}} : !llvm.array<2 x ptr>
// LOW:         llvm.mlir.global external constant @tern_weights() {{.*}} : !llvm.array<3 x ptr>

// CHECK:       memref.global "private" constant @first : memref<64xf32> = dense<1.000000e+00> {alignment = 64 : i64, tern.weight = 0 : i64}
memref.global "private" constant @first : memref<64xf32> = dense<1.0> {alignment = 64 : i64}
// CHECK:       memref.global "private" constant @small : memref<255xi8> = dense<2>{{$}}
// LOW:         memref.global "private" constant @small : memref<255xi8> = dense<2> {tern.weight = 1 : i64}
memref.global "private" constant @small : memref<255xi8> = dense<2>
// CHECK:       memref.global "private" constant @nibbles : memref<2x128xi4> = dense<-3> {tern.weight = 1 : i64}
memref.global "private" constant @nibbles : memref<2x128xi4> = dense<-3>
// Neither what is written to nor what has a size that only the target knows.
// CHECK:       memref.global "private" @state : memref<64xf32> = dense<0.000000e+00>{{$}}
memref.global "private" @state : memref<64xf32> = dense<0.0>
// CHECK:       memref.global "private" constant @indices : memref<64xindex> = dense<5>{{$}}
memref.global "private" constant @indices : memref<64xindex> = dense<5>

// CHECK-LABEL: func.func @reads(
// CHECK:         %[[T1:.*]] = llvm.mlir.addressof @tern_weights
// CHECK:         %[[P1:.*]] = llvm.getelementptr %[[T1]][1] : (!llvm.ptr) -> !llvm.ptr, !llvm.ptr
// CHECK:         %[[D1:.*]] = llvm.load %[[P1]] invariant {alignment = 8 : i64} : !llvm.ptr -> !llvm.ptr
// CHECK:         llvm.insertvalue %[[D1]], %{{.*}}[0]
// CHECK:         llvm.insertvalue %[[D1]], %{{.*}}[1]
// CHECK:         %[[N:.*]] = builtin.unrealized_conversion_cast %{{.*}} to memref<2x128xi4>
// CHECK:         %[[T0:.*]] = llvm.mlir.addressof @tern_weights
// CHECK:         llvm.getelementptr %[[T0]][0] :
// CHECK:         %[[F:.*]] = builtin.unrealized_conversion_cast %{{.*}} to memref<64xf32>
// CHECK:         %[[S:.*]] = memref.get_global @state
// CHECK:         %[[I:.*]] = memref.get_global @indices
// CHECK:         %[[L:.*]] = memref.get_global @small
// CHECK:         return %[[N]], %[[F]], %[[S]], %[[I]], %[[L]]
func.func @reads() -> (memref<2x128xi4>, memref<64xf32>, memref<64xf32>, memref<64xindex>, memref<255xi8>) {
  %n = memref.get_global @nibbles : memref<2x128xi4>
  %f = memref.get_global @first : memref<64xf32>
  %s = memref.get_global @state : memref<64xf32>
  %i = memref.get_global @indices : memref<64xindex>
  %l = memref.get_global @small : memref<255xi8>
  return %n, %f, %s, %i, %l : memref<2x128xi4>, memref<64xf32>, memref<64xf32>, memref<64xindex>, memref<255xi8>
}

// -----

// A model without large constants has no table.
// CHECK-LABEL: module
// LOW-LABEL:   module
// CHECK-NOT: tern_weights
// LOW-NOT:   tern_weights
memref.global "private" constant @scalar : memref<f32> = dense<1.0>
func.func @none() -> memref<f32> {
  %0 = memref.get_global @scalar : memref<f32>
  return %0 : memref<f32>
}
