// RUN: tern-opt %s --convert-ternary-to-vector=target=avx512vnni --canonicalize --cse | FileCheck %s
// RUN: tern-opt %s --convert-ternary-to-vector=target=amx --canonicalize --cse | FileCheck %s --check-prefix=NEAR
// RUN: tern-opt %s --convert-ternary-to-vector=target=avx512vbmi --canonicalize --cse | FileCheck %s --check-prefix=FAR
// RUN: tern-opt %s --convert-ternary-to-vector=target=avx2 --canonicalize --cse | FileCheck %s --check-prefix=ONE

#i2 = #ternary.layout<i2, tile = 16>

func.func @product(%x: memref<1x32xi8>, %b: memref<8320xi8>, %y: memref<1x1040xi32>) {
  ternary.packed_matmul !ternary.matrix<1040x32, #i2> ins(%x, %b : memref<1x32xi8>, memref<8320xi8>) outs(%y : memref<1x1040xi32>)
  return
}

// Of 65 tiles, of 128 bytes each, four are read at once, 16 tiles apart; the last
// is left to the caller. Each has a register for every plane. Streams are fetched
// from different distances.
// CHECK-LABEL: func.func private @ternary_packed_matmul_i2_1040x32_avx512vnni(
// CHECK:       scf.parallel (%[[TILE:.*]]) = (%c0) to (%c16) step (%c1)
// CHECK-DAG:     %[[TILE1:.*]] = arith.addi %[[TILE]], %c16
// CHECK-DAG:     %[[TILE2:.*]] = arith.addi %[[TILE]], %c32
// CHECK-DAG:     %[[TILE3:.*]] = arith.addi %[[TILE]], %c48
// CHECK-DAG:     %[[AT:.*]] = arith.muli %[[TILE]], %c128
// CHECK-DAG:     %[[AT1:.*]] = arith.muli %[[TILE1]], %c128
// CHECK-DAG:     %[[AT2:.*]] = arith.muli %[[TILE2]], %c128
// CHECK-DAG:     %[[AT3:.*]] = arith.muli %[[TILE3]], %c128
// CHECK:         %{{.*}}:16 = scf.for %[[STEP:.*]] = %c0 to %c2 step %c1
// CHECK:           %[[OFFSET:.*]] = arith.muli %[[STEP]], %c64
// CHECK:           %[[NOW:.*]] = arith.addi %[[AT]], %[[OFFSET]]
// CHECK:           %[[NOW1:.*]] = arith.addi %[[AT1]], %[[OFFSET]]
// CHECK:           %[[NOW2:.*]] = arith.addi %[[AT2]], %[[OFFSET]]
// CHECK:           %[[NOW3:.*]] = arith.addi %[[AT3]], %[[OFFSET]]
// CHECK:           %[[FETCH:.*]] = arith.addi %[[NOW]], %c2048
// CHECK:           memref.prefetch %{{.*}}[%[[FETCH]]], read, locality<3>, data
// CHECK:           %[[FETCH1:.*]] = arith.addi %[[NOW1]], %c2560
// CHECK:           memref.prefetch %{{.*}}[%[[FETCH1]]]
// CHECK:           %[[FETCH2:.*]] = arith.addi %[[NOW2]], %c3072
// CHECK:           memref.prefetch %{{.*}}[%[[FETCH2]]]
// CHECK:           %[[FETCH3:.*]] = arith.addi %[[NOW3]], %c3584
// CHECK:           memref.prefetch %{{.*}}[%[[FETCH3]]]
// Activations, too, from where another thread left them.
// CHECK:           %[[COLUMN:.*]] = arith.muli %[[STEP]], %c16
// CHECK:           %[[LATER:.*]] = arith.addi %[[COLUMN]], %c512
// CHECK:           memref.prefetch %{{.*}}[%c0, %[[LATER]]], read, locality<3>, data : memref<?x32xi8>
// CHECK:           vector.load %{{.*}}[%[[NOW]]] : memref<8320xi8>, vector<64xi8>
// CHECK:           vector.load %{{.*}}[%[[NOW1]]] : memref<8320xi8>, vector<64xi8>
// CHECK:           vector.load %{{.*}}[%[[NOW2]]] : memref<8320xi8>, vector<64xi8>
// CHECK:           vector.load %{{.*}}[%[[NOW3]]] : memref<8320xi8>, vector<64xi8>
// CHECK-COUNT-16:  vpdpbusd.512
// CHECK-COUNT-4: vector.store {{.*}} : memref<?x1040xi32>, vector<16xi32>
// CHECK:         scf.reduce
// CHECK-NEXT:  } {tern.kernel = {{.*}}, tern.streams = 4 : i64}
// CHECK:       %{{.*}}:4 = scf.for
// CHECK:         vector.load %{{.*}} : memref<8320xi8>, vector<64xi8>
// CHECK-COUNT-4: vpdpbusd.512
// CHECK:       vector.store %{{.*}}[%c0, %c1024] : memref<?x1040xi32>, vector<16xi32>

