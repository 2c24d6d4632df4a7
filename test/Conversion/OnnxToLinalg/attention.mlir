// RUN: tern-opt %s --convert-onnx-to-linalg --canonicalize --cse --split-input-file | FileCheck %s

// One parallel loop over batches, heads of keys, and blocks of 64 rows: 32 queries
// of each head of the group. A causal block reads no key behind its last query. Keys
// are sliced where they are, and the joined heads of the queries need no transposition.
//
// A block with more than half as many queries has them side by side in columns, into
// which they are transposed once. Its tiles have 60 keys, whose scores are masked if some
// query cannot reach all of them.
//
// Other blocks have queries in rows, and tiles of 4096 scores.

// CHECK-DAG:   #[[QUERY:.*]] = affine_map<(d0, d1, d2, d3) -> (d1, d0, d3)>
// CHECK-DAG:   #[[KEY:.*]] = affine_map<(d0, d1, d2, d3) -> (d2, d3)>
// CHECK-DAG:   #[[SCORE:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>
// CHECK-DAG:   #[[VALUE:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d3)>
// CHECK-DAG:   #[[APART:.*]] = affine_map<(d0, d1, d2) -> (d2, d1, d0)>
// CHECK-DAG:   #[[IN_ORDER:.*]] = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
// CHECK-DAG:   #[[KEY_ROW:.*]] = affine_map<(d0, d1, d2) -> (d0, d2)>
// CHECK-DAG:   #[[QUERY_COLUMN:.*]] = affine_map<(d0, d1, d2) -> (d2, d1)>
// CHECK-DAG:   #[[WEIGHT_ROW:.*]] = affine_map<(d0, d1, d2) -> (d2, d0)>
// CHECK-DAG:   #[[SCORE_OF:.*]] = affine_map<(d0, d1, d2) -> (d0, d1)>
// CHECK-LABEL: func.func @shared_heads(
// CHECK-SAME:      %[[Q:[^:]*]]: tensor<?x?x64xf32> {{[^%]*}}%[[K:[^:]*]]: tensor<?x?x32xf32>
// CHECK-NOT:     linalg
// CHECK-DAG:     %[[KEYS:.*]] = tensor.dim %[[K]], %c1
// CHECK-DAG:     %[[QUERIES:.*]] = tensor.dim %[[Q]], %c1
// CHECK-DAG:     %[[BATCH:.*]] = tensor.dim %[[Q]], %c0
// CHECK-DAG:     %[[QUERY4:.*]] = tensor.expand_shape %[[Q]] {{.*}} into tensor<?x?x4x16xf32>
// CHECK-DAG:     %[[KEY4:.*]] = tensor.expand_shape %[[K]] {{.*}} into tensor<?x?x2x16xf32>
// CHECK:         %[[BLOCKS:.*]] = arith.ceildivsi %[[QUERIES]], %c32
// CHECK:         %[[HEADS:.*]] = arith.muli %[[BATCH]], %c2
// CHECK:         %[[COUNT:.*]] = arith.muli %[[HEADS]], %[[BLOCKS]]
// CHECK:         scf.forall (%[[I:.*]]) in (%[[COUNT]]) shared_outs(%[[OUT:.*]] = %{{.*}}) -> (tensor<?x?x4x16xf32>) {
// CHECK:           %[[OUTER:.*]] = arith.divui %[[I]], %[[BLOCKS]]
// CHECK:           %[[BLOCK:.*]] = arith.remui %[[I]], %[[BLOCKS]]
// CHECK:           %[[B:.*]] = arith.divui %[[OUTER]], %c2
// CHECK:           %[[H:.*]] = arith.remui %[[OUTER]], %c2
// CHECK:           %[[FIRST:.*]] = arith.muli %[[BLOCK]], %c32
// CHECK:           %[[LEFT:.*]] = arith.subi %[[QUERIES]], %[[FIRST]]
// CHECK:           %[[N:.*]] = arith.minsi %[[LEFT]], %c32
// CHECK:           %[[HEAD:.*]] = arith.muli %[[H]], %c2
// CHECK:           %[[DEST:.*]] = tensor.extract_slice %[[OUT]][%[[B]], %[[FIRST]], %[[HEAD]], 0] [1, %[[N]], 2, 16]
// CHECK:           %[[MANY:.*]] = arith.cmpi sgt, %[[N]], %c16
// CHECK:           scf.if %[[MANY]]
// CHECK:             %[[ZEROS:.*]] = linalg.fill {{.*}} -> tensor<16x2x32xf32>
// CHECK:             %[[PRESENT:.*]] = tensor.extract_slice %[[ZEROS]][0, 0, 0] [16, 2, %[[N]]]
// CHECK:             %[[QUERIES2:.*]] = tensor.extract_slice %[[QUERY4]][%[[B]], %[[FIRST]], %[[HEAD]], 0] [1, %[[N]], 2, 16]
// CHECK:             linalg.generic {indexing_maps = [#[[APART]], #[[IN_ORDER]]], {{.*}} ins(%[[QUERIES2]] : {{.*}}) outs(%[[PRESENT]] : {{.*}})
// CHECK-NEXT:        ^bb0(%[[IN:.*]]: f32, %{{.*}}: f32):
// CHECK-NEXT:          linalg.yield %[[IN]] : f32
// CHECK:             %[[COLUMNS:.*]] = tensor.collapse_shape %{{.*}} {{\[}}[0], [1, 2]] : tensor<16x2x32xf32> into tensor<16x64xf32>
// CHECK:             %[[LASTC:.*]] = arith.addi %[[FIRST]], %[[N]]
// CHECK:             %[[SEENC:.*]] = arith.minsi %[[KEYS]], %[[LASTC]]
// CHECK:             %[[ENDC:.*]] = arith.maxsi %[[SEENC]], %c0
// CHECK:             %[[SCORES:.*]] = tensor.empty() : tensor<60x64xf32>
// CHECK:             scf.for %[[KEYC:.*]] = %c0 to %[[ENDC]] step %c60
// CHECK:               %[[RESTC:.*]] = arith.subi %[[ENDC]], %[[KEYC]]
// CHECK:               %[[MC:.*]] = arith.minsi %[[RESTC]], %c60
// CHECK:               tensor.extract_slice %[[SCORES]][0, 0] [%[[MC]], 64]
// CHECK:               %[[KC:.*]] = tensor.extract_slice %[[KEY4]][%[[B]], %[[KEYC]], %[[H]], 0] [1, %[[MC]], 1, 16]
// CHECK:               linalg.generic {indexing_maps = [#[[KEY_ROW]], #[[QUERY_COLUMN]], #[[SCORE_OF]]], {{.*}} ins(%[[KC]], %[[COLUMNS]] : {{.*}})
// CHECK:               %[[BEHIND:.*]] = arith.addi %[[KEYC]], %[[MC]]
// CHECK:               %[[LASTKEY:.*]] = arith.subi %[[BEHIND]], %c1
// CHECK:               %[[ALL:.*]] = arith.cmpi sle, %[[LASTKEY]], %[[FIRST]]
// CHECK:               scf.if %[[ALL]]
// CHECK-NEXT:            scf.yield
// CHECK-NEXT:          } else {
// CHECK:                 %[[COLUMN:.*]] = linalg.index 1
// CHECK:                 arith.remui %[[COLUMN]], %c32
// CHECK:                 arith.select
// CHECK:               linalg.generic {{.*}} iterator_types = ["reduction", "parallel"]} {{.*}} outs(%{{.*}} : tensor<64xf32>)
// CHECK:                 arith.maximumf
// CHECK:               linalg.generic {{.*}} iterator_types = ["reduction", "parallel"]} {{.*}} outs(%{{.*}} : tensor<64xf32>)
// CHECK:                 arith.addf
// CHECK:               tensor.extract_slice %{{.*}}[%[[B]], %[[KEYC]], %[[H]], 0] [1, %[[MC]], 1, 16]
// CHECK:               linalg.generic {indexing_maps = [#[[WEIGHT_ROW]], #[[QUERY_COLUMN]], #[[SCORE_OF]]], {{.*}} outs(%{{.*}} : tensor<64x16xf32>)
// CHECK:             linalg.generic {{.*}} outs(%[[DEST]] : {{.*}})
// CHECK:           } else {
// CHECK:           %[[LAST:.*]] = arith.addi %[[FIRST]], %[[N]]
// CHECK:           %[[SEEN:.*]] = arith.minsi %[[KEYS]], %[[LAST]]
// CHECK:           %[[END:.*]] = arith.maxsi %[[SEEN]], %c0
// CHECK:           %[[ROWS:.*]] = arith.muli %[[N]], %c2
// CHECK:           %[[STEP:.*]] = arith.ceildivsi %c4096, %[[ROWS]]
// CHECK:           scf.for %[[KEY0:.*]] = %c0 to %[[END]] step %[[STEP]] iter_args(%[[MAX:.*]] = %{{.*}}, %[[SUM:.*]] = %{{.*}}, %[[ACC:.*]] = %{{.*}}) -> (tensor<2x?xf32>, tensor<2x?xf32>, tensor<2x?x16xf32>) {
// CHECK:             %[[REST:.*]] = arith.subi %[[END]], %[[KEY0]]
// CHECK:             %[[M:.*]] = arith.minsi %[[STEP]], %[[REST]]
// CHECK:             %[[QS:.*]] = tensor.extract_slice %[[QUERY4]][%[[B]], %[[FIRST]], %[[HEAD]], 0] [1, %[[N]], 2, 16] [1, 1, 1, 1]
// CHECK:             %[[KS:.*]] = tensor.extract_slice %[[KEY4]][%[[B]], %[[KEY0]], %[[H]], 0] [1, %[[M]], 1, 16] [1, 1, 1, 1] : {{.*}} to tensor<?x16xf32>
// CHECK:             linalg.generic {indexing_maps = [#[[QUERY]], #[[KEY]], #[[SCORE]]], {{.*}} ins(%[[QS]], %[[KS]] : {{.*}}) outs(%{{.*}} : tensor<2x?x?xf32>)
// CHECK:             linalg.index
// CHECK:             arith.maximumf
// CHECK:             math.exp
// CHECK:             outs(%[[MAX]] : tensor<2x?xf32>)
// CHECK:             math.exp
// CHECK:             outs(%[[SUM]] : tensor<2x?xf32>)
// CHECK:             outs(%[[ACC]] : tensor<2x?x16xf32>)
// CHECK:             linalg.generic {indexing_maps = [#[[SCORE]], #[[KEY]], #[[VALUE]]], iterator_types = ["parallel", "parallel", "reduction", "parallel"]}
// CHECK:             scf.yield
// CHECK:           tensor.parallel_insert_slice %{{.*}} into %[[OUT]][%[[B]], %[[FIRST]], %[[HEAD]], 0] [1, %[[N]], 2, 16] [1, 1, 1, 1]
// CHECK-NOT:     linalg
// CHECK:         tensor.collapse_shape {{.*}} : tensor<?x?x4x16xf32> into tensor<?x?x64xf32>
func.func @shared_heads(%q: tensor<?x?x64xf32> {onnx.dims = ["b", "s", ""]},
                        %k: tensor<?x?x32xf32> {onnx.dims = ["b", "t", ""]},
                        %v: tensor<?x?x32xf32> {onnx.dims = ["b", "t", ""]}) -> tensor<?x?x64xf32> {
  %y = onnx.node "Attention"(%q, %k, %v) {q_num_heads = 4 : i64, kv_num_heads = 2 : i64, is_causal = 1 : i64}
    : (tensor<?x?x64xf32>, tensor<?x?x32xf32>, tensor<?x?x32xf32>) -> tensor<?x?x64xf32>
  return %y : tensor<?x?x64xf32>
}

