//===- ProgressBar.cpp - how far a compilation has come -------------------===//

#include "ProgressBar.h"

#include "llvm/Support/Format.h"

#include <algorithm>

using namespace llvm;
using namespace tern;

ProgressBar::ProgressBar(raw_ostream &os, bool isWanted)
    : os(os), isShown(isWanted && os.is_displayed()) {}

void ProgressBar::beginStep(const Twine &step) {
  name = step.str();
  layers = 0;
  ++begun;
  draw();
}

void ProgressBar::addLayer() {
  ++layers;
  if (Clock::now() - lastDrawn > std::chrono::milliseconds(100))
    draw();
}

void ProgressBar::clear() {
  if (isDrawn)
    os << "\r\033[K";
  isDrawn = false;
}

void ProgressBar::draw() {
  if (!isShown)
    return;
  clear();
  constexpr unsigned kWidth = 24;
  // What began is not done.
  unsigned done = steps ? std::min(begun - 1, steps) * kWidth / steps : 0;
  lastDrawn = Clock::now();
  double seconds = std::chrono::duration<double>(lastDrawn - start).count();
  os << '[' << std::string(done, '=') << std::string(kWidth - done, ' ') << "] "
     << format("%.0f s ", seconds) << name;
  if (layers)
    os << ": " << layers << " layers";
  isDrawn = true;
}
