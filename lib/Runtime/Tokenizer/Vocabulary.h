//===- Vocabulary.h - tokens by spelling and by id --------------*- C++ -*-===//
#ifndef TERN_LIB_RUNTIME_TOKENIZER_VOCABULARY_H
#define TERN_LIB_RUNTIME_TOKENIZER_VOCABULARY_H

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tern::runtime {

/// An open-addressing table: a tokenizer of 128,000 tokens has to be ready a
/// few milliseconds after start.
class Vocabulary {
public:
  /// Ids lie in [0, kMaxId).
  static constexpr int64_t kMaxId = 1 << 24;

  /// The last id given to a spelling holds.
  /// \throws InputError if `id` is out of range.
  void add(std::string spelling, int64_t id);

  std::optional<int32_t> findId(std::string_view spelling) const;
  /// Null if no token has this id.
  const std::string *findSpelling(int64_t id) const;
  size_t size() const { return tokens.size(); }

private:
  struct Token {
    std::string spelling;
    int32_t id;
  };

  size_t findSlot(std::string_view spelling) const;
  void grow();

  std::vector<Token> tokens;
  std::vector<int32_t> slots; // index into tokens + 1; 0: free; a power of two
  std::vector<int32_t> byId;  // index into tokens + 1; 0: none
};

/// What becomes of two adjacent symbols.
struct Merge {
  int32_t rank;   ///< the lowest goes first
  int32_t result; ///< id of the merged symbol
};

/// Merges by pair of ids. Open addressing, as above.
class MergeTable {
public:
  /// Makes room for `count` merges; add no more than these.
  explicit MergeTable(size_t count = 0);

  /// The last merge given to a pair holds.
  void add(int32_t left, int32_t right, Merge merge);
  /// Null if the pair does not merge.
  const Merge *find(int32_t left, int32_t right) const;

private:
  struct Entry {
    uint64_t key; // left << 32 | right; ids are not negative
    Merge merge;
  };

  size_t findSlot(uint64_t key) const;

  std::vector<Entry> entries; // a power of two
};

} // namespace tern::runtime

#endif // TERN_LIB_RUNTIME_TOKENIZER_VOCABULARY_H