// -----

// f16 is multiplied and normalised in f32.

// CHECK-LABEL: func.func @half_precision(
// CHECK:         arith.mulf %{{.*}} : f32
// CHECK:         math.exp %{{.*}} : f32
// CHECK:         arith.truncf %{{.*}} : f32 to f16
// CHECK-NOT:     math.exp
func.func @half_precision(%q: tensor<1x2x3x8xf16>, %k: tensor<1x2x5x8xf16>, %v: tensor<1x2x5x8xf16>)
    -> tensor<1x2x3x8xf16> {
  %y = onnx.node "Attention"(%q, %k, %v)
    : (tensor<1x2x3x8xf16>, tensor<1x2x5x8xf16>, tensor<1x2x5x8xf16>) -> tensor<1x2x3x8xf16>
  return %y : tensor<1x2x3x8xf16>
}

// -----

// Counts that limit the keys of a batch limit the loop too; the queries stand at
// the end of them, at one offset for the block. Without positions nothing is
// compared.

// CHECK-LABEL: func.func @counted_keys(
// CHECK-SAME:      %[[COUNTS:[^:]*]]: tensor<1xi64>
// CHECK:         scf.forall
// CHECK-DAG:       %[[COUNT:.*]] = tensor.extract %[[COUNTS]]
// CHECK-DAG:       %[[KEYS:.*]] = arith.index_cast %[[COUNT]]
// CHECK:           arith.minsi %[[KEYS]], %c64
// CHECK-NOT:       linalg.index
// CHECK:           arith.maximumf
func.func @counted_keys(%counts: tensor<1xi64>, %q: tensor<1x2x1x8xf32>, %k: tensor<1x2x64x8xf32>, %v: tensor<1x2x64x8xf32>)
    -> tensor<1x2x1x8xf32> {
  %none = onnx.none
  %y = onnx.node "Attention"(%q, %k, %v, %none, %none, %none, %counts)
    : (tensor<1x2x1x8xf32>, tensor<1x2x64x8xf32>, tensor<1x2x64x8xf32>, none, none, none, tensor<1xi64>) -> tensor<1x2x1x8xf32>
  return %y : tensor<1x2x1x8xf32>
}

