// RUN: tern-opt %s --convert-onnx-to-linalg --canonicalize --cse --split-input-file | FileCheck %s

// Heads of queries that share one of keys are a group, a block of which has 64 rows: 32
// queries of each head. Keys are sliced where they are, and the joined heads of the queries
// need no transposition. There are two forms, between which the number of queries chooses.
//
// Queries that fill no more than half of a block have their keys in parts of 512, which one
// parallel loop goes through for all batches and heads of keys. A part has those of its keys
// that are in reach, and its own softmax over them, in rows and at once. A second loop puts the
// parts of a head together, each weighed by how much less than the greatest its maximum is.
//
// More queries are in blocks, and one parallel loop goes through those of all batches and heads
// of keys. A block has its queries side by side in columns, however few of them there are, into
// which they are transposed once. It reads no key behind its last query. Its tiles have 60
// keys, whose scores are masked if some query cannot reach all of them.

// CHECK-DAG:   #[[QUERY:.*]] = affine_map<(d0, d1, d2, d3) -> (d1, d0, d3)>
// CHECK-DAG:   #[[KEY:.*]] = affine_map<(d0, d1, d2, d3) -> (d2, d3)>
// CHECK-DAG:   #[[SCORE:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>
// CHECK-DAG:   #[[VALUE:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d3)>
// CHECK-DAG:   #[[PART_VALUE:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
// CHECK-DAG:   #[[VALUE_OF_ALL:.*]] = affine_map<(d0, d1, d2, d3) -> (d1, d2, d3)>
// CHECK-DAG:   #[[ROW_OF_ALL:.*]] = affine_map<(d0, d1, d2) -> (d1, d2)>
// CHECK-DAG:   #[[SWAPPED:.*]] = affine_map<(d0, d1, d2) -> (d1, d0, d2)>
// CHECK-DAG:   #[[APART:.*]] = affine_map<(d0, d1, d2) -> (d2, d1, d0)>
// CHECK-DAG:   #[[IN_ORDER:.*]] = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
// CHECK-DAG:   #[[KEY_ROW:.*]] = affine_map<(d0, d1, d2) -> (d0, d2)>
// CHECK-DAG:   #[[QUERY_COLUMN:.*]] = affine_map<(d0, d1, d2) -> (d2, d1)>
// CHECK-DAG:   #[[WEIGHT_ROW:.*]] = affine_map<(d0, d1, d2) -> (d2, d0)>
// CHECK-DAG:   #[[SCORE_OF:.*]] = affine_map<(d0, d1, d2) -> (d0, d1)>
// CHECK-LABEL: func.func @shared_heads(
// CHECK-SAME:      %[[Q:[^:]*]]: tensor<?x?x64xf32> {{[^%]*}}%[[K:[^:]*]]: tensor<?x?x32xf32> {{[^%]*}}%[[V:[^:]*]]: tensor<?x?x32xf32>
// CHECK-DAG:     %[[ZERO:.*]] = arith.constant 0.000000e+00 : f32
// CHECK-DAG:     %[[ONE:.*]] = arith.constant 1.000000e+00 : f32
// CHECK-DAG:     %[[SCALE:.*]] = arith.constant 2.500000e-01 : f32
// CHECK-DAG:     %[[LOWEST:.*]] = arith.constant 0xFF800000 : f32
// CHECK-DAG:     %[[KEYS:.*]] = tensor.dim %[[K]], %c1
// CHECK-DAG:     %[[QUERIES:.*]] = tensor.dim %[[Q]], %c1
// CHECK-DAG:     %[[BATCH:.*]] = tensor.dim %[[Q]], %c0
// CHECK-DAG:     %[[QUERY4:.*]] = tensor.expand_shape %[[Q]] {{.*}} into tensor<?x?x4x16xf32>
// CHECK-DAG:     %[[KEY4:.*]] = tensor.expand_shape %[[K]] {{.*}} into tensor<?x?x2x16xf32>
// CHECK-DAG:     %[[VALUE4:.*]] = tensor.expand_shape %[[V]] {{.*}} into tensor<?x?x2x16xf32>
// CHECK-NOT:     linalg
// CHECK:         %[[EMPTY:.*]] = tensor.empty(%[[BATCH]], %[[QUERIES]]) : tensor<?x?x4x16xf32>
// CHECK-NEXT:    %[[FEW:.*]] = arith.cmpi sle, %[[QUERIES]], %c16
// CHECK-NEXT:    %[[CHOICE:.*]] = scf.if %[[FEW]] -> (tensor<?x?x4x16xf32>) {
// CHECK:           %[[HEADS:.*]] = arith.muli %[[BATCH]], %c2
// CHECK:           %[[PARTS:.*]] = arith.ceildivsi %[[KEYS]], %c512
// CHECK:           %[[UNITS:.*]] = arith.muli %[[HEADS]], %[[PARTS]]
// CHECK:           %[[ROWS:.*]] = tensor.empty(%[[UNITS]], %[[QUERIES]]) : tensor<?x2x?xf32>
// CHECK:           %[[VALUES:.*]] = tensor.empty(%[[UNITS]], %[[QUERIES]]) : tensor<?x2x?x16xf32>
// CHECK:           %[[OWN:.*]]:3 = scf.forall (%[[UNIT:.*]]) in (%[[UNITS]]) shared_outs(%[[OWN_MAX:.*]] = %[[ROWS]], %[[OWN_SUM:.*]] = %[[ROWS]], %[[OWN_VALUE:.*]] = %[[VALUES]])
// CHECK:             %[[OUTER:.*]] = arith.divui %[[UNIT]], %[[PARTS]]
// CHECK:             %[[PART:.*]] = arith.remui %[[UNIT]], %[[PARTS]]
// CHECK:             %[[B:.*]] = arith.divui %[[OUTER]], %c2
// CHECK:             %[[H:.*]] = arith.remui %[[OUTER]], %c2
// CHECK:             %[[REACH:.*]] = arith.minsi %[[KEYS]], %[[QUERIES]]
// CHECK:             %[[AT:.*]] = arith.muli %[[PART]], %c512
// CHECK:             %[[BEHIND:.*]] = arith.addi %[[AT]], %c512
// CHECK:             %[[END:.*]] = arith.minsi %[[BEHIND]], %[[REACH]]
// CHECK:             %[[BEGIN:.*]] = arith.maxsi %[[AT]], %c0
// CHECK:             %[[LEFT:.*]] = arith.subi %[[END]], %[[BEGIN]]
// CHECK:             %[[M:.*]] = arith.maxsi %[[LEFT]], %c0
// CHECK:             %[[NO_SCORE:.*]] = linalg.fill ins(%[[ZERO]] : f32) outs(%{{.*}} : tensor<2x?x?xf32>)
// CHECK:             %[[HEAD:.*]] = arith.muli %[[H]], %c2
// CHECK:             %[[QS:.*]] = tensor.extract_slice %[[QUERY4]][%[[B]], 0, %[[HEAD]], 0] [1, %[[QUERIES]], 2, 16] [1, 1, 1, 1]
// CHECK:             %[[KS:.*]] = tensor.extract_slice %[[KEY4]][%[[B]], %[[BEGIN]], %[[H]], 0] [1, %[[M]], 1, 16] [1, 1, 1, 1] : {{.*}} to tensor<?x16xf32>
// CHECK:             %[[PRODUCTS:.*]] = linalg.generic {indexing_maps = [#[[QUERY]], #[[KEY]], #[[SCORE]]], {{.*}} ins(%[[QS]], %[[KS]] : {{.*}}) outs(%[[NO_SCORE]] : {{.*}})
// CHECK:             %[[SCORES:.*]] = linalg.generic {{.*}} outs(%[[PRODUCTS]] : {{.*}})
// CHECK-DAG:           %[[ROW:.*]] = linalg.index 1
// CHECK-DAG:           %[[COLUMN:.*]] = linalg.index 2
// CHECK:               %[[SCALED:.*]] = arith.mulf %{{.*}}, %[[SCALE]]
// CHECK:               %[[AHEAD:.*]] = arith.subi %[[COLUMN]], %[[ROW]]
// CHECK:               %[[DISTANCE:.*]] = arith.subi %c0, %[[BEGIN]]
// CHECK:               %[[REACHED:.*]] = arith.cmpi sle, %[[AHEAD]], %[[DISTANCE]]
// CHECK:               arith.select %[[REACHED]], %[[SCALED]], %[[LOWEST]]
// CHECK:             %[[NONE:.*]] = linalg.fill ins(%[[LOWEST]] : f32) outs(%{{.*}} : tensor<2x?xf32>)
// CHECK:             %[[MAX:.*]] = linalg.generic {indexing_maps = [#[[IN_ORDER]], #[[SCORE_OF]]], {{.*}} ins(%[[SCORES]] : {{.*}}) outs(%[[NONE]] : {{.*}})
// CHECK-NEXT:        ^bb0(
// CHECK-NEXT:          arith.maximumf
// CHECK:             %[[WEIGHTS:.*]] = linalg.generic {indexing_maps = [#[[SCORE_OF]], #[[IN_ORDER]]], {{.*}} ins(%[[MAX]] : {{.*}}) outs(%[[SCORES]] : {{.*}})
// CHECK-NEXT:        ^bb0(%[[OF_ROW:.*]]: f32, %[[SCORE1:.*]]: f32):
// CHECK:               %[[GREATEST:.*]] = arith.select %{{.*}}, %[[ZERO]], %[[OF_ROW]]
// CHECK-NEXT:          %[[LESS:.*]] = arith.subf %[[SCORE1]], %[[GREATEST]]
// CHECK-NEXT:          math.exp %[[LESS]]
// CHECK:             %[[ZEROS:.*]] = linalg.fill ins(%[[ZERO]] : f32) outs(%{{.*}} : tensor<2x?xf32>)
// CHECK:             %[[SUM:.*]] = linalg.generic {indexing_maps = [#[[IN_ORDER]], #[[SCORE_OF]]], {{.*}} ins(%[[WEIGHTS]] : {{.*}}) outs(%[[ZEROS]] : {{.*}})
// CHECK-NEXT:        ^bb0(
// CHECK-NEXT:          arith.addf
// CHECK:             %[[NO_VALUE:.*]] = linalg.fill ins(%[[ZERO]] : f32) outs(%{{.*}} : tensor<2x?x16xf32>)
// CHECK:             %[[VS:.*]] = tensor.extract_slice %[[VALUE4]][%[[B]], %[[BEGIN]], %[[H]], 0] [1, %[[M]], 1, 16] [1, 1, 1, 1] : {{.*}} to tensor<?x16xf32>
// CHECK:             %[[WEIGHED:.*]] = linalg.generic {indexing_maps = [#[[SCORE]], #[[KEY]], #[[VALUE]]], iterator_types = ["parallel", "parallel", "reduction", "parallel"]} ins(%[[WEIGHTS]], %[[VS]] : {{.*}}) outs(%[[NO_VALUE]] : {{.*}})
// CHECK:             scf.forall.in_parallel {
// CHECK-NEXT:          tensor.parallel_insert_slice %[[MAX]] into %[[OWN_MAX]][%[[UNIT]], 0, 0] [1, 2, %[[QUERIES]]] [1, 1, 1]
// CHECK-NEXT:          tensor.parallel_insert_slice %[[SUM]] into %[[OWN_SUM]][%[[UNIT]], 0, 0] [1, 2, %[[QUERIES]]] [1, 1, 1]
// CHECK-NEXT:          tensor.parallel_insert_slice %[[WEIGHED]] into %[[OWN_VALUE]][%[[UNIT]], 0, 0, 0] [1, 2, %[[QUERIES]], 16] [1, 1, 1, 1]
// CHECK:           %[[OF_FEW:.*]] = scf.forall (%[[I:.*]]) in (%[[HEADS]]) shared_outs(%[[OUT:.*]] = %[[EMPTY]])
// CHECK:             %[[B:.*]] = arith.divui %[[I]], %c2
// CHECK:             %[[H:.*]] = arith.remui %[[I]], %c2
// CHECK:             %[[AT:.*]] = arith.muli %[[I]], %[[PARTS]]
// CHECK:             %[[MAXIMA:.*]] = tensor.extract_slice %[[OWN]]#0[%[[AT]], 0, 0] [%[[PARTS]], 2, %[[QUERIES]]] [1, 1, 1]
// CHECK:             %[[SUMS:.*]] = tensor.extract_slice %[[OWN]]#1[%[[AT]], 0, 0] [%[[PARTS]], 2, %[[QUERIES]]] [1, 1, 1]
// CHECK:             %[[VALUES:.*]] = tensor.extract_slice %[[OWN]]#2[%[[AT]], 0, 0, 0] [%[[PARTS]], 2, %[[QUERIES]], 16] [1, 1, 1, 1]
// CHECK-DAG:         %[[NO_VALUE:.*]] = linalg.fill ins(%[[ZERO]] : f32) outs(%{{.*}} : tensor<2x?x16xf32>)
// CHECK-DAG:         %[[NONE:.*]] = linalg.fill ins(%[[LOWEST]] : f32) outs(%{{.*}} : tensor<2x?xf32>)
// CHECK-DAG:         %[[ZEROS:.*]] = linalg.fill ins(%[[ZERO]] : f32) outs(%{{.*}} : tensor<2x?xf32>)
// CHECK:             %[[MAX:.*]] = linalg.generic {indexing_maps = [#[[IN_ORDER]], #[[ROW_OF_ALL]]], iterator_types = ["reduction", "parallel", "parallel"]} ins(%[[MAXIMA]] : {{.*}}) outs(%[[NONE]] : {{.*}})
// CHECK-NEXT:        ^bb0(
// CHECK-NEXT:          arith.maximumf
// CHECK:             %[[WEIGHTS:.*]] = linalg.generic {indexing_maps = [#[[IN_ORDER]], #[[ROW_OF_ALL]], #[[IN_ORDER]]], {{.*}} ins(%[[MAXIMA]], %[[MAX]] : {{.*}})
// CHECK-NEXT:        ^bb0(%[[OF_PART:.*]]: f32, %[[OF_ALL:.*]]: f32, %{{.*}}: f32):
// CHECK:               %[[GREATEST:.*]] = arith.select %{{.*}}, %[[ZERO]], %[[OF_ALL]]
// CHECK-NEXT:          %[[LESS:.*]] = arith.subf %[[OF_PART]], %[[GREATEST]]
// CHECK-NEXT:          math.exp %[[LESS]]
// CHECK:             %[[SUM:.*]] = linalg.generic {indexing_maps = [#[[IN_ORDER]], #[[IN_ORDER]], #[[ROW_OF_ALL]]], iterator_types = ["reduction", "parallel", "parallel"]} ins(%[[WEIGHTS]], %[[SUMS]] : {{.*}}) outs(%[[ZEROS]] : {{.*}})
// CHECK-NEXT:        ^bb0(%[[WEIGHT:.*]]: f32, %[[OF_PART:.*]]: f32, %[[SO_FAR:.*]]: f32):
// CHECK-NEXT:          %[[PRODUCT:.*]] = arith.mulf %[[WEIGHT]], %[[OF_PART]]
// CHECK-NEXT:          arith.addf %[[SO_FAR]], %[[PRODUCT]]
// CHECK:             %[[WEIGHED:.*]] = linalg.generic {indexing_maps = [#[[SCORE]], #[[PART_VALUE]], #[[VALUE_OF_ALL]]], iterator_types = ["reduction", "parallel", "parallel", "parallel"]} ins(%[[WEIGHTS]], %[[VALUES]] : {{.*}}) outs(%[[NO_VALUE]] : {{.*}})
// CHECK-NEXT:        ^bb0(%[[WEIGHT:.*]]: f32, %[[OF_PART:.*]]: f32, %[[SO_FAR:.*]]: f32):
// CHECK-NEXT:          %[[PRODUCT:.*]] = arith.mulf %[[WEIGHT]], %[[OF_PART]]
// CHECK-NEXT:          arith.addf %[[SO_FAR]], %[[PRODUCT]]
// CHECK:             %[[HEAD:.*]] = arith.muli %[[H]], %c2
// CHECK:             %[[DEST:.*]] = tensor.extract_slice %[[OUT]][%[[B]], 0, %[[HEAD]], 0] [1, %[[QUERIES]], 2, 16] [1, 1, 1, 1]
// CHECK:             %[[INVERSES:.*]] = linalg.generic {{.*}} ins(%[[SUM]] : {{.*}})
// CHECK:               arith.divf %[[ONE]], %{{.*}}
// CHECK:             %[[NORMAL:.*]] = linalg.generic {indexing_maps = [#[[IN_ORDER]], #[[SCORE_OF]], #[[SWAPPED]]], {{.*}} ins(%[[WEIGHED]], %[[INVERSES]] : {{.*}}) outs(%[[DEST]] : {{.*}})
// CHECK-NEXT:        ^bb0(
// CHECK-NEXT:          arith.mulf
// CHECK:             tensor.parallel_insert_slice %[[NORMAL]] into %[[OUT]][%[[B]], 0, %[[HEAD]], 0] [1, %[[QUERIES]], 2, 16] [1, 1, 1, 1]
// CHECK:           scf.yield %[[OF_FEW]] : tensor<?x?x4x16xf32>
// CHECK-NEXT:    } else {
// CHECK:           %[[BLOCKS:.*]] = arith.ceildivsi %[[QUERIES]], %c32
// CHECK:           %[[HEADS:.*]] = arith.muli %[[BATCH]], %c2
// CHECK:           %[[COUNT:.*]] = arith.muli %[[HEADS]], %[[BLOCKS]]
// CHECK:           %[[OF_MANY:.*]] = scf.forall (%[[I:.*]]) in (%[[COUNT]]) shared_outs(%[[OUT:.*]] = %[[EMPTY]]) -> (tensor<?x?x4x16xf32>) {
// CHECK:             %[[OUTER:.*]] = arith.divui %[[I]], %[[BLOCKS]]
// CHECK:             %[[BLOCK:.*]] = arith.remui %[[I]], %[[BLOCKS]]
// CHECK:             %[[FIRST:.*]] = arith.muli %[[BLOCK]], %c32
// CHECK:             %[[LEFT:.*]] = arith.subi %[[QUERIES]], %[[FIRST]]
// CHECK:             %[[N:.*]] = arith.minsi %[[LEFT]], %c32
// CHECK:             %[[B:.*]] = arith.divui %[[OUTER]], %c2
// CHECK:             %[[H:.*]] = arith.remui %[[OUTER]], %c2
// CHECK:             %[[HEAD:.*]] = arith.muli %[[H]], %c2
// CHECK:             %[[DEST:.*]] = tensor.extract_slice %[[OUT]][%[[B]], %[[FIRST]], %[[HEAD]], 0] [1, %[[N]], 2, 16]
// CHECK-NOT:         scf.if
// CHECK:             %[[ZEROS:.*]] = linalg.fill {{.*}} -> tensor<16x2x32xf32>
// CHECK:             %[[PRESENT:.*]] = tensor.extract_slice %[[ZEROS]][0, 0, 0] [16, 2, %[[N]]]
// CHECK:             %[[QUERIES2:.*]] = tensor.extract_slice %[[QUERY4]][%[[B]], %[[FIRST]], %[[HEAD]], 0] [1, %[[N]], 2, 16]
// CHECK:             linalg.generic {indexing_maps = [#[[APART]], #[[IN_ORDER]]], {{.*}} ins(%[[QUERIES2]] : {{.*}}) outs(%[[PRESENT]] : {{.*}})
// CHECK-NEXT:        ^bb0(%[[IN:.*]]: f32, %{{.*}}: f32):
// CHECK-NEXT:          linalg.yield %[[IN]] : f32
// CHECK:             %[[COLUMNS:.*]] = tensor.collapse_shape %{{.*}} {{\[}}[0], [1, 2]] : tensor<16x2x32xf32> into tensor<16x64xf32>
// CHECK:             %[[LAST:.*]] = arith.addi %[[FIRST]], %[[N]]
// CHECK:             %[[SEEN:.*]] = arith.minsi %[[KEYS]], %[[LAST]]
// CHECK:             %[[END:.*]] = arith.maxsi %[[SEEN]], %c0
// CHECK:             %[[SCORES:.*]] = tensor.empty() : tensor<60x64xf32>
// CHECK:             scf.for %[[KEY0:.*]] = %c0 to %[[END]] step %c60
// CHECK:               %[[REST:.*]] = arith.subi %[[END]], %[[KEY0]]
// CHECK:               %[[M:.*]] = arith.minsi %[[REST]], %c60
// CHECK:               tensor.extract_slice %[[SCORES]][0, 0] [%[[M]], 64]
// CHECK:               %[[KS:.*]] = tensor.extract_slice %[[KEY4]][%[[B]], %[[KEY0]], %[[H]], 0] [1, %[[M]], 1, 16]
// CHECK:               linalg.generic {indexing_maps = [#[[KEY_ROW]], #[[QUERY_COLUMN]], #[[SCORE_OF]]], {{.*}} ins(%[[KS]], %[[COLUMNS]] : {{.*}})
// CHECK:               %[[BEHIND:.*]] = arith.addi %[[KEY0]], %[[M]]
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
// CHECK:               %[[VS:.*]] = tensor.extract_slice %[[VALUE4]][%[[B]], %[[KEY0]], %[[H]], 0] [1, %[[M]], 1, 16]
// CHECK:               linalg.generic {indexing_maps = [#[[WEIGHT_ROW]], #[[QUERY_COLUMN]], #[[SCORE_OF]]], {{.*}} ins(%{{.*}}, %[[VS]] : {{.*}}) outs(%{{.*}} : tensor<64x16xf32>)
// CHECK:             %[[NORMAL:.*]] = linalg.generic {{.*}} outs(%[[DEST]] : {{.*}})
// CHECK:             tensor.parallel_insert_slice %[[NORMAL]] into %[[OUT]][%[[B]], %[[FIRST]], %[[HEAD]], 0] [1, %[[N]], 2, 16] [1, 1, 1, 1]
// CHECK:           scf.yield %[[OF_MANY]] : tensor<?x?x4x16xf32>
// CHECK-NOT:     linalg
// CHECK:         tensor.collapse_shape %[[CHOICE]] {{.*}} : tensor<?x?x4x16xf32> into tensor<?x?x64xf32>
func.func @shared_heads(%q: tensor<?x?x64xf32> {onnx.dims = ["b", "s", ""]},
                        %k: tensor<?x?x32xf32> {onnx.dims = ["b", "t", ""]},
                        %v: tensor<?x?x32xf32> {onnx.dims = ["b", "t", ""]}) -> tensor<?x?x64xf32> {
  %y = onnx.node "Attention"(%q, %k, %v) {q_num_heads = 4 : i64, kv_num_heads = 2 : i64, is_causal = 1 : i64}
    : (tensor<?x?x64xf32>, tensor<?x?x32xf32>, tensor<?x?x32xf32>) -> tensor<?x?x64xf32>
  return %y : tensor<?x?x64xf32>
}

