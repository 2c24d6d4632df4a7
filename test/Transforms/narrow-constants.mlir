// RUN: tern-opt %s --split-input-file --allow-unregistered-dialect --tern-narrow-constants=min-elements=4 | FileCheck %s

#id = affine_map<(d0) -> (d0)>

// A layer's gains are passed to it, and are read by loops alone: all of them are
// narrowed, and the loops widen elements. 1.5 (0x3FC0) is 0x0000C03F in f32, its
// lower half first.
// CHECK:         memref.global "private" constant @first : memref<4xbf16> = dense_resource<[[FIRST:first]]>
// CHECK:         memref.global "private" constant @second : memref<4xbf16> = dense_resource<[[SECOND:second]]>
memref.global "private" constant @first : memref<4xf32> = dense<[1.5, -2.0, 0.0, 3.0]>
memref.global "private" constant @second : memref<4xf32> = dense<[1.0, 2.0, 3.0, 4.0]>

// CHECK-LABEL: func.func private @layer(
// CHECK-SAME:    %[[X:[^:]*]]: memref<4xf32>, %[[GAIN:[^:]*]]: memref<4xbf16>) {
// CHECK:         linalg.generic {{.*}} ins(%[[X]], %[[GAIN]] : memref<4xf32>, memref<4xbf16>) outs(%[[X]] : memref<4xf32>) {
// CHECK-NEXT:    ^bb0(%[[V:.*]]: f32, %[[SHORT:.*]]: bf16, %{{.*}}: f32):
// CHECK-NEXT:      %[[G:.*]] = arith.extf %[[SHORT]] : bf16 to f32
// CHECK-NEXT:      %[[Y:.*]] = arith.mulf %[[V]], %[[G]] : f32
// CHECK-NEXT:      %[[Z:.*]] = arith.addf %[[Y]], %[[G]] : f32
// CHECK-NEXT:      linalg.yield %[[Z]]
func.func private @layer(%x: memref<4xf32>, %gain: memref<4xf32>) {
  linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]} ins(%x, %gain : memref<4xf32>, memref<4xf32>) outs(%x : memref<4xf32>) {
  ^bb0(%v: f32, %g: f32, %out: f32):
    %y = arith.mulf %v, %g : f32
    %z = arith.addf %y, %g : f32
    linalg.yield %z : f32
  }
  return
}

// CHECK-LABEL: func.func @main(
// CHECK:         %[[G0:.*]] = memref.get_global @first : memref<4xbf16>
// CHECK:         call @layer(%{{.*}}, %[[G0]]) : (memref<4xf32>, memref<4xbf16>) -> ()
// CHECK:         %[[G1:.*]] = memref.get_global @second : memref<4xbf16>
// CHECK:         call @layer(%{{.*}}, %[[G1]]) : (memref<4xf32>, memref<4xbf16>) -> ()
// CHECK:       [[FIRST]]: "0x40000000C03F00C000004040"
// CHECK-NEXT:  [[SECOND]]: "0x40000000803F004040408040"
func.func @main(%x: memref<4xf32>) {
  %g0 = memref.get_global @first : memref<4xf32>
  call @layer(%x, %g0) : (memref<4xf32>, memref<4xf32>) -> ()
  %g1 = memref.get_global @second : memref<4xf32>
  call @layer(%x, %g1) : (memref<4xf32>, memref<4xf32>) -> ()
  return
}

// -----

// One layer's gain needs f32 (1.1 does), or is computed: no layer's changes, and so
// neither does that of another loop that reads the same.
// CHECK:         @exact : memref<4xf32>
// CHECK:         @inexact : memref<4xf32>
// CHECK:         @computed : memref<4xf32>
memref.global "private" constant @exact : memref<4xf32> = dense<[1.0, 2.0, 3.0, 4.0]>
memref.global "private" constant @inexact : memref<4xf32> = dense<[1.0, 1.1, 3.0, 4.0]>
memref.global "private" constant @computed : memref<4xf32> = dense<[1.0, 2.0, 3.0, 5.0]>

#id = affine_map<(d0) -> (d0)>
// CHECK-LABEL: func.func private @layer(
// CHECK-SAME:    %{{[^:]*}}: memref<4xf32>, %{{[^:]*}}: memref<4xf32>, %{{[^:]*}}: memref<4xf32>)
// CHECK-NOT:     arith.extf
func.func private @layer(%x: memref<4xf32>, %gain: memref<4xf32>, %other: memref<4xf32>) {
  linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]} ins(%gain, %other : memref<4xf32>, memref<4xf32>) outs(%x : memref<4xf32>) {
  ^bb0(%g: f32, %o: f32, %out: f32):
    %y = arith.mulf %o, %g : f32
    linalg.yield %y : f32
  }
  return
}
// CHECK-LABEL: func.func @main(
// CHECK-NOT:     bf16
func.func @main(%x: memref<4xf32>) {
  %g0 = memref.get_global @exact : memref<4xf32>
  %g1 = memref.get_global @inexact : memref<4xf32>
  %g2 = memref.get_global @computed : memref<4xf32>
  call @layer(%x, %g0, %g2) : (memref<4xf32>, memref<4xf32>, memref<4xf32>) -> ()
  call @layer(%x, %g1, %x) : (memref<4xf32>, memref<4xf32>, memref<4xf32>) -> ()
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%g0 : memref<4xf32>) outs(%x : memref<4xf32>) {
  ^bb0(%g: f32, %out: f32):
    linalg.yield %g : f32
  }
  return
}

// -----

