// RUN: tern-opt %s --convert-ternary-to-vector=target=avx512vnni --canonicalize --cse | FileCheck %s --implicit-check-not=call_intrinsic --implicit-check-not="arith.mulf" --implicit-check-not=fastmath
// RUN: tern-opt %s --convert-ternary-to-vector=target=amx --canonicalize --cse | FileCheck %s --implicit-check-not=call_intrinsic
// RUN: tern-opt %s --convert-ternary-to-vector=target=avx2 --canonicalize --cse | FileCheck %s --check-prefix=HALF --implicit-check-not="dense<-0" --implicit-check-not=fastmath
// RUN: tern-opt %s --convert-ternary-to-vector=target=avxvnni --canonicalize --cse | FileCheck %s --check-prefix=HALF --implicit-check-not=call_intrinsic

#i2 = #ternary.layout<i2, tile = 16>

// Nine strips of 16 rows, or 18 of 8, and two steps of 16 columns.
func.func @product(%x: memref<?x32xf32>, %b: memref<1152xi8>, %y: memref<?x144xf32>) {
  ternary.packed_matmul !ternary.matrix<144x32, #i2> ins(%x, %b : memref<?x32xf32>, memref<1152xi8>) outs(%y : memref<?x144xf32>)
  return
}

// An activation that a sum does not take is -0 for an addition and 0 for a subtraction,
// which change no sum.
// CHECK-LABEL: func.func private @ternary_packed_matmul_i2_144x32_{{avx512vnni|amx}}_f32(
// CHECK-SAME:    %[[X:.*]]: memref<?x32xf32>, %[[BYTES:.*]]: memref<1152xi8>, %[[Y:.*]]: memref<?x144xf32>)
// CHECK-DAG:     %[[BYTE0:.*]] = arith.constant dense<3> : vector<16xi32>
// CHECK-DAG:     %[[BYTE1:.*]] = arith.constant dense<768> : vector<16xi32>
// CHECK-DAG:     %[[BYTE3:.*]] = arith.constant dense<50331648> : vector<16xi32>
// CHECK-DAG:     %[[HIGHER:.*]] = arith.constant dense<33686018> : vector<16xi32>
// CHECK-DAG:     %[[NONE:.*]] = arith.constant dense<0> : vector<16xi32>
// CHECK-DAG:     %[[MINUS0:.*]] = arith.constant dense<-0.000000e+00> : vector<16xf32>
// CHECK-DAG:     %[[ZERO:.*]] = arith.constant dense<0.000000e+00> : vector<16xf32>
// CHECK:         %[[M:.*]] = memref.dim %[[X]], %c0
// CHECK:         %[[IS_ONE:.*]] = arith.cmpi eq, %[[M]], %c1
// CHECK:         scf.if %[[IS_ONE]] {

// One token: four strips at once, which are fetched from different distances.
// CHECK:           scf.parallel (%{{.*}}) = (%c0) to (%c8) step (%c4) {
// CHECK:             %{{.*}}:4 = scf.for %{{.*}} = %c0 to %c2 step %c1 iter_args(%{{.*}} = %[[ZERO]], %{{.*}} = %[[ZERO]], %{{.*}} = %[[ZERO]], %{{.*}} = %[[ZERO]])
// CHECK:               %[[FETCH0:.*]] = arith.addi %{{.*}}, %c2048
// CHECK:               memref.prefetch %[[BYTES]][%[[FETCH0]]], read
// CHECK:               %[[FETCH1:.*]] = arith.addi %{{.*}}, %c2560
// CHECK:               memref.prefetch %[[BYTES]][%[[FETCH1]]], read
// CHECK:               %[[FETCH2:.*]] = arith.addi %{{.*}}, %c3072
// CHECK:               memref.prefetch %[[BYTES]][%[[FETCH2]]], read
// CHECK:               %[[FETCH3:.*]] = arith.addi %{{.*}}, %c3584
// CHECK:               memref.prefetch %[[BYTES]][%[[FETCH3]]], read
// CHECK-NOT:           memref.prefetch
// CHECK-COUNT-4:       vector.load %[[BYTES]]
// CHECK-COUNT-64:      arith.addf
// CHECK-NOT:           arith.addf
// CHECK-COUNT-4:     vector.store %{{.*}}, %[[Y]][
// CHECK:             scf.reduce