// CPUs with AVX512-VBMI fetch further ahead, into the second cache, unless they have tiles.
// FAR-LABEL: func.func private @ternary_packed_matmul_i2_1040x32_avx512vbmi(
// FAR:         scf.parallel
// FAR:           %[[AHEAD:.*]] = arith.addi %{{.*}}, %c6144
// FAR-NEXT:      memref.prefetch %{{.*}}[%[[AHEAD]]], read, locality<2>, data
// FAR-NEXT:      arith.addi %{{.*}}, %c6656
// FAR-NEXT:      memref.prefetch %{{.*}}, read, locality<2>, data
// FAR-NEXT:      arith.addi %{{.*}}, %c7168
// FAR-NEXT:      memref.prefetch %{{.*}}, read, locality<2>, data
// FAR-NEXT:      arith.addi %{{.*}}, %c7680
// FAR-NEXT:      memref.prefetch %{{.*}}, read, locality<2>, data
// NEAR-LABEL: func.func private @ternary_packed_matmul_i2_1040x32_amx(
// NEAR:          scf.parallel
// NEAR:            %[[AHEAD:.*]] = arith.addi %{{.*}}, %c2048
// NEAR-NEXT:       memref.prefetch %{{.*}}[%[[AHEAD]]], read, locality<3>, data

// Where registers are few, a tile at a time: it has two strips of 8 rows.
// ONE-LABEL: func.func private @ternary_packed_matmul_i2_1040x32_avx2(
// ONE:       scf.parallel (%{{.*}}) = (%c0) to (%c130) step (%c2)
// ONE:         memref.prefetch {{.*}} : memref<8320xi8>
// ONE:         memref.prefetch {{.*}} : memref<?x32xi8>
// ONE-NOT:     memref.prefetch
// ONE:         scf.reduce
// ONE-NEXT:  } {tern.kernel = {{.*}}, tern.streams = 1 : i64}

// Too few tiles to share out in fours: 33 are two parts of 16 and one.
func.func @few(%x: memref<1x32xi8>, %b: memref<4224xi8>, %y: memref<1x528xi32>) {
  ternary.packed_matmul !ternary.matrix<528x32, #i2> ins(%x, %b : memref<1x32xi8>, memref<4224xi8>) outs(%y : memref<1x528xi32>)
  return
}
// CHECK-LABEL: func.func private @ternary_packed_matmul_i2_528x32_avx512vnni(
// CHECK:       scf.parallel (%{{.*}}) = (%c0) to (%c16) step (%c1)
// CHECK:         %{{.*}}:8 = scf.for
// CHECK:       tern.streams = 2 : i64}
// CHECK:       %{{.*}}:4 = scf.for
// CHECK:       vector.store %{{.*}}[%c0, %c512] : memref<?x528xi32>, vector<16xi32>
