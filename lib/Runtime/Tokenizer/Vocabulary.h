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
/// few milliseconds after start. It stays for as long as text is generated, so
/// spellings lie one behind the other, and a token takes some 25 bytes more.
class Vocabulary {
public:
  /// Ids lie in [0, kMaxId).
  static constexpr int64_t kMaxId = 1 << 24;

  /// The last id given to a spelling holds.
  /// \throws InputError if `id` is out of range, or the spellings take 4 GiB.
  void add(std::string_view spelling, int64_t id);

  std::optional<int32_t> findId(std::string_view spelling) const;
  /// Nothing if no token has this id. Valid until the next token is added.
  std::optional<std::string_view> findSpelling(int64_t id) const;
  size_t size() const { return tokens.size(); }
  /// No token has this id, or a larger one.
  int64_t endOfIds() const { return static_cast<int64_t>(byId.size()); }

private:
  struct Token {
    uint32_t end; // of its spelling, which begins where the last one ends
    int32_t id;
  };

  std::string_view getSpelling(size_t index) const;
  size_t findSlot(std::string_view spelling) const;
  void grow();

  std::string spellings;
  std::vector<Token> tokens;
  std::vector<int32_t> slots; // index into tokens + 1; 0: free; a power of two
  std::vector<int32_t> byId;  // index into tokens + 1; 0: none
};

/// The spellings of a vocabulary by id, and no more: what text is made of. A
/// tenth of a vocabulary and its merges: beside spellings, which are UTF-8, a
/// token takes a byte and a half.
class SpellingTable {
public:
  explicit SpellingTable(const Vocabulary &vocabulary);

  /// Nothing if no token has this id. Valid as long as this is.
  std::optional<std::string_view> find(int64_t id) const;

private:
  std::string marked;         // for each id a mark, and its spelling
  std::vector<size_t> blocks; // where every kBlock-th id's mark is
  int64_t count;              // of ids

  /// Neither mark is a byte of UTF-8.
  static constexpr char kToken = '\xff', kNone = '\xfe';
  static constexpr int64_t kBlock = 16;
};

/// What becomes of two adjacent symbols.
struct Merge {
  int32_t rank;   ///< the lowest goes first
  int32_t result; ///< id of the merged symbol
};

/// Merges by pair of ids. Open addressing, as above, into a list of the merges.
class MergeTable {
public:
  /// Makes room for `count` merges; add no more than these.
  explicit MergeTable(size_t count = 0);

  /// The next merge, in the order of ranks. The last merge given to a pair
  /// holds.
  void add(int32_t left, int32_t right, int32_t result);
  /// Nothing if the pair does not merge.
  std::optional<Merge> find(int32_t left, int32_t right) const;

private:
  struct Entry {
    int32_t left, right, result;
  };

  size_t findSlot(int32_t left, int32_t right) const;

  std::vector<Entry> entries; // by rank
  std::vector<int32_t> slots; // index into entries + 1; 0: free; a power of two
};

} // namespace tern::runtime

#endif // TERN_LIB_RUNTIME_TOKENIZER_VOCABULARY_H