// The ninth on its own. A column after the other is added to its sum, and taken off: where
// the code, in a byte of its own, or the code with its higher bit flipped is 0.
// CHECK:           scf.for %[[T:.*]] = %c0 to %[[M]] step %c1 {
// CHECK:             scf.for %[[STEP:.*]] = %c0 to %c2 step %c1 iter_args(%[[SUM:.*]] = %[[ZERO]])
// CHECK:               memref.prefetch
// CHECK:               %[[COLUMN:.*]] = arith.muli %[[STEP]], %c16
// CHECK:               %[[LOADED:.*]] = vector.load %[[BYTES]][%{{.*}}] : memref<1152xi8>, vector<64xi8>
// CHECK:               %[[FIELDS:.*]] = arith.andi %[[LOADED]], %{{.*}} : vector<64xi8>
// CHECK-NEXT:          %[[CODES:.*]] = vector.bitcast %[[FIELDS]] : vector<64xi8> to vector<16xi32>
// CHECK-NEXT:          %[[FLIPPED:.*]] = arith.xori %[[CODES]], %[[HIGHER]]
// CHECK-NEXT:          %[[A:.*]] = memref.load %[[X]][%[[T]], %[[COLUMN]]]
// CHECK-NEXT:          %[[ACTIVATION:.*]] = vector.broadcast %[[A]] : f32 to vector<16xf32>
// CHECK-NEXT:          %[[PLUS:.*]] = arith.andi %[[FLIPPED]], %[[BYTE0]]
// CHECK-NEXT:          %[[IS_PLUS:.*]] = arith.cmpi eq, %[[PLUS]], %[[NONE]]
// CHECK-NEXT:          %[[MINUS:.*]] = arith.andi %[[CODES]], %[[BYTE0]]
// CHECK-NEXT:          %[[IS_MINUS:.*]] = arith.cmpi eq, %[[MINUS]], %[[NONE]]
// CHECK-NEXT:          %[[ADDED:.*]] = arith.select %[[IS_PLUS]], %[[ACTIVATION]], %[[MINUS0]]
// CHECK-NEXT:          %[[TAKEN:.*]] = arith.select %[[IS_MINUS]], %[[ACTIVATION]], %[[ZERO]]
// CHECK-NEXT:          %[[SUM1:.*]] = arith.addf %[[SUM]], %[[ADDED]] : vector<16xf32>
// CHECK-NEXT:          %[[SUM2:.*]] = arith.subf %[[SUM1]], %[[TAKEN]] : vector<16xf32>
// CHECK-NEXT:          %[[COLUMN1:.*]] = arith.addi %[[COLUMN]], %c1
// CHECK-NEXT:          memref.load %[[X]][%[[T]], %[[COLUMN1]]]
// CHECK-NEXT:          vector.broadcast
// CHECK-NEXT:          arith.andi %[[FLIPPED]], %[[BYTE1]]
// CHECK-NEXT:          arith.cmpi eq
// CHECK-NEXT:          arith.andi %[[CODES]], %[[BYTE1]]
// CHECK:               arith.addf %[[SUM2]], %{{.*}} : vector<16xf32>
// CHECK:               arith.andi %[[CODES]], %[[BYTE3]]
// CHECK-COUNT-13:      arith.subf
// CHECK-NOT:           arith.subf
// CHECK:             vector.store %{{.*}}, %[[Y]][%[[T]], %c128] : memref<?x144xf32>, vector<16xf32>

// More tokens: six by two strips, whose activations and masks are used again. Nothing is
// fetched: the second token finds bytes where the first left them.
// CHECK:         } else {
// CHECK:           scf.parallel (%{{.*}}) = (%c0) to (%c8) step (%c2) {
// CHECK:             %[[LEFT:.*]] = arith.remui %[[M]], %c6
// CHECK:             %[[WHOLE:.*]] = arith.subi %[[M]], %[[LEFT]]
// CHECK:             scf.for %{{.*}} = %c0 to %[[WHOLE]] step %c6 {
// CHECK:               %{{.*}}:12 = scf.for %{{.*}} = %c0 to %c2 step %c1 iter_args(
// CHECK-NOT:             memref.prefetch
// CHECK-COUNT-2:         vector.load %[[BYTES]]
// CHECK-NOT:             vector.load
// CHECK-COUNT-6:         memref.load %[[X]]
// CHECK:                 %[[IS_PLUS:.*]] = arith.cmpi eq
// CHECK:                 %[[IS_MINUS:.*]] = arith.cmpi eq
// CHECK-NOT:             memref.load
// CHECK:                 arith.select %[[IS_PLUS]], %[[FIRST:[^,]*]], %[[MINUS0]]
// CHECK-NEXT:            arith.select %[[IS_MINUS]], %[[FIRST]], %[[ZERO]]
// CHECK-COUNT-5:         arith.select %[[IS_PLUS]],
// CHECK-NOT:             memref.load
// CHECK:                 arith.cmpi eq
// CHECK-COUNT-186:       arith.subf
// CHECK-NOT:             {{memref.prefetch|arith.subf}}
// CHECK-COUNT-12:      vector.store %{{.*}}, %[[Y]][
// CHECK-NOT:           vector.store
// CHECK:             scf.for %{{.*}} = %[[WHOLE]] to %[[M]] step %c1 {
// CHECK:               %{{.*}}:2 = scf.for
// CHECK-COUNT-2:         memref.prefetch
// CHECK-COUNT-2:       vector.store %{{.*}}, %[[Y]][
// CHECK:             scf.reduce

