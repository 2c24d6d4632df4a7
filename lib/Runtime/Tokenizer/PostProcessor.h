//===- PostProcessor.h - tokens that frame every sequence -------*- C++ -*-===//
#ifndef TERN_LIB_RUNTIME_TOKENIZER_POSTPROCESSOR_H
#define TERN_LIB_RUNTIME_TOKENIZER_POSTPROCESSOR_H

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <vector>

namespace tern::runtime {

/// Supports TemplateProcessing (its form for one sequence), ByteLevel (which
/// adds nothing), and Sequences of these.
class PostProcessor {
public:
  /// \param config  the member `post_processor`; null for none.
  /// \throws InputError that names an unsupported kind.
  explicit PostProcessor(const nlohmann::json &config);

  /// Puts the begin and end tokens around `ids`.
  std::vector<int64_t> process(const std::vector<int64_t> &ids) const;

private:
  void add(const nlohmann::json &config);
  void addTemplate(const nlohmann::json &config);

  std::vector<int64_t> before, after;
};

} // namespace tern::runtime

#endif // TERN_LIB_RUNTIME_TOKENIZER_POSTPROCESSOR_H
