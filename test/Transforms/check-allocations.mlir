// RUN: tern-opt %s --pass-pipeline="builtin.module(func.func(tern-check-allocations))" | FileCheck %s

// A static size fits: only the address is looked at. The message is known now.
// CHECK-LABEL: func.func @static(
// CHECK:         %[[A:.*]] = memref.alloc() : memref<4xf32>
// CHECK:         %[[ADDRESS:.*]] = memref.extract_aligned_pointer_as_index %[[A]]
// CHECK:         %[[THERE:.*]] = arith.cmpi ne, %[[ADDRESS]], %c0
// CHECK:         ternary.assert %[[THERE]], ["not enough memory: 16 bytes for f32[4]"]{{$}}
// CHECK-NEXT:    return %[[A]]
func.func @static() -> memref<4xf32> {
  %a = memref.alloc() : memref<4xf32>
  return %a : memref<4xf32>
}

// The sizes are multiplied with the bytes of the static part, 3 elements of 2;
// the product may not reach the sign, and is what the message states.
// CHECK-LABEL: func.func @dynamic(
// CHECK-SAME:    %[[M:.*]]: index, %[[N:.*]]: index)
// CHECK:         memref.alloc(%[[M]], %[[N]]) {alignment = 64 : i64}
// CHECK:         %[[THERE:.*]] = arith.cmpi ne
// CHECK:         %[[BYTES:.*]] = arith.constant 6 : index
// CHECK:         %[[LOW:.*]], %[[HIGH:.*]] = arith.mului_extended %[[BYTES]], %[[M]] : index
// CHECK:         arith.cmpi eq, %[[HIGH]]
// CHECK:         arith.cmpi sge, %[[LOW]]
// CHECK:         %[[LOW2:.*]], %[[HIGH2:.*]] = arith.mului_extended %[[LOW]], %[[N]] : index
// CHECK:         arith.cmpi eq, %[[HIGH2]]
// CHECK:         arith.cmpi sge, %[[LOW2]]
// CHECK:         arith.andi
// CHECK-NEXT:    %[[FITS:.*]] = arith.andi
// CHECK-NEXT:    ternary.assert %[[FITS]], ["node 'scores': not enough memory: 2^63 or more bytes for f16[", ", 3, ", "]"], %[[M]], %[[N]]
// CHECK-NEXT:    ternary.assert %[[THERE]], ["node 'scores': not enough memory: ", " bytes for f16[", ", 3, ", "]"], %[[LOW2]], %[[M]], %[[N]]
func.func @dynamic(%m: index, %n: index) -> memref<?x3x?xf16> {
  %a = memref.alloc(%m, %n) {alignment = 64 : i64} : memref<?x3x?xf16> loc("scores")
  return %a : memref<?x3x?xf16>
}

// A static size beyond 63 bits; an empty dimension hides no other one.
// CHECK-LABEL: func.func @huge(
// CHECK-SAME:    %[[N:.*]]: index)
// CHECK:         %[[FALSE:.*]] = arith.constant false
// CHECK:         ternary.assert %[[FALSE]], ["not enough memory: 2^63 or more bytes for f32[4611686018427387904, 4]"]{{$}}
// CHECK-NOT:     ternary.assert
// CHECK:         memref.alloc(%[[N]])
// CHECK:         arith.constant 8 : index
func.func @huge(%n: index) {
  %a = memref.alloc() : memref<4611686018427387904x4xf32>
  %b = memref.alloc(%n) : memref<?x0x2xf32>
  return
}

// Elements of 8 and of 16 bytes.
// CHECK-LABEL: func.func @elements(
// CHECK:         arith.constant 8 : index
// CHECK:         arith.constant 16 : index
func.func @elements(%n: index) {
  %a = memref.alloc(%n) : memref<?xindex>
  %b = memref.alloc(%n) : memref<?xvector<4xf32>>
  return
}

// From the begin of the first row to the end of the last; where the size decides
// how far that is, nothing is said of bytes.
// CHECK-LABEL: func.func @layout(
// CHECK-SAME:    %[[N:.*]]: index)
// CHECK:         ternary.assert %{{.*}}, ["not enough memory: 72 bytes for f32[2, 8]"]{{$}}
// CHECK:         %[[B:.*]] = memref.alloc(%[[N]])
// CHECK:         %[[ADDRESS:.*]] = memref.extract_aligned_pointer_as_index %[[B]]
// CHECK:         %[[THERE:.*]] = arith.cmpi ne, %[[ADDRESS]]
// CHECK-NEXT:    ternary.assert %[[THERE]], ["not enough memory: room for f32[", ", 8]"], %[[N]]
// CHECK-NEXT:    return
func.func @layout(%n: index) {
  %a = memref.alloc() : memref<2x8xf32, strided<[10, 1]>>
  %b = memref.alloc(%n) : memref<?x8xf32, strided<[10, 1]>>
  return
}