// -----

// f16 is multiplied and normalised in f32, in which parts are put together too.

// CHECK-LABEL: func.func @half_precision(
// CHECK:         scf.forall {{.*}} -> (tensor<2x1x3xf32>, tensor<2x1x3xf32>, tensor<2x1x3x8xf32>)
// CHECK:           arith.mulf %{{.*}} : f32
// CHECK:           math.exp %{{.*}} : f32
// CHECK-NOT:     arith.truncf
// CHECK:         scf.forall {{.*}} -> (tensor<1x2x3x8xf16>)
// CHECK:           math.exp %{{.*}} : f32
// CHECK:           arith.truncf %{{.*}} : f32 to f16
// CHECK-NOT:     math.exp
func.func @half_precision(%q: tensor<1x2x3x8xf16>, %k: tensor<1x2x5x8xf16>, %v: tensor<1x2x5x8xf16>)
    -> tensor<1x2x3x8xf16> {
  %y = onnx.node "Attention"(%q, %k, %v)
    : (tensor<1x2x3x8xf16>, tensor<1x2x5x8xf16>, tensor<1x2x5x8xf16>) -> tensor<1x2x3x8xf16>
  return %y : tensor<1x2x3x8xf16>
}

// -----

// Counts that limit the keys of a batch limit its parts, of which there are as many as all keys
// need; the queries stand at the end of the keys, at one offset for the block. Without
// positions nothing is compared. A query's number is known here: there is no choice.

