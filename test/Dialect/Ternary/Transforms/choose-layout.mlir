// DEFINE: %{targets} =
// DEFINE: %{bytes} = 0
// DEFINE: %{choose} = tern-opt %s --ternary-pack-weights="encoding=auto targets=%{targets} cache-bytes=%{bytes}" --remarks-filter="tern.*" --remark-format=emitRemark 2>&1 | FileCheck %s --check-prefix

// From memory, a fifth less to read is a fifth less time where decoding keeps
// up: 64 rows of 160 columns are 40 lines at two bits and 32 at 1.6.
// REDEFINE: %{targets} = avx512vbmi
// RUN: %{choose}=T5
// T5: remark: loc("wide"): [Passed] packed | Category:tern-pack | Reason="t5 takes 0.80 of the cycles of i2 on avx512vbmi", bytes=2048, encoding=t5, tile=16
// T5: ternary.packed_matmul !ternary.matrix<64x160, #ternary.layout<t5, tile = 16>>

// REDEFINE: %{targets} = zen4
// RUN: %{choose}=ZEN4
// ZEN4: Reason="t5 takes 0.80 of the cycles of i2 on zen4", bytes=2048, encoding=t5

// In one step of either there is nothing to gain.
// T5: ternary.packed_matmul !ternary.matrix<16x16, #ternary.layout<i2, tile = 16>>

// Without lookups, decoding takes longer than reading. What one CPU gains is
// weighed against what another loses.
// REDEFINE: %{targets} = avx512vnni
// RUN: %{choose}=DIVIDED
// DIVIDED: Reason="t5 takes 1.90 of the cycles of i2 on avx512vnni", bytes=2560, encoding=i2
// DIVIDED: ternary.packed_matmul !ternary.matrix<64x160, #ternary.layout<i2, tile = 16>>
// REDEFINE: %{targets} = avx512vbmi,avx512vnni,avx2
// RUN: %{choose}=ALL
// ALL: Reason="t5 takes 3.70 of the cycles of i2 on avx2", bytes=2560, encoding=i2

// From a cache, it is instructions that count; the limit is at 64 * 160 / 4 +
// 16 * 16 / 4 bytes.
// REDEFINE: %{targets} = avx512vbmi
// REDEFINE: %{bytes} = 2623
// RUN: %{choose}=T5
// REDEFINE: %{bytes} = 2624
// RUN: %{choose}=CACHED
// CACHED: Reason="t5 takes 1.07 of the cycles of i2 on avx512vbmi", bytes=2560, encoding=i2

// RUN: not tern-opt %s --ternary-pack-weights=encoding=auto 2>&1 | FileCheck %s --check-prefix=NONE
// NONE: error: no targets to choose an encoding for; expected targets=NAME,...

func.func @choices(%x: tensor<1x160xi8>, %z: tensor<1x16xi8>) -> (tensor<1x64xi32>, tensor<1x16xi32>) {
  %w = ternary.constant dense<85> : tensor<2560xi8> as !ternary.matrix<64x160>
  %v = ternary.constant dense<85> : tensor<64xi8> as !ternary.matrix<16x16>
  %0 = ternary.matmul %x, %w : (tensor<1x160xi8>, !ternary.matrix<64x160>) -> tensor<1x64xi32> loc("wide")
  %1 = ternary.matmul %z, %v : (tensor<1x16xi8>, !ternary.matrix<16x16>) -> tensor<1x16xi32> loc("narrow")
  return %0, %1 : tensor<1x64xi32>, tensor<1x16xi32>
}
