//===- Vocabulary.cpp - tokens by spelling and by id ----------------------===//

#include "Vocabulary.h"

#include "tern/Runtime/Error.h"

#include <functional>

using namespace tern::runtime;

void Vocabulary::add(std::string spelling, int64_t id) {
  if (id < 0 || id >= kMaxId)
    throw InputError("token '" + spelling + "' has id " + std::to_string(id) +
                     "; expected one in [0, " + std::to_string(kMaxId) + ")");
  if (2 * (tokens.size() + 1) > slots.size())
    grow();
  size_t slot = findSlot(spelling);
  if (slots[slot] == 0) {
    tokens.push_back({std::move(spelling), 0});
    slots[slot] = static_cast<int32_t>(tokens.size());
  }
  tokens[static_cast<size_t>(slots[slot] - 1)].id = static_cast<int32_t>(id);
  if (static_cast<size_t>(id) >= byId.size())
    byId.resize(static_cast<size_t>(id) + 1);
  byId[static_cast<size_t>(id)] = slots[slot];
}

size_t Vocabulary::findSlot(std::string_view spelling) const {
  size_t mask = slots.size() - 1;
  size_t slot = std::hash<std::string_view>()(spelling) & mask;
  while (slots[slot] != 0 &&
         tokens[static_cast<size_t>(slots[slot] - 1)].spelling != spelling)
    slot = (slot + 1) & mask;
  return slot;
}

void Vocabulary::grow() {
  slots.assign(slots.empty() ? 1024 : 2 * slots.size(), 0);
  for (size_t i = 0; i < tokens.size(); ++i)
    slots[findSlot(tokens[i].spelling)] = static_cast<int32_t>(i + 1);
}

std::optional<int32_t> Vocabulary::findId(std::string_view spelling) const {
  if (slots.empty())
    return std::nullopt;
  int32_t index = slots[findSlot(spelling)];
  if (index == 0)
    return std::nullopt;
  return tokens[static_cast<size_t>(index - 1)].id;
}

const std::string *Vocabulary::findSpelling(int64_t id) const {
  if (id < 0 || static_cast<size_t>(id) >= byId.size())
    return nullptr;
  int32_t index = byId[static_cast<size_t>(id)];
  return index ? &tokens[static_cast<size_t>(index - 1)].spelling : nullptr;
}

static constexpr uint64_t kFreeKey = ~uint64_t(0);

MergeTable::MergeTable(size_t count) {
  size_t capacity = 2;
  while (capacity < 2 * count)
    capacity *= 2;
  entries.resize(capacity, {kFreeKey, {}});
}

static uint64_t makeKey(int32_t left, int32_t right) {
  return static_cast<uint64_t>(left) << 32 | static_cast<uint32_t>(right);
}

size_t MergeTable::findSlot(uint64_t key) const {
  size_t mask = entries.size() - 1;
  // Fibonacci hashing: the high bits of the product depend on all of the key.
  size_t slot = (key * 0x9E3779B97F4A7C15 >> 32) & mask;
  while (entries[slot].key != kFreeKey && entries[slot].key != key)
    slot = (slot + 1) & mask;
  return slot;
}

void MergeTable::add(int32_t left, int32_t right, Merge merge) {
  uint64_t key = makeKey(left, right);
  entries[findSlot(key)] = {key, merge};
}

const Merge *MergeTable::find(int32_t left, int32_t right) const {
  uint64_t key = makeKey(left, right);
  const Entry &entry = entries[findSlot(key)];
  return entry.key == key ? &entry.merge : nullptr;
}