// Loops that write, copies, results, functions that others or none may call, and
// whoever names a function or a constant need what they say; short vectors, splats,
// matrices, other elements, and those that need a lower byte stay, too.
#id = affine_map<(d0) -> (d0)>
#id2 = affine_map<(d0, d1) -> (d0, d1)>
// CHECK-NOT:   bf16
memref.global "private" constant @written : memref<4xf32> = dense<[1.0, 2.0, 3.0, 4.0]>
memref.global "private" constant @copied : memref<4xf32> = dense<[1.0, 2.0, 3.0, 5.0]>
memref.global "private" constant @returned : memref<4xf32> = dense<[1.0, 2.0, 3.0, 6.0]>
memref.global "private" constant @passed : memref<4xf32> = dense<[1.0, 2.0, 3.0, 7.0]>
memref.global "private" constant @declared : memref<4xf32> = dense<[1.0, 2.0, 3.0, 8.0]>
memref.global "private" constant @referred : memref<4xf32> = dense<[1.0, 2.0, 3.0, 9.0]>
memref.global "private" constant @named : memref<4xf32> = dense<[1.0, 2.0, 3.0, 11.0]>
memref.global constant @shown : memref<4xf32> = dense<[1.0, 2.0, 3.0, 12.0]>
memref.global "private" constant @lowest_byte : memref<4xf32> = dense<[1.0, 2.0, 3.0, 0x3F800001]>
memref.global "private" constant @second_byte : memref<4xf32> = dense<[1.0, 2.0, 3.0, 0x3F808000]>
memref.global "private" constant @short : memref<3xf32> = dense<[1.0, 2.0, 3.0]>
memref.global "private" constant @splat : memref<4xf32> = dense<1.0>
memref.global "private" constant @matrix : memref<2x2xf32> = dense<[[1.0, 2.0], [3.0, 4.0]]>
memref.global "private" constant @integers : memref<4xi32> = dense<[0, 65536, 0, 0]>
memref.global "private" @variable : memref<4xf32> = uninitialized
func.func private @external(%x: memref<4xf32>)
func.func @public(%x: memref<4xf32>, %gain: memref<4xf32>) {
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%gain : memref<4xf32>) outs(%x : memref<4xf32>) {
  ^bb0(%g: f32, %out: f32):
    linalg.yield %g : f32
  }
  return
}
func.func private @address(%x: memref<4xf32>, %gain: memref<4xf32>) {
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%gain : memref<4xf32>) outs(%x : memref<4xf32>) {
  ^bb0(%g: f32, %out: f32):
    linalg.yield %g : f32
  }
  return
}
func.func private @nobody(%x: memref<4xf32>, %gain: memref<4xf32>) {
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%gain : memref<4xf32>) outs(%x : memref<4xf32>) {
  ^bb0(%g: f32, %out: f32):
    linalg.yield %g : f32
  }
  return
}
func.func @main(%x: memref<4xf32>, %y: memref<2x2xf32>, %i: memref<4xi32>, %z: memref<3xf32>) -> memref<4xf32> {
  "test.refer"() {constant = @named} : () -> ()
  %named = memref.get_global @named : memref<4xf32>
  %shown = memref.get_global @shown : memref<4xf32>
  %lowest = memref.get_global @lowest_byte : memref<4xf32>
  %second = memref.get_global @second_byte : memref<4xf32>
  linalg.generic {indexing_maps = [#id, #id, #id, #id, #id], iterator_types = ["parallel"]} ins(%named, %shown, %lowest, %second : memref<4xf32>, memref<4xf32>, memref<4xf32>, memref<4xf32>) outs(%x : memref<4xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32, %d: f32, %out: f32):
    linalg.yield %a : f32
  }
  %written = memref.get_global @written : memref<4xf32>
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : memref<4xf32>) outs(%written : memref<4xf32>) {
  ^bb0(%g: f32, %out: f32):
    linalg.yield %g : f32
  }
  %copied = memref.get_global @copied : memref<4xf32>
  memref.copy %copied, %x : memref<4xf32> to memref<4xf32>
  %passed = memref.get_global @passed : memref<4xf32>
  call @public(%x, %passed) : (memref<4xf32>, memref<4xf32>) -> ()
  %declared = memref.get_global @declared : memref<4xf32>
  call @external(%declared) : (memref<4xf32>) -> ()
  %referred = memref.get_global @referred : memref<4xf32>
  call @address(%x, %referred) : (memref<4xf32>, memref<4xf32>) -> ()
  "test.refer"() {function = @address} : () -> ()
  %short = memref.get_global @short : memref<3xf32>
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%short : memref<3xf32>) outs(%z : memref<3xf32>) {
  ^bb0(%g: f32, %out: f32):
    linalg.yield %g : f32
  }
  %splat = memref.get_global @splat : memref<4xf32>
  %variable = memref.get_global @variable : memref<4xf32>
  linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]} ins(%splat, %variable : memref<4xf32>, memref<4xf32>) outs(%x : memref<4xf32>) {
  ^bb0(%g: f32, %v: f32, %out: f32):
    linalg.yield %g : f32
  }
  %matrix = memref.get_global @matrix : memref<2x2xf32>
  linalg.generic {indexing_maps = [#id2, #id2], iterator_types = ["parallel", "parallel"]} ins(%matrix : memref<2x2xf32>) outs(%y : memref<2x2xf32>) {
  ^bb0(%g: f32, %out: f32):
    linalg.yield %g : f32
  }
  %integers = memref.get_global @integers : memref<4xi32>
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%integers : memref<4xi32>) outs(%i : memref<4xi32>) {
  ^bb0(%g: i32, %out: i32):
    linalg.yield %g : i32
  }
  %returned = memref.get_global @returned : memref<4xf32>
  return %returned : memref<4xf32>
}
