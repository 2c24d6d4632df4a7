//===- BytePairModel.cpp - merges symbols into tokens ---------------------===//

#include "BytePairModel.h"

#include "tern/Runtime/Error.h"
#include "tern/Runtime/Utf8.h"

#include <algorithm>

using namespace tern::runtime;
using nlohmann::json;

/// A node of the list that a word's symbols form.
struct BytePairModel::Symbol {
  int32_t id;
  int32_t previous; // -1: none
  int32_t next;     // -1: none
  bool isMerged;    // into its left neighbour
};

/// A merge that was possible when it was found.
struct BytePairModel::Candidate {
  int32_t rank;
  int32_t position; // of the left symbol
  int32_t result;

  /// For the standard heaps, which keep the largest on top.
  bool operator<(const Candidate &other) const {
    return rank != other.rank ? rank > other.rank : position > other.position;
  }
};

BytePairModel::BytePairModel(TokenizerJson &tokenizer) {
  const json &model = getMember(tokenizer.rest, "model");
  // Files of early versions lack the type.
  std::string type = getOr<std::string>(model, "type", "BPE");
  if (!model.is_object() || type != "BPE")
    throw InputError("tokenizer.json: expected a model of type BPE, found '" +
                     (model.is_object() ? type : "none") + "'");
  vocabulary = std::move(tokenizer.vocabulary);
  prefix = getOr<std::string>(model, "continuing_subword_prefix", "");
  suffix = getOr<std::string>(model, "end_of_word_suffix", "");
  fuseUnknown = getOr(model, "fuse_unk", false);
  byteFallback = getOr(model, "byte_fallback", false);
  ignoreMerges = getOr(model, "ignore_merges", false);
  std::string unknownToken = getOr<std::string>(model, "unk_token", "");
  if (!unknownToken.empty()) {
    unknown = vocabulary.findId(unknownToken);
    if (!unknown)
      throw InputError("tokenizer.json: unk_token '" + unknownToken +
                       "' is not in the vocabulary");
  }
  readMerges(tokenizer);
}

void BytePairModel::readMerges(TokenizerJson &tokenizer) {
  merges = MergeTable(tokenizer.merges.size());
  auto getId = [&](const std::string &spelling) {
    if (std::optional<int32_t> id = vocabulary.findId(spelling))
      return *id;
    throw InputError("tokenizer.json: a merge needs token '" + spelling +
                     "', which is not in the vocabulary");
  };
  for (const auto &[left, right] : tokenizer.merges) {
    if (right.size() < prefix.size())
      throw InputError("tokenizer.json: '" + right +
                       "' in a merge lacks the prefix '" + prefix + "'");
    int32_t result = getId(left + right.substr(prefix.size()));
    merges.add(getId(left), getId(right), result);
  }
  tokenizer.merges = {};
}

bool BytePairModel::addBytes(std::string_view spelling,
                             std::vector<Symbol> &symbols) const {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::vector<Symbol> bytes;
  for (char c : spelling) {
    uint8_t byte = static_cast<uint8_t>(c);
    std::string token = {'<', '0', 'x', kDigits[byte >> 4], kDigits[byte & 15],
                         '>'};
    std::optional<int32_t> id = vocabulary.findId(token);
    if (!id)
      return false;
    bytes.push_back({*id, 0, 0, false});
  }
  symbols.insert(symbols.end(), bytes.begin(), bytes.end());
  return true;
}

/// A character without a token and without an unknown token is dropped.
void BytePairModel::addUnknown(std::string_view spelling, bool &lastIsUnknown,
                               std::vector<Symbol> &symbols) const {
  if (byteFallback && addBytes(spelling, symbols)) {
    lastIsUnknown = false;
    return;
  }
  if (!unknown || (lastIsUnknown && fuseUnknown))
    return;
  symbols.push_back({*unknown, 0, 0, false});
  lastIsUnknown = true;
}

std::vector<BytePairModel::Symbol>
BytePairModel::splitIntoSymbols(std::string_view word) const {
  std::vector<Symbol> symbols;
  symbols.reserve(word.size());
  bool lastIsUnknown = false;
  std::string spelling;
  for (size_t index = 0; index < word.size();) {
    size_t size = decodeUtf8(word, index).size;
    spelling.clear();
    if (index > 0)
      spelling += prefix;
    spelling += word.substr(index, size);
    index += size;
    if (index == word.size())
      spelling += suffix;
    if (std::optional<int32_t> id = vocabulary.findId(spelling)) {
      symbols.push_back({*id, 0, 0, false});
      lastIsUnknown = false;
    } else {
      addUnknown(spelling, lastIsUnknown, symbols);
    }
  }
  for (size_t i = 0; i < symbols.size(); ++i) {
    symbols[i].previous = static_cast<int32_t>(i) - 1;
    symbols[i].next = i + 1 < symbols.size() ? static_cast<int32_t>(i) + 1 : -1;
  }
  return symbols;
}

void BytePairModel::applyMerges(std::vector<Symbol> &symbols) const {
  std::vector<Candidate> heap;
  auto findMerge = [&](int32_t left) -> std::optional<Merge> {
    int32_t right = symbols[static_cast<size_t>(left)].next;
    if (right < 0)
      return std::nullopt;
    return merges.find(symbols[static_cast<size_t>(left)].id,
                       symbols[static_cast<size_t>(right)].id);
  };
  for (size_t i = 0; i + 1 < symbols.size(); ++i) {
    int32_t position = static_cast<int32_t>(i);
    if (std::optional<Merge> merge = findMerge(position))
      heap.push_back({merge->rank, position, merge->result});
  }
  std::make_heap(heap.begin(), heap.end());
  auto push = [&](int32_t position) {
    if (position < 0)
      return;
    if (std::optional<Merge> merge = findMerge(position)) {
      heap.push_back({merge->rank, position, merge->result});
      std::push_heap(heap.begin(), heap.end());
    }
  };
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end());
    Candidate top = heap.back();
    heap.pop_back();
    Symbol &left = symbols[static_cast<size_t>(top.position)];
    // Another merge may have taken either symbol since.
    std::optional<Merge> merge;
    if (!left.isMerged)
      merge = findMerge(top.position);
    if (!merge || merge->result != top.result)
      continue;
    Symbol &right = symbols[static_cast<size_t>(left.next)];
    right.isMerged = true;
    left.id = top.result;
    left.next = right.next;
    if (left.next >= 0)
      symbols[static_cast<size_t>(left.next)].previous = top.position;
    push(left.previous);
    push(top.position);
  }
}

void BytePairModel::encode(std::string_view word,
                           std::vector<int64_t> &ids) const {
  if (ignoreMerges) {
    if (std::optional<int32_t> id = vocabulary.findId(word)) {
      ids.push_back(*id);
      return;
    }
  }
  std::vector<Symbol> symbols = splitIntoSymbols(word);
  applyMerges(symbols);
  for (const Symbol &symbol : symbols)
    if (!symbol.isMerged)
      ids.push_back(symbol.id);
}
