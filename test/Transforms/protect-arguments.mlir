// RUN: tern-opt %s --pass-pipeline="builtin.module(func.func(tern-protect-arguments))" | FileCheck %s
// RUN: tern-opt %s --pass-pipeline="builtin.module(func.func(tern-protect-arguments), one-shot-bufferize{bufferize-function-boundaries function-boundary-type-conversion=identity-layout-map})" | FileCheck %s --check-prefix=BUFFERS

// CHECK-LABEL: func.func @input(
// CHECK-SAME:    %{{.*}}: tensor<4xf32> {bufferization.writable = false}, %{{.*}}: f32)
// BUFFERS-LABEL: func.func @input(
// BUFFERS-SAME:    %[[X:.*]]: memref<4xf32>, %[[V:.*]]: f32)
// BUFFERS:         %[[COPY:.*]] = memref.alloc
// BUFFERS:         memref.copy %[[X]], %[[COPY]]
// BUFFERS:         memref.store %[[V]], %[[COPY]]
func.func @input(%x: tensor<4xf32>, %v: f32) -> tensor<4xf32> {
  %i = arith.constant 2 : index
  %y = tensor.insert %v into %x[%i] : tensor<4xf32>
  return %y : tensor<4xf32>
}

// CHECK-LABEL: func.func @cache(
// CHECK-SAME:    %{{.*}}: tensor<4xf32> {bufferization.writable = true}, %{{.*}}: f32)
// BUFFERS-LABEL: func.func @cache(
// BUFFERS-SAME:    %[[X:.*]]: memref<4xf32>, %[[V:.*]]: f32)
// BUFFERS-NOT:     memref.alloc
// BUFFERS:         memref.store %[[V]], %[[X]]
func.func @cache(%x: tensor<4xf32> {bufferization.writable = true}, %v: f32) -> tensor<4xf32> {
  %i = arith.constant 2 : index
  %y = tensor.insert %v into %x[%i] : tensor<4xf32>
  return %y : tensor<4xf32>
}

// CHECK: func.func private @external(tensor<4xf32>)
func.func private @external(tensor<4xf32>)
