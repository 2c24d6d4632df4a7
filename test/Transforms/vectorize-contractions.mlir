// RUN: tern-opt %s --pass-pipeline="builtin.module(func.func(tern-vectorize-contractions{lanes=16 registers=32},canonicalize,cse))" | FileCheck %s --check-prefixes=CHECK,WIDE
// RUN: tern-opt %s --pass-pipeline="builtin.module(func.func(tern-vectorize-contractions,canonicalize,cse))" | FileCheck %s --check-prefixes=CHECK,NARROW
// RUN: not tern-opt %s --pass-pipeline="builtin.module(func.func(tern-vectorize-contractions{lanes=12}))" 2>&1 | FileCheck %s --check-prefix=LANES

// LANES: error: found 12 lanes; expected a power of two from 4 to 64

#x = affine_map<(m, n, k) -> (m, k)>
#bt = affine_map<(m, n, k) -> (n, k)>
#b = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// One row: dot products of eight columns at a time share its loads. Their lanes
// are added up together, 32 to 8 in three steps; the head is read as bf16, and
// the blocks of 64 columns are shared out.
// CHECK-LABEL: func.func @head(
// WIDE:          scf.parallel (%{{.*}}) = (%c0) to (%c64) step (%c1)
// WIDE:            scf.for {{.*}} -> (vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>)
// WIDE:              vector.load %{{.*}} : memref<1x384xf32>, vector<16xf32>
// WIDE:              %[[W:.*]] = vector.load %{{.*}} : memref<4096x384xbf16>, vector<16xbf16>
// WIDE:              arith.extf %[[W]] : vector<16xbf16> to vector<16xf32>
// Hardware asks for long rows ahead.
// WIDE-NOT:          memref.prefetch
// WIDE:              arith.mulf {{.*}} fastmath<contract> : vector<16xf32>
// WIDE-COUNT-7:    vector.shuffle {{.*}} : vector<16xf32>, vector<16xf32>
// WIDE:            vector.store %{{.*}} : memref<1x4096xf32>, vector<8xf32>
// NARROW:          vector.load %{{.*}} : memref<4096x384xbf16>, vector<4xbf16>
// CHECK-NOT:     linalg.generic
// CHECK-NOT:     vector.maskedload
// CHECK:         return
func.func @head(%x: memref<1x384xf32>, %w: memref<4096x384xbf16>, %y: memref<1x4096xf32>) {
  linalg.generic {indexing_maps = [#x, #bt, #y], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : memref<1x384xf32>, memref<4096x384xbf16>) outs(%y : memref<1x4096xf32>) {
  ^bb0(%p: f32, %q: bf16, %o: f32):
    %e = arith.extf %q : bf16 to f32
    %m = arith.mulf %p, %e fastmath<contract> : f32
    %s = arith.addf %o, %m fastmath<reassoc,contract> : f32
    linalg.yield %s : f32
  }
  return
}

// Columns are contiguous in a factor and in the result: three rows by 64 columns
// are twelve accumulators, which start as what the result holds. Values are read
// once, and asked for 24 rows, 6,144 bytes, ahead. In a parallel loop, nothing is
// shared out again.
// CHECK-LABEL: func.func @values(
// CHECK:         scf.parallel
// CHECK-NOT:     scf.parallel
// WIDE-COUNT-12: vector.load %{{.*}} : memref<3x64xf32>, vector<16xf32>
// WIDE:          scf.for
// WIDE:            vector.load %{{.*}}[%[[ROW:.*]], %c0] : memref<?x64xf32>, vector<16xf32>
// WIDE:            %[[AHEAD:.*]] = arith.addi %[[ROW]], %c24 : index
// WIDE-COUNT-4:    memref.prefetch %{{.*}}[%[[AHEAD]], %{{.*}}], read, locality<3>, data : memref<?x64xf32>
// WIDE:            %[[P:.*]] = memref.load %{{.*}} : memref<3x?xf32>
// WIDE:            vector.broadcast %[[P]] : f32 to vector<16xf32>
// WIDE-COUNT-12:   arith.addf {{.*}} fastmath<contract> : vector<16xf32>
// WIDE:          vector.store
// CHECK:         return
func.func @values(%p: memref<3x?xf32>, %v: memref<?x64xf32>, %y: memref<3x64xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.parallel (%i) = (%c0) to (%n) step (%c1) {
    linalg.generic {indexing_maps = [#x, #b, #y], iterator_types = ["parallel", "parallel", "reduction"]}
        ins(%p, %v : memref<3x?xf32>, memref<?x64xf32>) outs(%y : memref<3x64xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %m = arith.mulf %b, %a : f32
      %s = arith.addf %m, %o fastmath<reassoc> : f32
      linalg.yield %s : f32
    }
  }
  return
}

// Sizes that a run chooses: the last rows are as many as are left, the last
// columns and the rest of the sum come masked.
// CHECK-LABEL: func.func @dynamic(
// WIDE:          scf.index_switch
// WIDE:          case 5
// NARROW:        scf.index_switch
// NARROW-NOT:    case 3
// CHECK:         vector.create_mask
// CHECK:         vector.maskedload
// CHECK:         return
func.func @dynamic(%x: memref<?x?xf16>, %w: memref<?x?xf16, strided<[?, 1], offset: ?>>, %y: memref<?x?xf32>) {
  linalg.generic {indexing_maps = [#x, #bt, #y], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : memref<?x?xf16>, memref<?x?xf16, strided<[?, 1], offset: ?>>) outs(%y : memref<?x?xf32>) {
  ^bb0(%p: f16, %q: f16, %o: f32):
    %d = arith.extf %p : f16 to f32
    %e = arith.extf %q : f16 to f32
    %m = arith.mulf %d, %e : f32
    %s = arith.addf %o, %m fastmath<reassoc> : f32
    linalg.yield %s : f32
  }
  return
}

// What may not be reassociated stays, and so do products that are rounded to a
// short float first, squares, and factors that jump.
// CHECK-LABEL: func.func @others(
// CHECK-COUNT-4: linalg.generic
// CHECK-NOT:     vector.
// CHECK:         return
func.func @others(%x: memref<4x8xf32>, %w: memref<16x8xf32>, %y: memref<4x16xf32>, %z: memref<4xf32>, %h: memref<4x8xf16>, %g: memref<16x8xf16>, %j: memref<16x8xf32, strided<[8, 2]>>) {
  linalg.generic {indexing_maps = [#x, #bt, #y], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : memref<4x8xf32>, memref<16x8xf32>) outs(%y : memref<4x16xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %o, %m : f32
    linalg.yield %s : f32
  }
  linalg.generic {indexing_maps = [#x, #bt, #y], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%h, %g : memref<4x8xf16>, memref<16x8xf16>) outs(%y : memref<4x16xf32>) {
  ^bb0(%p: f16, %q: f16, %o: f32):
    %m = arith.mulf %p, %q : f16
    %e = arith.extf %m : f16 to f32
    %s = arith.addf %o, %e fastmath<reassoc> : f32
    linalg.yield %s : f32
  }
  linalg.generic {indexing_maps = [affine_map<(m, k) -> (m, k)>, affine_map<(m, k) -> (m)>], iterator_types = ["parallel", "reduction"]}
      ins(%x : memref<4x8xf32>) outs(%z : memref<4xf32>) {
  ^bb0(%p: f32, %o: f32):
    %m = arith.mulf %p, %p : f32
    %s = arith.addf %o, %m fastmath<reassoc> : f32
    linalg.yield %s : f32
  }
  linalg.generic {indexing_maps = [#x, #bt, #y], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %j : memref<4x8xf32>, memref<16x8xf32, strided<[8, 2]>>) outs(%y : memref<4x16xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %o, %m fastmath<reassoc> : f32
    linalg.yield %s : f32
  }
  return
}

// Two rows by eight columns are sixteen sums, whose lanes are added up together, as
// one vector holds them: 256 to 16 in four steps, each of which has two shuffles for
// a vector that it leaves. They are put in order, and taken apart. Vectors of 4 hold
// no more than a row's sums of four columns.
// CHECK-LABEL: func.func @two_rows(
// CHECK-SAME:      %{{[^,]*}}, %{{[^,]*}}, %[[Y:.*]]: memref<2x8xf32>)
// WIDE:          %[[SUMS:.*]]:16 = scf.for
// WIDE:          vector.shuffle %[[SUMS]]#0, %[[SUMS]]#1 [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23]
// WIDE-NEXT:     vector.shuffle %[[SUMS]]#0, %[[SUMS]]#1 [8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31]
// WIDE-NEXT:     arith.addf {{.*}} fastmath<contract> : vector<16xf32>
// WIDE-COUNT-27: vector.shuffle
// WIDE-NEXT:     %[[HIGH:.*]] = vector.shuffle
// WIDE-NEXT:     %[[MIXED:.*]] = arith.addf %{{.*}}, %[[HIGH]] fastmath<contract> : vector<16xf32>
// WIDE-NEXT:     %[[ALL:.*]] = vector.shuffle %[[MIXED]], %[[MIXED]] [0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15]
// WIDE-NEXT:     %[[FIRST:.*]] = vector.extract_strided_slice %[[ALL]] {offsets = [0], sizes = [8], strides = [1]}
// WIDE-NEXT:     %[[BEFORE:.*]] = vector.load %[[Y]][%c0, %c0] : memref<2x8xf32>, vector<8xf32>
// WIDE-NEXT:     %[[AFTER:.*]] = arith.addf %[[BEFORE]], %[[FIRST]]
// WIDE-NEXT:     vector.store %[[AFTER]], %[[Y]][%c0, %c0]
// WIDE-NEXT:     %[[SECOND:.*]] = vector.extract_strided_slice %[[ALL]] {offsets = [8], sizes = [8], strides = [1]}
// WIDE-NEXT:     %[[BEFORE:.*]] = vector.load %[[Y]][%c1, %c0] : memref<2x8xf32>, vector<8xf32>
// WIDE-NEXT:     %[[AFTER:.*]] = arith.addf %[[BEFORE]], %[[SECOND]]
// WIDE-NEXT:     vector.store %[[AFTER]], %[[Y]][%c1, %c0]
// NARROW:        scf.for %[[COLUMN:.*]] = %c0 to %c8 step %c4
// NARROW:          %[[SUMS:.*]]:8 = scf.for
// NARROW:          vector.shuffle %[[SUMS]]#0, %[[SUMS]]#1 [0, 1, 4, 5]
// NARROW-COUNT-4:  vector.shuffle
// NARROW-NEXT:     %[[HIGH:.*]] = vector.shuffle
// NARROW-NEXT:     %[[FIRST:.*]] = arith.addf %{{.*}}, %[[HIGH]] fastmath<contract> : vector<4xf32>
// NARROW-NEXT:     %[[BEFORE:.*]] = vector.load %[[Y]][%c0, %[[COLUMN]]] : memref<2x8xf32>, vector<4xf32>
// NARROW-NEXT:     %[[AFTER:.*]] = arith.addf %[[BEFORE]], %[[FIRST]]
// NARROW-NEXT:     vector.store %[[AFTER]], %[[Y]][%c0, %[[COLUMN]]]
// NARROW-NEXT:     vector.shuffle %[[SUMS]]#4, %[[SUMS]]#5 [0, 1, 4, 5]
// NARROW-COUNT-4:  vector.shuffle
// NARROW-NEXT:     %[[HIGH:.*]] = vector.shuffle
// NARROW-NEXT:     %[[SECOND:.*]] = arith.addf %{{.*}}, %[[HIGH]] fastmath<contract> : vector<4xf32>
// NARROW-NEXT:     %[[BEFORE:.*]] = vector.load %[[Y]][%c1, %[[COLUMN]]] : memref<2x8xf32>, vector<4xf32>
// NARROW-NEXT:     %[[AFTER:.*]] = arith.addf %[[BEFORE]], %[[SECOND]]
// NARROW-NEXT:     vector.store %[[AFTER]], %[[Y]][%c1, %[[COLUMN]]]
// CHECK-NOT:     linalg.generic
// CHECK:         return
func.func @two_rows(%x: memref<2x64xf32>, %w: memref<8x64xf32>, %y: memref<2x8xf32>) {
  linalg.generic {indexing_maps = [#x, #bt, #y], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : memref<2x64xf32>, memref<8x64xf32>) outs(%y : memref<2x8xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %m = arith.mulf %p, %q fastmath<contract> : f32
    %s = arith.addf %o, %m fastmath<reassoc,contract> : f32
    linalg.yield %s : f32
  }
  return
}

// Keys in codes of i8 are widened as they are read; each is a line of the cache,
// asked for 96 keys, 6,144 bytes, ahead. The sums of three rows are no power of
// two: each row's are added up on their own.
// CHECK-LABEL: func.func @codes(
// WIDE:          %[[AHEAD:.*]] = arith.addi %[[KEY:.*]], %c96 : index
// WIDE-NEXT:     memref.prefetch %{{.*}}[%[[AHEAD]], %c0], read, locality<3>, data : memref<?x64xi8>
// WIDE-COUNT-7:  memref.prefetch
// WIDE-NOT:      memref.prefetch
// WIDE:          %[[K:.*]] = vector.load %{{.*}}[%[[KEY]], %{{.*}}] : memref<?x64xi8>, vector<16xi8>
// WIDE-NEXT:     arith.sitofp %[[K]] : vector<16xi8> to vector<16xf32>
// WIDE-NOT:      vector.extract_strided_slice
// WIDE-COUNT-3:  vector.store {{.*}} : memref<3x?xf32>, vector<8xf32>
// WIDE-NOT:      vector.extract_strided_slice
// WIDE-COUNT-3:  memref.store {{.*}} : memref<3x?xf32>
// CHECK-NOT:     vector.extract_strided_slice
// CHECK-NOT:     linalg.generic
// CHECK:         return
func.func @codes(%q: memref<3x64xf32>, %k: memref<?x64xi8>, %y: memref<3x?xf32>) {
  linalg.generic {indexing_maps = [#x, #bt, #y], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%q, %k : memref<3x64xf32>, memref<?x64xi8>) outs(%y : memref<3x?xf32>) {
  ^bb0(%a: f32, %b: i8, %o: f32):
    %c = arith.sitofp %b : i8 to f32
    %m = arith.mulf %a, %c fastmath<contract> : f32
    %s = arith.addf %o, %m fastmath<reassoc,contract> : f32
    linalg.yield %s : f32
  }
  return
}

// Six rows and more read keys again and again, from a cache.
// CHECK-LABEL: func.func @many_rows(
// CHECK-NOT:     memref.prefetch
// CHECK-NOT:     linalg.generic
// CHECK:         return
func.func @many_rows(%q: memref<6x64xf32>, %k: memref<?x64xi8>, %y: memref<6x?xf32>) {
  linalg.generic {indexing_maps = [#x, #bt, #y], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%q, %k : memref<6x64xf32>, memref<?x64xi8>) outs(%y : memref<6x?xf32>) {
  ^bb0(%a: f32, %b: i8, %o: f32):
    %c = arith.sitofp %b : i8 to f32
    %m = arith.mulf %a, %c fastmath<contract> : f32
    %s = arith.addf %o, %m fastmath<reassoc,contract> : f32
    linalg.yield %s : f32
  }
  return
}

// Other integers are no codes.
// CHECK-LABEL: func.func @integers(
// CHECK:         linalg.generic
func.func @integers(%q: memref<6x64xf32>, %k: memref<?x64xi32>, %y: memref<6x?xf32>) {
  linalg.generic {indexing_maps = [#x, #bt, #y], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%q, %k : memref<6x64xf32>, memref<?x64xi32>) outs(%y : memref<6x?xf32>) {
  ^bb0(%a: f32, %b: i32, %o: f32):
    %c = arith.sitofp %b : i32 to f32
    %m = arith.mulf %a, %c fastmath<contract> : f32
    %s = arith.addf %o, %m fastmath<reassoc,contract> : f32
    linalg.yield %s : f32
  }
  return
}