// -----

// A mask is sliced like the scores, whatever it broadcasts over, and a window
// starts the loop late. Scores that are masked so stay in rows.

// CHECK-LABEL: func.func @masked_window(
// CHECK-SAME:      %[[MASK:[^:]*]]: tensor<1x1x?x?xf32>
// CHECK:         scf.forall
// CHECK:           %[[FIRST:.*]] = arith.muli %{{.*}}, %c16
// CHECK:           %[[BEFORE:.*]] = arith.subi %[[FIRST]], %c7
// CHECK:           %[[START:.*]] = arith.maxsi %[[BEFORE]], %c0
// CHECK-NOT:       scf.if
// CHECK:           scf.for %[[KEY0:.*]] = %[[START]] to
// CHECK:             tensor.extract_slice {{.*}}[0, 0, 0, %[[FIRST]], %[[KEY0]]] [1, 1, 1, %{{.*}}, %{{.*}}] [1, 1, 1, 1, 1] : {{.*}} to tensor<?x?xf32>
func.func @masked_window(%mask: tensor<1x1x?x?xf32> {onnx.dims = ["", "", "s", "t"]},
                         %q: tensor<1x4x?x8xf32> {onnx.dims = ["", "", "s", ""]},
                         %k: tensor<1x1x?x8xf32> {onnx.dims = ["", "", "t", ""]},
                         %v: tensor<1x1x?x8xf32> {onnx.dims = ["", "", "t", ""]}) -> tensor<1x4x?x8xf32> {
  %y = onnx.node "Attention"(%q, %k, %v, %mask) {is_causal = 1 : i64, left_window_size = 7 : i64}
    : (tensor<1x4x?x8xf32>, tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>, tensor<1x1x?x?xf32>) -> tensor<1x4x?x8xf32>
  return %y : tensor<1x4x?x8xf32>
}

