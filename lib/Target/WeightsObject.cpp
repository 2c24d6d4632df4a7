//===- WeightsObject.cpp - an ELF object with room for a model's weights --===//
//
// A writer of our own: LLVM has none for a section that is large, read-only and
// without contents.
//
// The file: ELF header | pointers | relocations | symbols | strings | section
// headers.
//
//===----------------------------------------------------------------------===//

#include "tern/Target/WeightsObject.h"

#include "tern/Target/OutputFile.h"

#include "tern/Transforms/Passes.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/BinaryFormat/ELF.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/raw_ostream.h"

#include <cstring>

using namespace llvm;
using namespace llvm::ELF;

namespace {

constexpr uint64_t kBlobAlignment = 64;
constexpr uint64_t kHugePage = 2 << 20;
constexpr uint64_t kHugePageThreshold = 64 << 20;

/// Indices of the section headers.
enum Section : unsigned {
  Null,
  Weights,
  Table,
  TableRelocations,
  Symbols,
  Strings,
  SectionNames,
  NumSections
};

/// The relocation type for a 64-bit address.
uint32_t getAddressRelocation(uint16_t machine) {
  switch (machine) {
  case EM_AARCH64:
    return R_AARCH64_ABS64;
  case EM_RISCV:
    return R_RISCV_64;
  default:
    return R_X86_64_64;
  }
}

class Writer {
public:
  Writer(raw_ostream &os, uint16_t machine, const tern::WeightsLayout &layout)
      : os(os), machine(machine), layout(layout) {}

  void write();

private:
  void placeSections();
  void writeHeader();
  void writeRelocations();
  void writeSymbols();
  void writeSectionHeaders();
  /// Zeros up to `offset` of the file.
  void padTo(uint64_t offset) { os.write_zeros(offset - os.tell()); }
  template <typename T>
  void writeStruct(const T &value) {
    os.write(reinterpret_cast<const char *>(&value), sizeof(T));
  }

  raw_ostream &os;
  uint16_t machine;
  const tern::WeightsLayout &layout;
  std::string strings, sectionNames;
  Elf64_Shdr sections[NumSections] = {};
};

void Writer::placeSections() {
  size_t count = layout.offsets.size();
  strings = std::string(1, '\0') + tern::kWeightsTable.str() + '\0';

  const char *names[NumSections] = {"",
                                    tern::kWeightsSection.data(),
                                    ".data.rel.ro",
                                    ".rela.data.rel.ro",
                                    ".symtab",
                                    ".strtab",
                                    ".shstrtab"};
  uint64_t offset = sizeof(Elf64_Ehdr);
  auto place = [&](Section index, uint32_t type, uint64_t flags, uint64_t bytes,
                   uint64_t alignment, uint64_t entry = 0) {
    Elf64_Shdr &section = sections[index];
    section.sh_name = sectionNames.size();
    sectionNames += std::string(names[index]) + '\0';
    section.sh_type = type;
    section.sh_flags = flags;
    // Alignment in memory is the linker's work; here 64 bytes suffice.
    section.sh_offset = offset =
        alignTo(offset, std::min<uint64_t>(alignment, 64));
    section.sh_size = bytes;
    section.sh_addralign = alignment;
    section.sh_entsize = entry;
    offset += type == SHT_NOBITS ? 0 : bytes;
  };
  sectionNames = std::string(1, '\0');
  uint64_t large = machine == EM_X86_64 ? uint64_t(SHF_X86_64_LARGE) : 0;
  place(Weights, SHT_NOBITS, SHF_ALLOC | large, layout.size,
        layout.size > kHugePageThreshold ? kHugePage : kBlobAlignment);
  place(Table, SHT_PROGBITS, SHF_ALLOC | SHF_WRITE, count * 8, 8);
  place(TableRelocations, SHT_RELA, SHF_INFO_LINK, count * sizeof(Elf64_Rela),
        8, sizeof(Elf64_Rela));
  place(Symbols, SHT_SYMTAB, 0, 3 * sizeof(Elf64_Sym), 8, sizeof(Elf64_Sym));
  place(Strings, SHT_STRTAB, 0, strings.size(), 1);
  // Its own name must be in the string before its size is known.
  uint64_t namesSize = sectionNames.size() + strlen(names[SectionNames]) + 1;
  place(SectionNames, SHT_STRTAB, 0, namesSize, 1);
  sections[TableRelocations].sh_link = Symbols;
  sections[TableRelocations].sh_info = Table;
  sections[Symbols].sh_link = Strings;
  sections[Symbols].sh_info = 2; // the first symbol that is not local
}

void Writer::writeHeader() {
  Elf64_Ehdr header = {};
  memcpy(header.e_ident, ElfMagic, 4);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_VERSION] = EV_CURRENT;
  header.e_type = ET_REL;
  header.e_machine = machine;
  header.e_version = EV_CURRENT;
  header.e_shoff = alignTo(
      sections[SectionNames].sh_offset + sections[SectionNames].sh_size, 8);
  header.e_ehsize = sizeof(Elf64_Ehdr);
  header.e_shentsize = sizeof(Elf64_Shdr);
  header.e_shnum = NumSections;
  header.e_shstrndx = SectionNames;
  writeStruct(header);
}

void Writer::writeRelocations() {
  padTo(sections[TableRelocations].sh_offset);
  for (auto [index, offset] : enumerate(layout.offsets)) {
    Elf64_Rela relocation = {};
    relocation.r_offset = index * 8;
    // Against symbol 1, which is the weights section.
    relocation.r_info = (uint64_t(1) << 32) | getAddressRelocation(machine);
    relocation.r_addend = offset;
    writeStruct(relocation);
  }
}

void Writer::writeSymbols() {
  padTo(sections[Symbols].sh_offset);
  Elf64_Sym null = {}, weights = {}, table = {};
  weights.setBindingAndType(STB_LOCAL, STT_SECTION);
  weights.st_shndx = Weights;
  table.st_name = 1;
  table.setBindingAndType(STB_GLOBAL, STT_OBJECT);
  table.st_other = STV_HIDDEN;
  table.st_shndx = Table;
  table.st_size = sections[Table].sh_size;
  for (const Elf64_Sym &symbol : {null, weights, table})
    writeStruct(symbol);
}

void Writer::writeSectionHeaders() {
  padTo(alignTo(os.tell(), 8));
  for (const Elf64_Shdr &section : sections)
    writeStruct(section);
}

void Writer::write() {
  placeSections();
  writeHeader();
  // The addresses are for the linker to fill in.
  padTo(sections[Table].sh_offset + sections[Table].sh_size);
  writeRelocations();
  writeSymbols();
  padTo(sections[Strings].sh_offset);
  os << strings << sectionNames;
  writeSectionHeaders();
}

} // namespace

tern::WeightsLayout tern::layOutWeights(ArrayRef<ArrayRef<char>> blobs) {
  WeightsLayout layout;
  for (ArrayRef<char> blob : blobs) {
    layout.offsets.push_back(layout.size);
    layout.size = alignTo(layout.size + blob.size(), kBlobAlignment);
  }
  return layout;
}

Error tern::writeWeightsObject(StringRef path, uint16_t machine,
                               const WeightsLayout &layout) {
  static_assert(endianness::native == endianness::little,
                "structures are written as they lie in memory");
  return writeFile(path, [&](raw_fd_ostream &os) {
    Writer(os, machine, layout).write();
    return Error::success();
  });
}
