//===- WeightsInsertion.cpp - weights into a linked ELF file --------------===//
//
// A linked program with room for weights, and what becomes of it:
//
//   headers | code, data …                      [0, cut) [cut, end)
//   headers | padding | weights | code, data …  [0, cut) … [cut + shift, …)
//
// Addresses in memory stay as the linker chose them: the segment that begins
// with the headers ends with the weights' section, for which the linker left
// addresses but no bytes.
//
//===----------------------------------------------------------------------===//

#include "tern/Target/OutputFile.h"
#include "tern/Target/WeightsObject.h"

#include "llvm/BinaryFormat/ELF.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/MemoryBuffer.h"

#include <vector>

using namespace llvm;
using namespace llvm::ELF;

namespace {

/// Bytes written before the reader of the weights may let go of them.
constexpr size_t kChunk = 64 << 20;

class Inserter {
public:
  Inserter(StringRef path, MutableArrayRef<char> file,
           const tern::WeightsLayout &layout)
      : path(path), file(file), layout(layout) {}

  /// Finds the section, and moves headers. Nothing is written.
  Error prepare();
  /// The new file.
  void write(raw_pwrite_stream &os, ArrayRef<ArrayRef<char>> blobs,
             function_ref<void()> written) const;

private:
  Error fail(const Twine &message) const {
    return createStringError("cannot add weights to '" + path +
                             "': " + message);
  }
  Error readHeaders();
  Error findSection();
  /// Where the contents go, in a program; in an object they go to the end.
  Error placeInSegment();
  void moveHeaders();

  StringRef path;
  MutableArrayRef<char> file;
  const tern::WeightsLayout &layout;
  Elf64_Ehdr *header = nullptr;
  MutableArrayRef<Elf64_Shdr> sections;
  MutableArrayRef<Elf64_Phdr> segments;
  Elf64_Shdr *section = nullptr; ///< of the weights
  Elf64_Phdr *segment = nullptr; ///< of the section; null in an object
  uint64_t cut = 0;              ///< what moves back begins here
  uint64_t shift = 0;            ///< by so much
};

} // namespace

Error Inserter::readHeaders() {
  auto holds = [&](uint64_t offset, uint64_t count, uint64_t size) {
    return offset % 8 == 0 && offset <= file.size() &&
           count <= (file.size() - offset) / size;
  };
  header = reinterpret_cast<Elf64_Ehdr *>(file.data());
  if (!holds(0, 1, sizeof(Elf64_Ehdr)) ||
      header->e_ident[EI_CLASS] != ELFCLASS64 ||
      !holds(header->e_shoff, header->e_shnum, sizeof(Elf64_Shdr)) ||
      !holds(header->e_phoff, header->e_phnum, sizeof(Elf64_Phdr)) ||
      header->e_shstrndx >= header->e_shnum)
    return fail("it is no ELF64 file");
  sections = {reinterpret_cast<Elf64_Shdr *>(file.data() + header->e_shoff),
              header->e_shnum};
  segments = {reinterpret_cast<Elf64_Phdr *>(file.data() + header->e_phoff),
              header->e_phnum};
  return Error::success();
}

Error Inserter::findSection() {
  const Elf64_Shdr &names = sections[header->e_shstrndx];
  for (Elf64_Shdr &candidate : sections) {
    StringRef rest(file.data(), file.size());
    rest = rest.substr(names.sh_offset).substr(candidate.sh_name);
    StringRef name = rest.take_until([](char c) { return c == 0; });
    if (candidate.sh_type == SHT_NOBITS && !name.empty() &&
        tern::kWeightsSection.starts_with(name))
      section = &candidate;
  }
  if (!section)
    return fail("it has no section for them");
  if (section->sh_size != layout.size)
    return fail("its section for them has " + Twine(section->sh_size) +
                " bytes; expected " + Twine(layout.size));
  return Error::success();
}

Error Inserter::placeInSegment() {
  uint64_t alignment = 1;
  for (Elf64_Phdr &candidate : segments) {
    if (candidate.p_type != PT_LOAD)
      continue;
    alignment = std::max<uint64_t>(alignment, candidate.p_align);
    uint64_t end = candidate.p_vaddr + candidate.p_memsz;
    if (candidate.p_vaddr <= section->sh_addr &&
        section->sh_addr + section->sh_size == end &&
        candidate.p_filesz <= section->sh_addr - candidate.p_vaddr)
      segment = &candidate;
  }
  if (!segment)
    return fail("its section for them does not end a segment");
  cut = segment->p_offset + segment->p_filesz;
  section->sh_offset =
      segment->p_offset + (section->sh_addr - segment->p_vaddr);
  // Offsets and addresses stay equal modulo the size of a page.
  shift = alignTo(section->sh_offset + section->sh_size - cut, alignment);
  return Error::success();
}

void Inserter::moveHeaders() {
  auto move = [&](Elf64_Off &offset) {
    if (offset >= cut)
      offset += shift;
  };
  for (Elf64_Shdr &other : sections)
    if (&other != section)
      move(other.sh_offset);
  for (Elf64_Phdr &other : segments)
    if (&other != segment)
      move(other.p_offset);
  if (segment)
    segment->p_filesz = segment->p_memsz;
  section->sh_type = SHT_PROGBITS;
  move(header->e_shoff);
}

Error Inserter::prepare() {
  for (auto step : {&Inserter::readHeaders, &Inserter::findSection})
    if (Error error = (this->*step)())
      return error;
  if (segments.empty()) {
    cut = file.size();
    section->sh_offset = alignTo(cut, section->sh_addralign);
  } else if (Error error = placeInSegment()) {
    return error;
  }
  moveHeaders();
  return Error::success();
}

void Inserter::write(raw_pwrite_stream &os, ArrayRef<ArrayRef<char>> blobs,
                     function_ref<void()> written) const {
  auto padTo = [&](uint64_t offset) { os.write_zeros(offset - os.tell()); };
  os.write(file.data(), cut);
  for (auto [offset, blob] : zip_equal(layout.offsets, blobs)) {
    padTo(section->sh_offset + offset);
    for (ArrayRef<char> rest = blob; !rest.empty();) {
      ArrayRef<char> chunk = rest.take_front(kChunk);
      os.write(chunk.data(), chunk.size());
      rest = rest.drop_front(chunk.size());
      written();
    }
  }
  padTo(section->sh_offset + section->sh_size);
  if (cut == file.size())
    return;
  padTo(cut + shift);
  os.write(file.data() + cut, file.size() - cut);
}

Error tern::insertWeights(StringRef path, const WeightsLayout &layout,
                          ArrayRef<ArrayRef<char>> blobs,
                          function_ref<void()> written) {
  if (layout.size == 0)
    return Error::success();
  // A copy: the file is about to be overwritten.
  ErrorOr<std::unique_ptr<MemoryBuffer>> buffer = MemoryBuffer::getFile(path);
  if (!buffer)
    return createStringError(buffer.getError(),
                             "cannot read back '" + path +
                                 "': " + buffer.getError().message());
  std::vector<char> file((*buffer)->getBuffer().begin(),
                         (*buffer)->getBuffer().end());
  buffer->reset();
  Inserter inserter(path, file, layout);
  if (Error error = inserter.prepare())
    return error;
  // The file keeps its permissions.
  return writeFile(
      path,
      [&](raw_fd_ostream &os) {
        inserter.write(os, blobs, written);
        return Error::success();
      },
      sys::fs::CD_OpenExisting);
}
