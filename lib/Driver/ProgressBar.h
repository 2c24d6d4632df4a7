//===- ProgressBar.h - how far a compilation has come -----------*- C++ -*-===//
#ifndef TERN_LIB_DRIVER_PROGRESSBAR_H
#define TERN_LIB_DRIVER_PROGRESSBAR_H

#include "llvm/ADT/Twine.h"
#include "llvm/Support/raw_ostream.h"

#include <chrono>
#include <string>

namespace tern {

/// One line at the bottom of a terminal, redrawn in place; nothing where the
/// stream is none.
class ProgressBar {
public:
  /// Draws on `os`, which must outlive the bar, if `isWanted`.
  ProgressBar(llvm::raw_ostream &os, bool isWanted);
  ~ProgressBar() { clear(); }

  /// How many steps will begin.
  void setSteps(unsigned count) { steps = count; }
  void beginStep(const llvm::Twine &name);
  /// Notes that the step has dealt with one more layer.
  void addLayer();
  /// Takes the line away, so that something else can be written.
  void clear();

private:
  using Clock = std::chrono::steady_clock;

  void draw();

  llvm::raw_ostream &os;
  bool isShown;
  bool isDrawn = false;
  unsigned steps = 0, begun = 0;
  std::string name;
  unsigned layers = 0; ///< of this step
  Clock::time_point start = Clock::now();
  Clock::time_point lastDrawn; ///< terminals are slow
};

} // namespace tern

#endif // TERN_LIB_DRIVER_PROGRESSBAR_H
