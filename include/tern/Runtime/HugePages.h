//===- HugePages.h - weights in huge pages ----------------------*- C++ -*-===//
#ifndef TERN_RUNTIME_HUGEPAGES_H
#define TERN_RUNTIME_HUGEPAGES_H

#include <cstddef>
#include <vector>

namespace tern::runtime {

/// Consecutive bytes of constants.
struct WeightSpan {
  const void *data;
  size_t bytes;
};

/// What the functions below treat: whole huge pages, or nothing.
std::vector<WeightSpan> findWeights(const void *model,
                                    const std::vector<WeightSpan> &apart);

/// Asks the system to read the weights from their file, and to map them, in
/// huge pages. `model` is anything in the program or library that holds them;
/// they are its segments that are only read and are aligned to huge pages.
/// `apart` is left out: constants that are read here and there.
/// A request, which a system may refuse, and which moves nothing that it has
/// cached in small pages already.
void useHugePages(const void *model, const std::vector<WeightSpan> &apart);

/// Copies the same weights, whole huge pages of them, to memory of this process
/// that takes the place of their file's: in huge pages where there are any, but
/// shared with no other process. Returns how many bytes; 0 where they fill no
/// huge page, and on anything but Linux.
/// \throws std::bad_alloc if there is no memory; nothing is lost then.
size_t copyWeights(const void *model, const std::vector<WeightSpan> &apart);

} // namespace tern::runtime

#endif // TERN_RUNTIME_HUGEPAGES_H
