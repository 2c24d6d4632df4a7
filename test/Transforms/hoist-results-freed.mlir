// RUN: tern-opt %s --pass-pipeline="builtin.module(tern-hoist-results,buffer-deallocation-pipeline,func.func(optimize-allocation-liveness))" | FileCheck %s

// What this is for: a layer's result is freed once the next layer has read it.
// CHECK-LABEL: func.func @layers(
// CHECK:         %[[A:.*]] = memref.alloc(
// CHECK:         call @layer(%{{.*}}, %{{.*}}, %[[A]])
// CHECK:         %[[B:.*]] = memref.alloc(
// CHECK:         call @layer(%{{.*}}, %[[A]], %[[B]])
// CHECK-NEXT:    memref.dealloc %[[A]]
// CHECK:         %[[C:.*]] = memref.alloc(
// CHECK:         call @layer(%{{.*}}, %[[B]], %[[C]])
// CHECK-NEXT:    memref.dealloc %[[B]]
// CHECK-NOT:     call @dealloc_helper
// CHECK:         memref.copy %[[C]]
// CHECK-NEXT:    memref.dealloc %[[C]]
func.func private @layer(%n: index, %x: memref<?xf32>) -> memref<?xf32> {
  %y = memref.alloc(%n) : memref<?xf32>
  memref.copy %x, %y : memref<?xf32> to memref<?xf32>
  return %y : memref<?xf32>
}

func.func @layers(%n: index, %x: memref<?xf32>, %out: memref<?xf32>) {
  %a = call @layer(%n, %x) : (index, memref<?xf32>) -> memref<?xf32>
  %b = call @layer(%n, %a) : (index, memref<?xf32>) -> memref<?xf32>
  %c = call @layer(%n, %b) : (index, memref<?xf32>) -> memref<?xf32>
  memref.copy %c, %out : memref<?xf32> to memref<?xf32>
  return
}
