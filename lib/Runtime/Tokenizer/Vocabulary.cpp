//===- Vocabulary.cpp - tokens by spelling and by id ----------------------===//

#include "Vocabulary.h"

#include "tern/Runtime/Error.h"

#include <algorithm>
#include <functional>

using namespace tern::runtime;

void Vocabulary::add(std::string_view spelling, int64_t id) {
  if (id < 0 || id >= kMaxId)
    throw InputError("token '" + std::string(spelling) + "' has id " +
                     std::to_string(id) + "; expected one in [0, " +
                     std::to_string(kMaxId) + ")");
  if (2 * (tokens.size() + 1) > slots.size())
    grow();
  size_t slot = findSlot(spelling);
  if (slots[slot] == 0) {
    if (spelling.size() > UINT32_MAX - spellings.size())
      throw InputError("tokenizer.json: the tokens' spellings take 4 GiB");
    spellings += spelling;
    tokens.push_back({static_cast<uint32_t>(spellings.size()), 0});
    slots[slot] = static_cast<int32_t>(tokens.size());
  }
  // A spelling that is given twice leaves its first id.
  Token &token = tokens[static_cast<size_t>(slots[slot] - 1)];
  if (size_t old = static_cast<size_t>(token.id);
      old < byId.size() && byId[old] == slots[slot])
    byId[old] = 0;
  token.id = static_cast<int32_t>(id);
  if (static_cast<size_t>(id) >= byId.size())
    byId.resize(static_cast<size_t>(id) + 1);
  byId[static_cast<size_t>(id)] = slots[slot];
}

std::string_view Vocabulary::getSpelling(size_t index) const {
  size_t begin = index == 0 ? 0 : tokens[index - 1].end;
  return std::string_view(spellings).substr(begin, tokens[index].end - begin);
}

size_t Vocabulary::findSlot(std::string_view spelling) const {
  size_t mask = slots.size() - 1;
  size_t slot = std::hash<std::string_view>()(spelling) & mask;
  while (slots[slot] != 0 &&
         getSpelling(static_cast<size_t>(slots[slot] - 1)) != spelling)
    slot = (slot + 1) & mask;
  return slot;
}

void Vocabulary::grow() {
  slots.assign(slots.empty() ? 1024 : 2 * slots.size(), 0);
  for (size_t i = 0; i < tokens.size(); ++i)
    slots[findSlot(getSpelling(i))] = static_cast<int32_t>(i + 1);
}

std::optional<int32_t> Vocabulary::findId(std::string_view spelling) const {
  if (slots.empty())
    return std::nullopt;
  int32_t index = slots[findSlot(spelling)];
  if (index == 0)
    return std::nullopt;
  return tokens[static_cast<size_t>(index - 1)].id;
}

std::optional<std::string_view> Vocabulary::findSpelling(int64_t id) const {
  if (id < 0 || static_cast<size_t>(id) >= byId.size())
    return std::nullopt;
  int32_t index = byId[static_cast<size_t>(id)];
  if (index == 0)
    return std::nullopt;
  return getSpelling(static_cast<size_t>(index - 1));
}

SpellingTable::SpellingTable(const Vocabulary &vocabulary)
    : count(vocabulary.endOfIds()) {
  size_t bytes = static_cast<size_t>(count);
  for (int64_t id = 0; id < count; ++id)
    bytes += vocabulary.findSpelling(id).value_or("").size();
  marked.reserve(bytes);
  blocks.reserve(static_cast<size_t>((count + kBlock - 1) / kBlock));
  for (int64_t id = 0; id < count; ++id) {
    if (id % kBlock == 0)
      blocks.push_back(marked.size());
    std::optional<std::string_view> spelling = vocabulary.findSpelling(id);
    marked += spelling ? kToken : kNone;
    marked += spelling.value_or("");
  }
}

std::optional<std::string_view> SpellingTable::find(int64_t id) const {
  if (id < 0 || id >= count)
    return std::nullopt;
  std::string_view rest(marked);
  rest.remove_prefix(blocks[static_cast<size_t>(id / kBlock)]);
  auto findEnd = [&] {
    constexpr char marks[] = {kToken, kNone};
    return std::min(rest.find_first_of(std::string_view(marks, 2), 1),
                    rest.size());
  };
  for (int64_t i = 0; i < id % kBlock; ++i)
    rest.remove_prefix(findEnd());
  if (rest.front() == kNone)
    return std::nullopt;
  return rest.substr(1, findEnd() - 1);
}

MergeTable::MergeTable(size_t count) {
  size_t capacity = 2;
  while (capacity < count + count / 2)
    capacity *= 2;
  entries.reserve(count);
  slots.resize(capacity);
}

size_t MergeTable::findSlot(int32_t left, int32_t right) const {
  uint64_t key =
      static_cast<uint64_t>(left) << 32 | static_cast<uint32_t>(right);
  size_t mask = slots.size() - 1;
  // Fibonacci hashing: the high bits of the product depend on all of the key.
  size_t slot = (key * 0x9E3779B97F4A7C15 >> 32) & mask;
  auto isAnother = [&](const Entry &entry) {
    return entry.left != left || entry.right != right;
  };
  while (slots[slot] != 0 &&
         isAnother(entries[static_cast<size_t>(slots[slot] - 1)]))
    slot = (slot + 1) & mask;
  return slot;
}

void MergeTable::add(int32_t left, int32_t right, int32_t result) {
  size_t slot = findSlot(left, right);
  entries.push_back({left, right, result});
  slots[slot] = static_cast<int32_t>(entries.size());
}

std::optional<Merge> MergeTable::find(int32_t left, int32_t right) const {
  int32_t index = slots[findSlot(left, right)];
  if (index == 0)
    return std::nullopt;
  return Merge{index - 1, entries[static_cast<size_t>(index - 1)].result};
}
