//===- WeightsInsertionTest.cpp - files that weights do not fit -----------===//

#include "tern/Target/WeightsObject.h"

#include "llvm/BinaryFormat/ELF.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

#include <gtest/gtest.h>

#include <cstring>

using namespace llvm;
using namespace llvm::ELF;

namespace {

/// An object with room for one blob of 100 bytes, 128 with the padding.
class WeightsInsertion : public testing::Test {
protected:
  WeightsInsertion() {
    EXPECT_FALSE(sys::fs::createTemporaryFile("tern-weights", "o", path));
    remover.setFile(path);
    EXPECT_EQ(toString(tern::writeWeightsObject(path, EM_X86_64, layout)), "");
  }

  std::string read() {
    return (*MemoryBuffer::getFile(path))->getBuffer().str();
  }
  void write(StringRef contents) {
    std::error_code code;
    raw_fd_ostream os(path, code);
    os << contents;
  }
  /// The message of inserting the blob, which must not touch the file if there
  /// is one.
  std::string insert() {
    std::string before = read();
    std::string message = toString(tern::insertWeights(
        path, layout, ArrayRef<char>(blob), [this] { ++calls; }));
    EXPECT_EQ(message.empty(), read() != before);
    return message;
  }

  std::vector<char> blob = std::vector<char>(100, 7);
  tern::WeightsLayout layout = tern::layOutWeights(ArrayRef<char>(blob));
  SmallString<128> path;
  FileRemover remover;
  int calls = 0;
};

TEST_F(WeightsInsertion, InsertsOnce) {
  EXPECT_EQ(insert(), "");
  EXPECT_EQ(calls, 1);
  EXPECT_NE(read().find(std::string(100, 7) + std::string(28, 0)),
            std::string::npos);
  EXPECT_NE(insert().find("it has no section for them"), std::string::npos);
}

TEST_F(WeightsInsertion, RefusesOtherFiles) {
  std::string object = read();
  std::string none = "it is no ELF64 file";
  write("");
  EXPECT_NE(insert().find(none), std::string::npos);
  write("hello");
  EXPECT_NE(insert().find(none), std::string::npos);
  // The section headers come last.
  write(StringRef(object).drop_back());
  EXPECT_NE(insert().find(none), std::string::npos);
  object[EI_CLASS] = ELFCLASS32;
  write(object);
  EXPECT_NE(insert().find(none), std::string::npos);
  sys::fs::remove(path);
  EXPECT_NE(
      toString(tern::insertWeights(path, layout, ArrayRef<char>(blob), [] {}))
          .find("cannot read back"),
      std::string::npos);
}

TEST_F(WeightsInsertion, RefusesAnotherSize) {
  blob.resize(129);
  layout = tern::layOutWeights(ArrayRef<char>(blob));
  EXPECT_NE(insert().find("has 128 bytes; expected 192"), std::string::npos);
}

TEST_F(WeightsInsertion, RefusesASectionWithinASegment) {
  std::string object = read();
  object.resize(alignTo(object.size(), 8));
  Elf64_Phdr segment = {};
  segment.p_type = PT_LOAD;
  segment.p_align = 4096;
  segment.p_memsz = 129; // One byte follows.
  auto *header = reinterpret_cast<Elf64_Ehdr *>(object.data());
  header->e_phoff = object.size();
  header->e_phnum = 1;
  header->e_phentsize = sizeof(segment);
  object.append(reinterpret_cast<const char *>(&segment), sizeof(segment));
  write(object);
  EXPECT_NE(insert().find("its section for them does not end a segment"),
            std::string::npos);
}

TEST_F(WeightsInsertion, NeedsNoFileForNoWeights) {
  sys::fs::remove(path);
  EXPECT_EQ(toString(tern::insertWeights(path, {}, {}, [] {})), "");
}

} // namespace
