//===- Pipelines.h - the stages of the compiler -----------------*- C++ -*-===//
#ifndef TERN_PIPELINES_PIPELINES_H
#define TERN_PIPELINES_PIPELINES_H

#include "llvm/ADT/StringRef.h"

#include <functional>
#include <string>
#include <vector>

namespace mlir {
class OpPassManager;
} // namespace mlir

namespace tern {

/// The stages of a compilation, in order, before machine code. Each is also a
/// pipeline of tern-opt, `--tern-<name>-pipeline`, except import; between pack
/// and lower lies bufferize, which all levels of CPU share.
enum class Stage {
  Import,   ///< the ONNX graph, verbatim
  Raise,    ///< BitLinear layers found; the rest in linalg; no onnx.node
  Optimize, ///< layers decomposed, elementwise operations fused
  Pack,     ///< constant weights in the layout of the kernels
  Lower,    ///< buffers, loops and vector code
  LLVM      ///< the LLVM dialect, with the entry points of ModelABI.h
};

/// The name that `--stop-after` takes: "import", "raise", …
llvm::StringRef getStageName(Stage stage);

/// What the pipelines can be told. Defaults compile for any CPU.
struct PipelineOptions {
  /// Use the portable add/sub loops for ternary products, not vector code.
  bool portable = false;
  /// Encoding of packed weights: "i2" (2 bits), "t5" (1.6 bits), or "auto",
  /// which chooses for each matrix what serves `packTargets` best.
  std::string encoding = "i2";
  /// The vector targets of all variants.
  std::vector<std::string> packTargets = {"generic"};
  /// Vector instructions of the ternary kernels: see convert-ternary-to-vector.
  std::string vectorTarget = "generic";
  /// Suffix of the entry points.
  std::string variant = "generic";
  /// Positions of the KV cache of a language model; 0: as the model says.
  int64_t context = 0;
  /// What the KV cache is stored in: "model", "f16" or "i8", see
  /// onnx-derive-step.
  std::string kvCache = "model";
  /// The head of a language model: "auto", "exact" or "screened", see
  /// ternary-screen-head.
  std::string head = "auto";
  /// Called when much of a large constant was read, if set: the pages of the
  /// model's file may be dropped.
  std::function<void()> forgetPages;
};

void buildRaisePipeline(mlir::OpPassManager &pm,
                        const PipelineOptions &options);
void buildOptimizePipeline(mlir::OpPassManager &pm,
                           const PipelineOptions &options);
void buildPackPipeline(mlir::OpPassManager &pm, const PipelineOptions &options);
/// The last part of packing: the head of a language model.
void buildHeadPipeline(mlir::OpPassManager &pm, const PipelineOptions &options);
/// The part of lowering that all variants of a model share: buffers, and
/// constants that are reached through the weights table.
void buildBufferizePipeline(mlir::OpPassManager &pm,
                            const PipelineOptions &options);
/// The rest of lowering, for one variant.
void buildLowerPipeline(mlir::OpPassManager &pm,
                        const PipelineOptions &options);
void buildLLVMPipeline(mlir::OpPassManager &pm, const PipelineOptions &options);

/// Registers the pipelines with tern-opt.
void registerPipelines();

} // namespace tern

#endif // TERN_PIPELINES_PIPELINES_H
