//===- ModelMutator.cpp - ONNX models with one thing changed --------------===//

#include "ModelMutator.h"

#include <google/protobuf/descriptor.h>

#include <cstdint>
#include <limits>

using namespace tern::fuzz;

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

void ModelMutator::collect(Message &message) {
  messages.push_back(&message);
  const Reflection &reflection = *message.GetReflection();
  std::vector<const FieldDescriptor *> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor *field : fields) {
    bool isMessage = field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
    bool isString = field->cpp_type() == FieldDescriptor::CPPTYPE_STRING;
    if (!field->is_repeated()) {
      if (isMessage)
        collect(*reflection.MutableMessage(&message, field));
      else if (isString)
        strings.push_back(reflection.GetString(message, field));
      continue;
    }
    for (int i = 0, e = reflection.FieldSize(message, field); i != e; ++i)
      if (isMessage)
        collect(*reflection.MutableRepeatedMessage(&message, field, i));
      else if (isString)
        strings.push_back(reflection.GetRepeatedString(message, field, i));
  }
}

void ModelMutator::mutate(Message &message) {
  messages.clear();
  strings.clear();
  collect(message);
  Message &chosen = *messages[pick(messages.size())];
  const auto &descriptor = *chosen.GetDescriptor();
  std::vector<const FieldDescriptor *> fields;
  chosen.GetReflection()->ListFields(chosen, &fields);
  // Mostly what is there; at times a field that was not.
  const FieldDescriptor *field =
      fields.empty() || pick(5) == 0
          ? descriptor.field(static_cast<int>(pick(descriptor.field_count())))
          : fields[pick(fields.size())];
  if (field->is_repeated())
    mutateRepeated(chosen, *field);
  else
    mutateSingular(chosen, *field);
}

void ModelMutator::mutateRepeated(Message &message, const Field &field) {
  const Reflection &reflection = *message.GetReflection();
  int size = reflection.FieldSize(message, &field);
  if (size == 0)
    return addElement(message, field);
  int index = static_cast<int>(pick(size));
  switch (pick(4)) {
  case 0:
    return addElement(message, field);
  case 1: // drops one
    reflection.SwapElements(&message, &field, index, size - 1);
    return reflection.RemoveLast(&message, &field);
  case 2:
    return reflection.SwapElements(&message, &field, index,
                                   static_cast<int>(pick(size)));
  default:
    return setElement(message, field, index);
  }
}

void ModelMutator::addElement(Message &message, const Field &field) {
  const Reflection &reflection = *message.GetReflection();
  int size = reflection.FieldSize(message, &field);
  switch (field.cpp_type()) {
  case Field::CPPTYPE_MESSAGE: {
    Message *added = reflection.AddMessage(&message, &field);
    if (size > 0)
      added->CopyFrom(reflection.GetRepeatedMessage(
          message, &field, static_cast<int>(pick(size))));
    return;
  }
  case Field::CPPTYPE_INT32:
    return reflection.AddInt32(&message, &field,
                               static_cast<int32_t>(pickNumber()));
  case Field::CPPTYPE_INT64:
    return reflection.AddInt64(&message, &field, pickNumber());
  case Field::CPPTYPE_UINT64:
    return reflection.AddUInt64(&message, &field, pickNumber());
  case Field::CPPTYPE_FLOAT:
    return reflection.AddFloat(&message, &field,
                               static_cast<float>(pickNumber()));
  case Field::CPPTYPE_DOUBLE:
    return reflection.AddDouble(&message, &field,
                                static_cast<double>(pickNumber()));
  case Field::CPPTYPE_STRING:
    return reflection.AddString(&message, &field, pickString(""));
  default: // ONNX repeats nothing else
    return;
  }
}

void ModelMutator::setElement(Message &message, const Field &field, int index) {
  const Reflection &reflection = *message.GetReflection();
  if (field.cpp_type() == Field::CPPTYPE_STRING)
    return reflection.SetRepeatedString(
        &message, &field, index,
        pickString(reflection.GetRepeatedString(message, &field, index)));
  addElement(message, field);
  int last = reflection.FieldSize(message, &field) - 1;
  reflection.SwapElements(&message, &field, index, last);
  reflection.RemoveLast(&message, &field);
}

void ModelMutator::mutateSingular(Message &message, const Field &field) {
  const Reflection &reflection = *message.GetReflection();
  if (pick(8) == 0)
    return reflection.ClearField(&message, &field);
  switch (field.cpp_type()) {
  case Field::CPPTYPE_MESSAGE:
    reflection.MutableMessage(&message, &field);
    return;
  case Field::CPPTYPE_ENUM:
    return reflection.SetEnumValue(&message, &field,
                                   static_cast<int>(pick(32)));
  case Field::CPPTYPE_INT32:
    return reflection.SetInt32(&message, &field,
                               static_cast<int32_t>(pickNumber()));
  case Field::CPPTYPE_INT64:
    return reflection.SetInt64(&message, &field, pickNumber());
  case Field::CPPTYPE_FLOAT:
    return reflection.SetFloat(&message, &field,
                               static_cast<float>(pickNumber()));
  case Field::CPPTYPE_STRING:
    return reflection.SetString(
        &message, &field, pickString(reflection.GetString(message, &field)));
  default: // ONNX has nothing else
    return;
  }
}

int64_t ModelMutator::pickNumber() {
  constexpr int64_t kExtremes[] = {std::numeric_limits<int64_t>::min(),
                                   std::numeric_limits<int64_t>::max(),
                                   int64_t(1) << 62,
                                   int64_t(1) << 40,
                                   int64_t(1) << 32,
                                   std::numeric_limits<int32_t>::min(),
                                   std::numeric_limits<int32_t>::max(),
                                   -1};
  switch (pick(3)) {
  case 0:
    return kExtremes[pick(std::size(kExtremes))];
  case 1:
    return static_cast<int64_t>(pick(256)) - 128;
  default: // data types, opsets, axes, small dimensions
    return static_cast<int64_t>(pick(32));
  }
}

std::string ModelMutator::pickString(const std::string &current) {
  std::string text = current;
  switch (pick(4)) {
  case 0: // cut off
    text.resize(pick(text.size() + 1));
    return text;
  case 1: // one byte
    if (!text.empty())
      text[pick(text.size())] ^= static_cast<char>(1 << pick(8));
    return text;
  default:
    return strings.empty() ? text : strings[pick(strings.size())];
  }
}