// CHECK-LABEL: func.func @counted_keys(
// CHECK-SAME:      %[[COUNTS:[^:]*]]: tensor<1xi64>, %{{[^:]*}}: {{[^%]*}}%[[K:[^:]*]]: tensor<1x2x1300x8xf32>
// CHECK-NOT:     scf.if
// CHECK:         scf.forall (%[[UNIT:.*]]) in (6)
// CHECK-DAG:       %[[PART:.*]] = arith.remui %[[UNIT]], %c3
// CHECK-DAG:       %[[COUNT:.*]] = tensor.extract %[[COUNTS]]
// CHECK-DAG:       %[[KEYS:.*]] = arith.index_cast %[[COUNT]]
// CHECK:           %[[SEEN:.*]] = arith.minsi %[[KEYS]], %c1300
// CHECK:           %[[REACH:.*]] = arith.maxsi %[[SEEN]], %c0
// CHECK:           %[[AT:.*]] = arith.muli %[[PART]], %c512
// CHECK:           %[[BEHIND:.*]] = arith.addi %[[AT]], %c512
// CHECK:           %[[END:.*]] = arith.minsi %[[BEHIND]], %[[REACH]]
// CHECK:           %[[BEGIN:.*]] = arith.maxsi %[[AT]], %c0
// CHECK:           %[[LEFT:.*]] = arith.subi %[[END]], %[[BEGIN]]
// CHECK:           %[[M:.*]] = arith.maxsi %[[LEFT]], %c0
// CHECK:           tensor.extract_slice %[[K]][0, %{{.*}}, %[[BEGIN]], 0] [1, 1, %[[M]], 8]
// CHECK-NOT:       linalg.index
// CHECK:           arith.maximumf
// CHECK:         scf.forall (%[[I:.*]]) in (2)
// CHECK:           %[[FIRST:.*]] = arith.muli %[[I]], %c3
// CHECK:           tensor.extract_slice %{{.*}}#0[%[[FIRST]], 0, 0] [3, 1, 1]
func.func @counted_keys(%counts: tensor<1xi64>, %q: tensor<1x2x1x8xf32>, %k: tensor<1x2x1300x8xf32>, %v: tensor<1x2x1300x8xf32>)
    -> tensor<1x2x1x8xf32> {
  %none = onnx.none
  %y = onnx.node "Attention"(%q, %k, %v, %none, %none, %none, %counts)
    : (tensor<1x2x1x8xf32>, tensor<1x2x1300x8xf32>, tensor<1x2x1300x8xf32>, none, none, none, tensor<1xi64>) -> tensor<1x2x1x8xf32>
  return %y : tensor<1x2x1x8xf32>
}

