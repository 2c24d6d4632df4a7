//===- TokenizerJson.cpp - the contents of tokenizer.json -----------------===//

#include "TokenizerJson.h"

#include "tern/Runtime/Error.h"

using namespace tern::runtime;
using nlohmann::json;

namespace {

/// Builds a document from the parser's events, except for the large members. A
/// plain parse of Llama 3's 9 MB takes 100 MB and a third of a second.
class Reader final : public nlohmann::json_sax<json> {
public:
  explicit Reader(TokenizerJson &result) : result(result) {}

  bool null() override { return addValue(nullptr); }
  bool boolean(bool value) override { return addValue(value); }
  bool number_integer(number_integer_t value) override {
    return addNumber(value);
  }
  bool number_unsigned(number_unsigned_t value) override {
    return addNumber(value);
  }
  bool number_float(number_float_t value, const string_t &) override {
    return addValue(value);
  }
  bool string(string_t &value) override;
  bool binary(binary_t &) override { return false; } // not in text
  bool start_object(std::size_t) override;
  bool key(string_t &value) override {
    currentKey = std::move(value);
    return true;
  }
  bool end_object() override { return pop(); }
  bool start_array(std::size_t) override;
  bool end_array() override;
  bool parse_error(std::size_t, const std::string &,
                   const json::exception &error) override {
    throw InputError(std::string("tokenizer.json: ") + error.what());
  }

private:
  enum class Place { Other, Model, Vocabulary, Merges, MergePair };
  struct Frame {
    Place place;
    json *node; // null in the large members
  };

  /// Nested deeper, a document could exhaust the stack of those who walk it.
  static constexpr size_t kMaxDepth = 64;

  [[noreturn]] void failIn(const char *member, const char *expected) const {
    throw InputError(std::string("tokenizer.json: expected ") + expected +
                     " in " + member);
  }

  Place place() const {
    return frames.empty() ? Place::Other : frames.back().place;
  }
  bool pop() {
    frames.pop_back();
    return true;
  }
  void push(Place place, json *node) {
    if (frames.size() == kMaxDepth)
      throw InputError("tokenizer.json: nested deeper than " +
                       std::to_string(kMaxDepth) + " levels");
    frames.push_back({place, node});
  }

  json *insert(json value);
  bool addValue(json value);
  template <typename T>
  bool addNumber(T value) {
    if (place() != Place::Vocabulary)
      return addValue(value);
    // Ids beyond 64 bits arrive as floats; Vocabulary checks the rest.
    result.vocabulary.add(currentKey, static_cast<int64_t>(value));
    return true;
  }
  void addMerge(const std::string &text);

  TokenizerJson &result;
  std::vector<Frame> frames;
  std::string currentKey;
  std::vector<std::string> pair; // of the merge being read
};

} // namespace

/// Stores `value` where the reader stands, and returns its place.
json *Reader::insert(json value) {
  if (frames.empty()) {
    result.rest = std::move(value);
    return &result.rest;
  }
  json &parent = *frames.back().node;
  if (parent.is_object())
    return &(parent[currentKey] = std::move(value));
  parent.push_back(std::move(value));
  return &parent.back();
}

bool Reader::addValue(json value) {
  switch (place()) {
  case Place::Vocabulary:
    failIn("model.vocab", "an integer");
  case Place::Merges:
  case Place::MergePair:
    failIn("model.merges", "pairs of strings");
  case Place::Other:
  case Place::Model:
    insert(std::move(value));
  }
  return true;
}

void Reader::addMerge(const std::string &text) {
  size_t space = text.find(' ');
  if (space == std::string::npos ||
      text.find(' ', space + 1) != std::string::npos)
    failIn("model.merges", "two words with one space between");
  result.merges.emplace_back(text.substr(0, space), text.substr(space + 1));
}

bool Reader::string(string_t &value) {
  if (place() == Place::Merges)
    addMerge(value);
  else if (place() == Place::MergePair)
    pair.push_back(std::move(value));
  else
    addValue(std::move(value));
  return true;
}

bool Reader::start_object(std::size_t) {
  if (place() == Place::Model && currentKey == "vocab") {
    push(Place::Vocabulary, nullptr);
    return true;
  }
  if (place() >= Place::Vocabulary)
    addValue(nullptr); // reports it
  bool isModel = frames.size() == 1 && currentKey == "model";
  push(isModel ? Place::Model : Place::Other, insert(json::object()));
  return true;
}

bool Reader::start_array(std::size_t) {
  if (place() == Place::Model && currentKey == "merges") {
    push(Place::Merges, nullptr);
    return true;
  }
  if (place() == Place::Merges) {
    pair.clear();
    push(Place::MergePair, nullptr);
    return true;
  }
  if (place() >= Place::Vocabulary)
    addValue(nullptr); // reports it
  push(Place::Other, insert(json::array()));
  return true;
}

bool Reader::end_array() {
  if (place() == Place::MergePair) {
    if (pair.size() != 2)
      failIn("model.merges", "pairs of strings");
    result.merges.emplace_back(std::move(pair[0]), std::move(pair[1]));
  }
  return pop();
}

TokenizerJson tern::runtime::parseTokenizerJson(std::string_view text) {
  TokenizerJson result;
  Reader reader(result);
  json::sax_parse(text, &reader);
  if (!result.rest.is_object())
    throw InputError("tokenizer.json: expected an object at the top");
  return result;
}

const json &tern::runtime::getMember(const json &object, const char *key) {
  static const json kNull;
  auto it = object.find(key);
  return it == object.end() ? kNull : *it;
}
