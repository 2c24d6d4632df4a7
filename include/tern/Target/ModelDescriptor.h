//===- ModelDescriptor.h - the constant tern_model --------------*- C++ -*-===//
#ifndef TERN_TARGET_MODELDESCRIPTOR_H
#define TERN_TARGET_MODELDESCRIPTOR_H

#include "tern/Target/CPULevel.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace llvm {
class LLVMContext;
class Module;
} // namespace llvm

namespace tern {

/// An input or output, as TernTensorSpec.
struct TensorSpec {
  std::string name;
  int32_t dtype;                    ///< TernDType
  std::vector<int64_t> dims;        ///< -1: decided at run time
  std::vector<std::string> symbols; ///< "" where a dimension has no name
};

/// A KV cache, as TernCacheSpec.
struct CacheSpec {
  int32_t past, present, axis, dtype;
  int64_t bytes;
};

/// As TernLanguageModel.
struct LanguageModelSpec {
  int64_t vocab, context;
  int32_t cacheKind; ///< TernCacheKind
  std::vector<CacheSpec> caches;
  int32_t inputIds, attentionMask, positionIds, logits;
};

/// As TernFetched.
struct FetchedSpec {
  int64_t index; ///< among the weights
  int64_t bytes;
};

/// Everything that the runtime is told of a model.
struct ModelSpec {
  std::string name, producer;
  std::vector<TensorSpec> inputs, outputs;
  std::vector<CPULevel> variants; ///< best first
  std::optional<LanguageModelSpec> languageModel;
  std::vector<FetchedSpec> fetched;
  std::optional<std::string> tokenizer; ///< bytes of tokenizer.json
  std::string details;                  ///< a JSON object
};

/// Builds a module that defines `tern_model` of ModelABI.h. The entry points
/// `tern_run_<variant>` and `tern_step_<variant>` are external to it.
std::unique_ptr<llvm::Module> buildModelDescriptor(const ModelSpec &spec,
                                                   llvm::LLVMContext &context);

} // namespace tern

#endif // TERN_TARGET_MODELDESCRIPTOR_H