// -----

// Sinks join the scores of a head once, where its parts are put together: its maximum starts from
// them, and its sum from 1, weighed like a part. A window cuts the parts at its start.

// CHECK-LABEL: func.func @sinks(
// CHECK-SAME:      %[[SINKS:[^:]*]]: tensor<4xf32>
// CHECK-DAG:     %[[ZERO:.*]] = arith.constant 0.000000e+00 : f32
// CHECK-DAG:     %[[ONE:.*]] = arith.constant 1.000000e+00 : f32
// CHECK-DAG:     %[[LOWEST:.*]] = arith.constant 0xFF800000 : f32
// CHECK:         %[[OWN:.*]]:3 = scf.forall (%[[UNIT:.*]]) in (8)
// CHECK-DAG:       %[[PART:.*]] = arith.remui %[[UNIT]], %c4
// CHECK:           %[[BEFORE:.*]] = arith.subi %[[POSITION:.*]], %c599
// CHECK:           %[[START:.*]] = arith.maxsi %[[BEFORE]], %c0
// CHECK:           %[[REACH:.*]] = arith.maxsi %{{.*}}, %c0
// CHECK:           %[[AT:.*]] = arith.muli %[[PART]], %c512
// CHECK:           %[[BEHIND:.*]] = arith.addi %[[AT]], %c512
// CHECK:           %[[STOP:.*]] = arith.addi %[[START]], %[[REACH]]
// CHECK:           %[[END:.*]] = arith.minsi %[[BEHIND]], %[[STOP]]
// CHECK:           %[[BEGIN:.*]] = arith.maxsi %[[AT]], %[[START]]
// CHECK:           %[[LEFT:.*]] = arith.subi %[[END]], %[[BEGIN]]
// CHECK:           %[[M:.*]] = arith.maxsi %[[LEFT]], %c0
// CHECK-NOT:       %[[SINKS]]
// CHECK:           tensor.extract_slice %{{.*}}[0, %{{.*}}, %[[BEGIN]], 0] [1, 1, %[[M]], 16]
// CHECK-NOT:       %[[SINKS]]
// CHECK:             arith.subi %[[POSITION]], %[[BEGIN]]
// CHECK-NOT:       %[[SINKS]]
// CHECK:           %[[NONE:.*]] = linalg.fill ins(%[[LOWEST]] : f32)
// CHECK-NOT:       %[[SINKS]]
// CHECK:           linalg.generic {{.*}} outs(%[[NONE]] : tensor<2x1xf32>)
// CHECK-NEXT:      ^bb0(
// CHECK-NEXT:        arith.maximumf
// CHECK-NOT:       %[[SINKS]]
// CHECK:           %[[ZEROS:.*]] = linalg.fill ins(%[[ZERO]] : f32) outs(%{{.*}} : tensor<2x1xf32>)
// CHECK-NOT:       %[[SINKS]]
// CHECK:           linalg.generic {{.*}} outs(%[[ZEROS]] : tensor<2x1xf32>)
// CHECK-NEXT:      ^bb0(
// CHECK-NEXT:        arith.addf
// CHECK-NOT:       %[[SINKS]]
// CHECK:         scf.forall (%[[I:.*]]) in (2)
// CHECK:           %[[MAXIMA:.*]] = tensor.extract_slice %[[OWN]]#0
// CHECK:           %[[SUMS:.*]] = tensor.extract_slice %[[OWN]]#1
// CHECK:           %[[VALUES:.*]] = tensor.extract_slice %[[OWN]]#2
// CHECK:           %[[NO_VALUE:.*]] = linalg.fill ins(%[[ZERO]] : f32) outs(%{{.*}} : tensor<2x1x16xf32>)
// CHECK:           %[[HEAD:.*]] = arith.muli %[[I]], %c2
// CHECK:           %[[OF_GROUP:.*]] = tensor.extract_slice %[[SINKS]][%[[HEAD]]] [2] [1]
// CHECK:           %[[OF_ROWS:.*]] = linalg.generic {{.*}} ins(%[[OF_GROUP]] : tensor<2xf32>)
// CHECK:           %[[ONES:.*]] = linalg.fill ins(%[[ONE]] : f32) outs(%{{.*}} : tensor<2x1xf32>)
// CHECK:           %[[MAX:.*]] = linalg.generic {{.*}} ins(%[[MAXIMA]] : tensor<4x2x1xf32>) outs(%[[OF_ROWS]] : tensor<2x1xf32>)
// CHECK-NEXT:      ^bb0(
// CHECK-NEXT:        arith.maximumf
// CHECK:           %[[WEIGHTS:.*]] = linalg.generic {{.*}} ins(%[[MAXIMA]], %[[MAX]] : {{.*}})
// CHECK:           %[[OF_SINKS:.*]] = linalg.generic {{.*}} ins(%[[OF_ROWS]], %[[MAX]] : {{.*}})
// CHECK:             math.exp
// CHECK:           %[[STARTS:.*]] = linalg.generic {{.*}} ins(%[[OF_SINKS]] : {{.*}}) outs(%[[ONES]] : {{.*}})
// CHECK-NEXT:      ^bb0(
// CHECK-NEXT:        arith.mulf
// CHECK:           linalg.generic {{.*}} ins(%[[WEIGHTS]], %[[SUMS]] : {{.*}}) outs(%[[STARTS]] : tensor<2x1xf32>)
// CHECK:           linalg.generic {{.*}} ins(%[[WEIGHTS]], %[[VALUES]] : {{.*}}) outs(%[[NO_VALUE]] : tensor<2x1x16xf32>)
// CHECK-NOT:     %[[SINKS]]
// CHECK:         return
func.func @sinks(%sinks: tensor<4xf32>, %q: tensor<1x1x64xf32>, %k: tensor<1x1x32xf32>, %v: tensor<1x1x32xf32>,
                 %pk: tensor<1x2x2000x16xf32>, %pv: tensor<1x2x2000x16xf32>, %last: tensor<1xi32>) -> tensor<1x1x64xf32> {
  %none = onnx.none
  %total = onnx.constant dense<2001> : tensor<i32>
  %y = onnx.node "com.microsoft::GroupQueryAttention"(%q, %k, %v, %pk, %pv, %last, %total, %none, %none, %none, %none, %sinks)
      {num_heads = 4 : i64, kv_num_heads = 2 : i64, local_window_size = 600 : i64}
    : (tensor<1x1x64xf32>, tensor<1x1x32xf32>, tensor<1x1x32xf32>, tensor<1x2x2000x16xf32>, tensor<1x2x2000x16xf32>, tensor<1xi32>, tensor<i32>,
       none, none, none, none, tensor<4xf32>) -> tensor<1x1x64xf32>
  return %y : tensor<1x1x64xf32>
}