// -----

// The last query stands at the last key counted: positions need no tensor.

// CHECK-LABEL: func.func @ends_at_last_key(
// CHECK-SAME:      %[[COUNT:[^:]*]]: index
// CHECK-SAME:      %[[Q:[^:]*]]: tensor<1x2x?x8xf32>
// CHECK-DAG:     %[[QUERIES:.*]] = tensor.dim %[[Q]], %c2
// CHECK-NOT:     linalg
// CHECK:         scf.forall
// CHECK-DAG:       %[[OFFSET:.*]] = arith.subi %[[COUNT]], %[[QUERIES]]
// CHECK-DAG:       %[[FIRST:.*]] = arith.muli %{{.*}}, %c64
// CHECK:           %[[POSITION:.*]] = arith.addi %{{.*}}, %{{.*}}
// CHECK-NOT:       tensor.extract %
// CHECK:           scf.for
func.func @ends_at_last_key(%count: index, %q: tensor<1x2x?x8xf32>, %k: tensor<1x2x64x8xf32>, %v: tensor<1x2x64x8xf32>)
    -> tensor<1x2x?x8xf32> {
  %none = onnx.none
  %integer = arith.index_cast %count : index to i64
  %counts = tensor.from_elements %integer : tensor<1xi64>
  %y = onnx.node "Attention"(%q, %k, %v, %none, %none, %none, %counts) {is_causal = 1 : i64}
    : (tensor<1x2x?x8xf32>, tensor<1x2x64x8xf32>, tensor<1x2x64x8xf32>, none, none, none, tensor<1xi64>) -> tensor<1x2x?x8xf32>
  return %y : tensor<1x2x?x8xf32>
}

// -----

// Columns fill vectors of 16: 16 queries of 7 heads, 112, though 64 would be enough; with heads
// enough of their own for that, a block has one query, which is more than half of what it may have.

// CHECK-LABEL: func.func @odd_groups(
// CHECK:         scf.forall
// CHECK:           arith.minsi %{{.*}}, %c16
// CHECK:           tensor.empty() : tensor<60x112xf32>
// CHECK:         scf.forall
// CHECK-NOT:       scf.if
// CHECK:           tensor.empty() : tensor<60x70xf32>
func.func @odd_groups(%q: tensor<1x7x?x8xf32>, %k: tensor<1x1x?x8xf32>, %v: tensor<1x1x?x8xf32>,
                      %p: tensor<1x70x1x8xf32>) -> (tensor<1x7x?x8xf32>, tensor<1x70x1x8xf32>) {
  %y = onnx.node "Attention"(%q, %k, %v) : (tensor<1x7x?x8xf32>, tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>) -> tensor<1x7x?x8xf32>
  %z = onnx.node "Attention"(%p, %k, %v) : (tensor<1x70x1x8xf32>, tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>) -> tensor<1x70x1x8xf32>
  return %y, %z : tensor<1x7x?x8xf32>, tensor<1x70x1x8xf32>
}
