// RUN: tern-opt %s --tern-outline-parallel-loops --split-input-file | FileCheck %s

// After the loop's location; parts that are numbers become "*", other digits stay.
// CHECK: @own_parallel_0({{.*}}tern.kernel = {name = "model.layers.*.fc1/Mul_1"}
// A fused operation is named after its first part that has a name.
// CHECK: @own_parallel_1({{.*}}tern.kernel = {name = "b/Add"}
// No name: the function's.
// CHECK: @own_parallel_2({{.*}}tern.kernel = {name = "own"}
func.func @own(%x: memref<?xf32>, %y: memref<?xi32>, %z: memref<?xi64>, %v: f32, %i32: i32, %i64: i64, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.parallel (%i) = (%c0) to (%n) step (%c1) {
    memref.store %v, %x[%i] : memref<?xf32>
  } loc("model.layers.12.fc1/Mul_1")
  scf.parallel (%i) = (%c0) to (%n) step (%c1) {
    memref.store %i32, %y[%i] : memref<?xi32>
  } loc(fused["m.onnx":0:0, "b/Add", "b/Mul"])
  scf.parallel (%i) = (%c0) to (%n) step (%c1) {
    memref.store %i64, %z[%i] : memref<?xi64>
  } loc("m.onnx":0:0)
  return
}

// -----

// Equal loops share a body, which is named after all: what they have in common,
// up to a separator, and in braces what not. Few of many; a name counts once.
// CHECK: @shared_parallel_0({{.*}}tern.kernel = {name = "l.*.{qa,qb,kc,kd,...}/Mul"}
// CHECK-NOT: @shared_parallel_1
func.func @shared(%x: memref<?xf32>, %v: f32, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.parallel (%i) = (%c0) to (%n) step (%c1) {
    memref.store %v, %x[%i] : memref<?xf32>
  } loc("l.0.qa/Mul")
  scf.parallel (%i) = (%c0) to (%n) step (%c1) {
    memref.store %v, %x[%i] : memref<?xf32>
  } loc("l.1.qa/Mul")
  scf.parallel (%i) = (%c0) to (%n) step (%c1) {
    memref.store %v, %x[%i] : memref<?xf32>
  } loc("l.0.qb/Mul")
  scf.parallel (%i) = (%c0) to (%n) step (%c1) {
    memref.store %v, %x[%i] : memref<?xf32>
  } loc("l.0.kc/Mul")
  scf.parallel (%i) = (%c0) to (%n) step (%c1) {
    memref.store %v, %x[%i] : memref<?xf32>
  } loc("l.0.kd/Mul")
  scf.parallel (%i) = (%c0) to (%n) step (%c1) {
    memref.store %v, %x[%i] : memref<?xf32>
  } loc("l.0.ke/Mul")
  return
}

// -----

// A described loop is named after those who call its function; what it said of
// itself is kept.
// CHECK: @product_parallel_0({{.*}}tern.kernel = {bytes = 8 : i64, macs_per_token = 32 : i64, name = "{a,b}/MatMul 4x8 i2"}
func.func private @product(%x: memref<?xf32>, %v: f32, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.parallel (%i) = (%c0) to (%n) step (%c1) {
    memref.store %v, %x[%i] : memref<?xf32>
  } {tern.kernel = {bytes = 8 : i64, macs_per_token = 32 : i64, name = "4x8 i2"}} loc("first/MatMul")
  return
}
func.func @callers(%x: memref<?xf32>, %v: f32, %n: index) {
  func.call @product(%x, %v, %n) : (memref<?xf32>, f32, index) -> () loc("a/MatMul")
  func.call @product(%x, %v, %n) : (memref<?xf32>, f32, index) -> () loc("b/MatMul")
  return
}
