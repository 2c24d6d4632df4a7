//===- SpecialTokens.h - the ids that begin and end a text ------*- C++ -*-===//
#ifndef TERN_RUNTIME_SPECIALTOKENS_H
#define TERN_RUNTIME_SPECIALTOKENS_H

#include "tern/Runtime/ModelABI.h"
#include "tern/Runtime/Tokenizer.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace tern::runtime {

struct SpecialTokens {
  std::optional<int64_t> begin;
  std::vector<int64_t> ends; ///< any of them ends a text; ids below the vocab
};

/// Reads "bos_token_id" (an integer) and "eos_token_ids" (integers) of
/// TernModel.details; without them, looks the usual names up in `tokenizer`.
/// \throws InputError if the details are no such JSON.
SpecialTokens findSpecialTokens(const TernModel &model,
                                const Tokenizer &tokenizer);

} // namespace tern::runtime

#endif // TERN_RUNTIME_SPECIALTOKENS_H