// -----

// A mask is sliced like the scores, whatever it broadcasts over, and a window starts the loop
// late. Scores that are masked so are in blocks of rows, whatever the number of queries, and in
// tiles of 4096: each adds to the maximum, the sum and the values of those before it.

// CHECK-LABEL: func.func @masked_window(
// CHECK-SAME:      %[[MASK:[^:]*]]: tensor<1x1x?x?xf32> {{[^%]*}}%[[Q:[^:]*]]: tensor<1x4x?x8xf32> {{[^%]*}}%[[K:[^:]*]]: tensor<1x1x?x8xf32> {{[^%]*}}%[[V:[^:]*]]: tensor<1x1x?x8xf32>
// CHECK-DAG:     %[[QUERIES:.*]] = tensor.dim %[[MASK]], %c2
// CHECK-DAG:     %[[KEYS:.*]] = tensor.dim %[[MASK]], %c3
// CHECK-DAG:     %[[MASK5:.*]] = tensor.expand_shape %[[MASK]] {{.*}} into tensor<1x1x1x?x?xf32>
// CHECK-NOT:     scf.if
// CHECK:         %[[BLOCKS:.*]] = arith.ceildivsi %[[QUERIES]], %c16
// CHECK-NOT:     scf.if
// CHECK:         scf.forall (%[[I:.*]]) in (%[[BLOCKS]]) shared_outs(%[[OUT:.*]] = %{{.*}})
// CHECK:           %[[H:.*]] = arith.divui %[[I]], %[[BLOCKS]]
// CHECK:           %[[BLOCK:.*]] = arith.remui %[[I]], %[[BLOCKS]]
// CHECK:           %[[FIRST:.*]] = arith.muli %[[BLOCK]], %c16
// CHECK:           %[[LEFT:.*]] = arith.subi %[[QUERIES]], %[[FIRST]]
// CHECK:           %[[N:.*]] = arith.minsi %[[LEFT]], %c16
// CHECK:           %[[HEAD:.*]] = arith.muli %[[H]], %c4
// CHECK:           %[[LAST:.*]] = arith.addi %[[FIRST]], %[[N]]
// CHECK:           %[[SEEN:.*]] = arith.minsi %[[KEYS]], %[[LAST]]
// CHECK:           %[[BEFORE:.*]] = arith.subi %[[FIRST]], %c7
// CHECK:           %[[START:.*]] = arith.maxsi %[[BEFORE]], %c0
// CHECK:           %[[IN_WINDOW:.*]] = arith.subi %[[SEEN]], %[[START]]
// CHECK:           %[[REACH:.*]] = arith.maxsi %[[IN_WINDOW]], %c0
// CHECK:           %[[ROWS:.*]] = arith.muli %[[N]], %c4
// CHECK:           %[[STEP:.*]] = arith.ceildivsi %c4096, %[[ROWS]]
// CHECK-NOT:       scf.if
// CHECK:           %[[END:.*]] = arith.addi %[[START]], %[[REACH]]
// CHECK:           scf.for %[[KEY0:.*]] = %[[START]] to %[[END]] step %[[STEP]] iter_args(%[[MAX:.*]] = %{{.*}}, %[[SUM:.*]] = %{{.*}}, %[[ACC:.*]] = %{{.*}}) -> (tensor<4x?xf32>, tensor<4x?xf32>, tensor<4x?x8xf32>) {
// CHECK:             %[[REST:.*]] = arith.subi %[[END]], %[[KEY0]]
// CHECK:             %[[M:.*]] = arith.minsi %[[STEP]], %[[REST]]
// CHECK:             %[[MS:.*]] = tensor.extract_slice %[[MASK5]][0, 0, 0, %[[FIRST]], %[[KEY0]]] [1, 1, 1, %[[N]], %[[M]]] [1, 1, 1, 1, 1] : {{.*}} to tensor<?x?xf32>
// CHECK:             %[[QS:.*]] = tensor.extract_slice %[[Q]][0, %[[HEAD]], %[[FIRST]], 0] [1, 4, %[[N]], 8] [1, 1, 1, 1]
// CHECK:             %[[KS:.*]] = tensor.extract_slice %[[K]][0, %[[H]], %[[KEY0]], 0] [1, 1, %[[M]], 8] [1, 1, 1, 1] : {{.*}} to tensor<?x8xf32>
// CHECK:             %[[PRODUCTS:.*]] = linalg.generic {{.*}} ins(%[[QS]], %[[KS]] : {{.*}}) outs(%{{.*}} : tensor<4x?x?xf32>)
// CHECK:             %[[SCORES:.*]] = linalg.generic {{.*}} ins(%[[MS]] : {{.*}}) outs(%[[PRODUCTS]] : {{.*}})
// CHECK-NEXT:        ^bb0(%[[ADDED:.*]]: f32, %{{.*}}: f32):
// CHECK:               arith.addf %{{.*}}, %[[ADDED]]
// CHECK:             %[[TILE_MAX:.*]] = linalg.generic {{.*}} ins(%[[SCORES]] : {{.*}}) outs(%{{.*}} : tensor<4x?xf32>)
// CHECK-NEXT:        ^bb0(
// CHECK-NEXT:          arith.maximumf
// CHECK:             %[[CORRECTION:.*]] = linalg.generic {{.*}} ins(%[[MAX]], %[[TILE_MAX]] : {{.*}})
// CHECK:               math.exp
// CHECK:             %[[NEW_MAX:.*]] = linalg.generic {{.*}} ins(%[[TILE_MAX]] : {{.*}}) outs(%[[MAX]] : tensor<4x?xf32>)
// CHECK:             %[[WEIGHTS:.*]] = linalg.generic {{.*}} ins(%[[NEW_MAX]] : {{.*}}) outs(%[[SCORES]] : {{.*}})
// CHECK:               math.exp
// CHECK:             %[[OLD_SUM:.*]] = linalg.generic {{.*}} ins(%[[CORRECTION]] : {{.*}}) outs(%[[SUM]] : tensor<4x?xf32>)
// CHECK:             %[[NEW_SUM:.*]] = linalg.generic {{.*}} ins(%[[WEIGHTS]] : {{.*}}) outs(%[[OLD_SUM]] : {{.*}})
// CHECK:             %[[OLD_ACC:.*]] = linalg.generic {{.*}} ins(%[[CORRECTION]] : {{.*}}) outs(%[[ACC]] : tensor<4x?x8xf32>)
// CHECK:             %[[VS:.*]] = tensor.extract_slice %[[V]][0, %[[H]], %[[KEY0]], 0] [1, 1, %[[M]], 8] [1, 1, 1, 1] : {{.*}} to tensor<?x8xf32>
// CHECK:             %[[NEW_ACC:.*]] = linalg.generic {{.*}} iterator_types = ["parallel", "parallel", "reduction", "parallel"]} ins(%[[WEIGHTS]], %[[VS]] : {{.*}}) outs(%[[OLD_ACC]] : {{.*}})
// CHECK:             scf.yield %[[NEW_MAX]], %[[NEW_SUM]], %[[NEW_ACC]]
// CHECK:           tensor.parallel_insert_slice %{{.*}} into %[[OUT]][0, %[[HEAD]], %[[FIRST]], 0] [1, 4, %[[N]], 8] [1, 1, 1, 1]
func.func @masked_window(%mask: tensor<1x1x?x?xf32> {onnx.dims = ["", "", "s", "t"]},
                         %q: tensor<1x4x?x8xf32> {onnx.dims = ["", "", "s", ""]},
                         %k: tensor<1x1x?x8xf32> {onnx.dims = ["", "", "t", ""]},
                         %v: tensor<1x1x?x8xf32> {onnx.dims = ["", "", "t", ""]}) -> tensor<1x4x?x8xf32> {
  %y = onnx.node "Attention"(%q, %k, %v, %mask) {is_causal = 1 : i64, left_window_size = 7 : i64}
    : (tensor<1x4x?x8xf32>, tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>, tensor<1x1x?x?xf32>) -> tensor<1x4x?x8xf32>
  return %y : tensor<1x4x?x8xf32>
}