// Of the ninth strip, too, six tokens at once.
// CHECK:           %[[LEFT:.*]] = arith.remui %[[M]], %c6
// CHECK:           %[[WHOLE:.*]] = arith.subi %[[M]], %[[LEFT]]
// CHECK:           scf.for %{{.*}} = %c0 to %[[WHOLE]] step %c6 {
// CHECK:             %{{.*}}:6 = scf.for
// CHECK-COUNT-6:     vector.store %{{.*}}, %[[Y]][%{{.*}}, %c128]
// CHECK:           scf.for %{{.*}} = %[[WHOLE]] to %[[M]] step %c1 {
// CHECK:             vector.store %{{.*}}, %[[Y]][%{{.*}}, %c128]
// CHECK-NOT:       vector.store

// 16 registers, and an AND that makes 0: two tokens by two strips of 8 rows. The
// two strips of a tile share lines, which are fetched once.
// HALF-LABEL: func.func private @ternary_packed_matmul_i2_144x32_{{avx2|avxvnni}}_f32(
// HALF-SAME:    %[[X:.*]]: memref<?x32xf32>, %[[BYTES:.*]]: memref<1152xi8>, %[[Y:.*]]: memref<?x144xf32>)
// HALF-DAG:     %[[ZERO:.*]] = arith.constant dense<0.000000e+00> : vector<8xf32>
// HALF:         scf.if
// HALF:           scf.parallel (%{{.*}}) = (%c0) to (%c16) step (%c4) {
// HALF:             %{{.*}}:4 = scf.for
// HALF-COUNT-2:       memref.prefetch %[[BYTES]]
// HALF-NOT:           memref.prefetch
// HALF:               %[[PLUS:.*]] = arith.select %{{.*}}, %[[ACTIVATION:.*]], %[[ZERO]] : vector<8xi1>, vector<8xf32>
// HALF-NEXT:          %[[MINUS:.*]] = arith.select %{{.*}}, %[[ACTIVATION]], %[[ZERO]] : vector<8xi1>, vector<8xf32>
// HALF-NEXT:          %[[SUM:.*]] = arith.addf %{{.*}}, %[[PLUS]] : vector<8xf32>
// HALF-NEXT:          arith.subf %[[SUM]], %[[MINUS]] : vector<8xf32>
// HALF-COUNT-4:     vector.store %{{.*}}, %[[Y]][
// HALF:             scf.reduce
// HALF:           scf.for %[[STRIP:.*]] = %c16 to %c18 step %c1 {
// HALF:             memref.prefetch %[[BYTES]]
// HALF:             vector.store %{{.*}}, %[[Y]][
// HALF:         } else {
// HALF:           scf.parallel (%{{.*}}) = (%c0) to (%c18) step (%c2) {
// HALF:             %[[LEFT:.*]] = arith.remui %{{.*}}, %c2
// HALF:             %[[WHOLE:.*]] = arith.subi %{{.*}}, %[[LEFT]]
// HALF:             scf.for %{{.*}} = %c0 to %[[WHOLE]] step %c2 {
// HALF:               %{{.*}}:4 = scf.for
// HALF-NOT:             memref.prefetch
// HALF-COUNT-64:        arith.subf
// HALF-NOT:             {{memref.prefetch|arith.subf}}
// HALF-COUNT-4:       vector.store %{{.*}}, %[[Y]][
// HALF:             scf.for %{{.*}} = %[[WHOLE]] to %{{.*}} step %c1 {
// HALF:               %{{.*}}:2 = scf.for
// HALF:                 memref.prefetch
// HALF-NOT:             memref.prefetch
// HALF-COUNT-2:       vector.store %{{.*}}, %[[Y]][
// HALF:             scf.reduce
// HALF-NOT:       vector.store
