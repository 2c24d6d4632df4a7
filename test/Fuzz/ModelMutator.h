//===- ModelMutator.h - ONNX models with one thing changed ------*- C++ -*-===//
#ifndef TERN_TEST_FUZZ_MODELMUTATOR_H
#define TERN_TEST_FUZZ_MODELMUTATOR_H

#include <google/protobuf/message.h>

#include <random>
#include <string>
#include <vector>

namespace tern::fuzz {

/// Changes a protobuf at one place, so that it stays one: random bytes hardly
/// get past the parser. Numbers become extreme ones, strings those of other
/// places (names are what ties a graph together), members are copied, moved and
/// dropped. Deterministic in `seed`.
class ModelMutator {
public:
  explicit ModelMutator(unsigned seed) : random(seed) {}

  void mutate(google::protobuf::Message &message);

private:
  using Message = google::protobuf::Message;
  using Field = google::protobuf::FieldDescriptor;

  void collect(Message &message);
  void mutateRepeated(Message &message, const Field &field);
  void mutateSingular(Message &message, const Field &field);
  void setElement(Message &message, const Field &field, int index);
  void addElement(Message &message, const Field &field);
  int64_t pickNumber();
  std::string pickString(const std::string &current);
  /// A number in [0, end).
  size_t pick(size_t end) { return random() % end; }

  std::minstd_rand random;
  /// Every message within the one that is being changed, and every string.
  std::vector<Message *> messages;
  std::vector<std::string> strings;
};

} // namespace tern::fuzz

#endif // TERN_TEST_FUZZ_MODELMUTATOR_H