// -----

// The last query stands at the last key counted: positions need no tensor, in either form.

// CHECK-LABEL: func.func @ends_at_last_key(
// CHECK-SAME:      %[[COUNT:[^:]*]]: index
// CHECK-SAME:      %[[Q:[^:]*]]: tensor<1x2x?x8xf32>
// CHECK:         %[[QUERIES:.*]] = tensor.dim %[[Q]], %c2
// CHECK-NOT:     linalg
// CHECK:         scf.if
// CHECK:           scf.forall
// CHECK-NOT:         tensor.extract %
// CHECK:             %[[OFFSET:.*]] = arith.subi %[[COUNT]], %[[QUERIES]]
// CHECK-NOT:         tensor.extract %
// CHECK:             %[[AHEAD:.*]] = arith.subi
// CHECK-NEXT:        arith.cmpi sle, %[[AHEAD]], %[[OFFSET]]
// CHECK:           } else {
// CHECK-NOT:       linalg
// CHECK:           scf.forall
// CHECK:             %[[FIRST:.*]] = arith.muli %{{.*}}, %c64
// CHECK:             %[[OFFSET:.*]] = arith.subi %[[COUNT]], %[[QUERIES]]
// CHECK-NEXT:        %[[POSITION:.*]] = arith.addi %[[FIRST]], %[[OFFSET]]
// CHECK-NOT:         tensor.extract %
// CHECK:             scf.for %
// CHECK-NOT:           tensor.extract %
// CHECK:               arith.cmpi sle, %{{.*}}, %[[POSITION]]
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

