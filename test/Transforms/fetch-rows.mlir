// RUN: tern-opt %s --tern-fetch-rows=min-bytes=24 --canonicalize --split-input-file | FileCheck %s
// RUN: tern-opt %s --tern-fetch-rows=min-bytes=25 --split-input-file | FileCheck %s --check-prefix=LARGE
// RUN: tern-opt %s --tern-fetch-rows --split-input-file | FileCheck %s --check-prefix=LARGE

// Every row once, before it is gone along; what does not differ along it, once
// too. A constant of 24 bytes is as large as asked for.
// LARGE-NOT:   ternary.fetch
// LARGE-NOT:   tern.fetched
// CHECK:       memref.global "private" constant @table : memref<4x3xf16> = dense<1.000000e+00> {tern.fetched}
// CHECK-LABEL: func.func @lookup(
// CHECK-SAME:    %[[IDS:.*]]: memref<?x?xi64>, %[[Y:.*]]: memref<?x?x3xf32>)
// CHECK:         %[[T:.*]] = memref.get_global @table
// CHECK:         scf.parallel (%[[I:.*]], %[[J:.*]]) =
// CHECK-NEXT:      %[[ID:.*]] = memref.load %[[IDS]][%[[I]], %[[J]]]
// CHECK-NEXT:      %[[ROW:.*]] = arith.index_cast %[[ID]] : i64 to index
// CHECK-NEXT:      %[[B:.*]] = memref.alloc() {alignment = 64 : i64} : memref<3xf16>
// CHECK-NEXT:      ternary.fetch %[[T]][%[[ROW]]], %[[B]] : memref<4x3xf16>, memref<3xf16>
// CHECK-NEXT:      scf.for %[[C:.*]] = %{{.*}} to %{{.*}} step
// CHECK-NEXT:        %[[W:.*]] = memref.load %[[B]][%[[C]]] : memref<3xf16>
// CHECK-NEXT:        %[[F:.*]] = arith.extf %[[W]]
// CHECK-NEXT:        memref.store %[[F]], %[[Y]][%[[I]], %[[J]], %[[C]]]
// CHECK-NOT:     memref.load %[[T]]
// CHECK:         return
memref.global "private" constant @table : memref<4x3xf16> = dense<1.0>
#ids = affine_map<(d0, d1, d2) -> (d0, d1)>
#all = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
func.func @lookup(%ids: memref<?x?xi64>, %y: memref<?x?x3xf32>) {
  %table = memref.get_global @table : memref<4x3xf16>
  linalg.generic {indexing_maps = [#ids, #all], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%ids : memref<?x?xi64>) outs(%y : memref<?x?x3xf32>) {
  ^bb0(%id: i64, %out: f32):
    %row = arith.index_cast %id : i64 to index
    %column = linalg.index 2 : index
    %w = memref.load %table[%row, %column] : memref<4x3xf16>
    %f = arith.extf %w : f16 to f32
    linalg.yield %f : f32
  }
  return
}

// -----

// Not what another part of each row, or a row for each element, is read of; not
// what is no constant, or has another type than floats.
// CHECK-NOT:   tern.fetched
// CHECK-NOT:   ternary.fetch
// CHECK-LABEL: func.func @others(
// LARGE-LABEL: func.func @others(
memref.global "private" constant @table : memref<3x3xf32> = dense<1.0>
memref.global "private" constant @wide : memref<4x9xf32> = dense<1.0>
memref.global "private" @written : memref<4x3xf32> = dense<1.0>
memref.global "private" constant @numbers : memref<4x3xi32> = dense<1>
#row = affine_map<(d0, d1) -> (d0)>
#all = affine_map<(d0, d1) -> (d0, d1)>
func.func @others(%ids: memref<?xi64>, %each: memref<?x3xi64>, %y: memref<?x3xf32>, %z: memref<?x3xi32>) {
  %table = memref.get_global @table : memref<3x3xf32>
  %wide = memref.get_global @wide : memref<4x9xf32>
  %written = memref.get_global @written : memref<4x3xf32>
  %numbers = memref.get_global @numbers : memref<4x3xi32>
  linalg.generic {indexing_maps = [#row, #all, #all], iterator_types = ["parallel", "parallel"]}
      ins(%ids, %each : memref<?xi64>, memref<?x3xi64>) outs(%y : memref<?x3xf32>) {
  ^bb0(%id: i64, %own: i64, %out: f32):
    %row = arith.index_cast %id : i64 to index
    %ownRow = arith.index_cast %own : i64 to index
    %column = linalg.index 1 : index
    %a = memref.load %table[%column, %column] : memref<3x3xf32>
    %b = memref.load %table[%row, %row] : memref<3x3xf32>
    %c = memref.load %table[%ownRow, %column] : memref<3x3xf32>
    %d = memref.load %wide[%row, %column] : memref<4x9xf32>
    %e = memref.load %written[%row, %column] : memref<4x3xf32>
    %ab = arith.addf %a, %b : f32
    %abc = arith.addf %ab, %c : f32
    %abcd = arith.addf %abc, %d : f32
    %sum = arith.addf %abcd, %e : f32
    linalg.yield %sum : f32
  }
  linalg.generic {indexing_maps = [#row, #all], iterator_types = ["parallel", "parallel"]}
      ins(%ids : memref<?xi64>) outs(%z : memref<?x3xi32>) {
  ^bb0(%id: i64, %out: i32):
    %row = arith.index_cast %id : i64 to index
    %column = linalg.index 1 : index
    %w = memref.load %numbers[%row, %column] : memref<4x3xi32>
    linalg.yield %w : i32
  }
  return
}

// -----

// A row that is the same for all, from outside of the loop. A constant that
// others read as well is not only fetched.
// CHECK:       memref.global "private" constant @table : memref<4x3xf32> = dense<1.000000e+00>{{$}}
// Nor is one that nobody reads.
// CHECK:       memref.global "private" constant @unread : memref<4x3xf32> = dense<2.000000e+00>{{$}}
// CHECK-LABEL: func.func @shared(
// CHECK:         %[[TWO:.*]] = arith.constant 2 : index
// CHECK:         %[[T:.*]] = memref.get_global @table
// CHECK:         scf.parallel
// CHECK:           ternary.fetch %[[T]][%[[TWO]]]
// CHECK:         memref.copy %[[T]]
memref.global "private" constant @table : memref<4x3xf32> = dense<1.0>
memref.global "private" constant @unread : memref<4x3xf32> = dense<2.0>
#all = affine_map<(d0, d1) -> (d0, d1)>
func.func @shared(%y: memref<?x3xf32>, %z: memref<4x3xf32>) {
  %two = arith.constant 2 : index
  %unread = memref.get_global @unread : memref<4x3xf32>
  %table = memref.get_global @table : memref<4x3xf32>
  linalg.generic {indexing_maps = [#all], iterator_types = ["parallel", "parallel"]} outs(%y : memref<?x3xf32>) {
  ^bb0(%out: f32):
    %column = linalg.index 1 : index
    %w = memref.load %table[%two, %column] : memref<4x3xf32>
    linalg.yield %w : f32
  }
  memref.copy %table, %z : memref<4x3xf32> to memref<4x3xf32>
  return
}

// -----

// The rows of a head with a screen are fetched by its lowering, whoever reads
// all of them.
// CHECK:       memref.global "private" constant @rows : memref<90x60xbf16> = dense<1.000000e+00> {tern.fetched}
// CHECK:       memref.global "private" constant @codes : memref<4608xi8> = dense<1>{{$}}
// CHECK:       memref.global "private" constant @all : memref<90x60xbf16> = dense<1.000000e+00>{{$}}
memref.global "private" constant @rows : memref<90x60xbf16> = dense<1.0>
memref.global "private" constant @codes : memref<4608xi8> = dense<1>
memref.global "private" constant @all : memref<90x60xbf16> = dense<1.0>
func.func @heads(%x: memref<60xf32>, %best: index, %b: memref<6x33xbf16>, %y: memref<90xf32>, %z: memref<90xf32>, %copy: memref<90x60xbf16>) {
  %rows = memref.get_global @rows : memref<90x60xbf16>
  %c = memref.get_global @codes : memref<4608xi8>
  %all = memref.get_global @all : memref<90x60xbf16>
  ternary.head ins(%x, %rows, %best : memref<60xf32>, memref<90x60xbf16>)
      screen(%c, %b : memref<4608xi8>, memref<6x33xbf16>) outs(%y : memref<90xf32>)
  ternary.head ins(%x, %all, %best : memref<60xf32>, memref<90x60xbf16>) outs(%z : memref<90xf32>)
  memref.copy %rows, %copy : memref<90x60xbf16> to memref<90x60xbf16>
  return
}