// Columns fill vectors of 16: 16 queries of 7 heads, 112, though 64 would be enough; up to 8
// have parts. With heads enough of their own for that, a block has one query, which is more than
// half of what it may have: it has columns, and so have any number.

// CHECK-LABEL: func.func @odd_groups(
// CHECK:         arith.cmpi sle, %{{.*}}, %c8
// CHECK-NEXT:    scf.if
// CHECK:           scf.forall {{.*}} -> (tensor<?x7x?xf32>, tensor<?x7x?xf32>, tensor<?x7x?x8xf32>)
// CHECK:         } else {
// CHECK:           scf.forall
// CHECK:             arith.minsi %{{.*}}, %c16
// CHECK:             %[[SCORES:.*]] = tensor.empty() : tensor<60x112xf32>
// CHECK:             scf.for %
// CHECK:               tensor.extract_slice %[[SCORES]]
// CHECK:           scf.yield %{{.*}} : tensor<1x7x?x8xf32>
// CHECK-NOT:     scf.if
// CHECK:         %[[SCORES:.*]] = tensor.empty() : tensor<60x70xf32>
// CHECK-NOT:     scf.if
// CHECK:         scf.for %
// CHECK:           tensor.extract_slice %[[SCORES]]
// CHECK-NOT:     scf.if %{{.*}} -> (tensor<1x70x?x8xf32>)
// CHECK:           tensor.extract_slice %[[SCORES]]
func.func @odd_groups(%q: tensor<1x7x?x8xf32>, %k: tensor<1x1x?x8xf32>, %v: tensor<1x1x?x8xf32>,
                      %p: tensor<1x70x1x8xf32>, %r: tensor<1x70x?x8xf32>)
    -> (tensor<1x7x?x8xf32>, tensor<1x70x1x8xf32>, tensor<1x70x?x8xf32>) {
  %y = onnx.node "Attention"(%q, %k, %v) : (tensor<1x7x?x8xf32>, tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>) -> tensor<1x7x?x8xf32>
  %z = onnx.node "Attention"(%p, %k, %v) : (tensor<1x70x1x8xf32>, tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>) -> tensor<1x70x1x8xf32>
  %x = onnx.node "Attention"(%r, %k, %v) : (tensor<1x70x?x8xf32>, tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>) -> tensor<1x70x?x8xf32>
  return %y, %z, %x : tensor<1x7x?x8xf32>, tensor<1x70x1x8xf32>, tensor<1x70x?x8xf32>
}

// -----

// Either form gives as many rows as there are queries, which nothing has to find out.

// CHECK-LABEL: func.func @residual(
// CHECK-SAME:      %[[Q:[^:]*]]: tensor<1x4x?x8xf32>
// CHECK:         %[[EMPTY:.*]] = tensor.empty(%{{.*}}) : tensor<1x4x?x8xf32>
// CHECK:         %[[CHOICE:.*]] = scf.if
// CHECK:         scf.yield %{{.*}} : tensor<1x4x?x8xf32>
// CHECK:         scf.yield %{{.*}} : tensor<1x4x?x8xf32>
// CHECK-NEXT:    }
// CHECK-NEXT:    linalg.generic {{.*}} ins(%[[CHOICE]], %[[Q]] : {{.*}}) outs(%[[EMPTY]] : {{.*}})
func.func @residual(%q: tensor<1x4x?x8xf32> {onnx.dims = ["", "", "s", ""]},
                    %k: tensor<1x1x?x8xf32> {onnx.dims = ["", "", "t", ""]},
                    %v: tensor<1x1x?x8xf32> {onnx.dims = ["", "", "t", ""]}) -> tensor<1x4x?x8xf32> {
  %y = onnx.node "Attention"(%q, %k, %v) {is_causal = 1 : i64}
    : (tensor<1x4x?x8xf32>, tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>) -> tensor<1x4x?x8xf32>
  %z = onnx.node "Add"(%y, %q) : (tensor<1x4x?x8xf32>, tensor<1x4x?x8xf32>) -> tensor<1x4x?x8xf32>
  return %z : tensor<1x4x?x8xf32>
}
