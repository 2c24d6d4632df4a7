//===- Session.h - calls a compiled model -----------------------*- C++ -*-===//
#ifndef TERN_RUNTIME_SESSION_H
#define TERN_RUNTIME_SESSION_H

#include "tern/Runtime/BufferPool.h"
#include "tern/Runtime/ColdPages.h"
#include "tern/Runtime/HugePages.h"
#include "tern/Runtime/ModelABI.h"
#include "tern/Runtime/Tensor.h"
#include "tern/Runtime/ThreadTeam.h"

#include <cstddef>
#include <string>
#include <vector>

namespace tern::runtime {

class Profile;

/// The constants of which calls read few rows.
std::vector<WeightSpan> getFetched(const TernModel &model);

/// Where weights are read.
enum class WeightsMemory {
  File, ///< in the program's or library's file, which processes share
  Copy  ///< in memory of this process
};

/// One variant of a model on one team of threads. Used by one thread at a time.
class Session {
public:
  /// `model` outlives the session.
  /// \throws InputError if the model was compiled for another ABI version, or
  /// this CPU runs none of its variants; std::bad_alloc if there is no memory
  /// for a copy of the weights.
  Session(const TernModel &model, int numThreads,
          WeightsMemory weights = WeightsMemory::File);
  Session(const Session &) = delete;
  Session &operator=(const Session &) = delete;

  const TernModel &getModel() const { return model; }
  const TernVariant &getVariant() const { return variant; }
  int numThreads() const { return team.numThreads(); }
  /// Of the weights; 0 if none were copied, though it was asked for.
  size_t getCopiedBytes() const { return copiedBytes; }

  /// From now on, calls and their loops are timed and added to `profile`, which
  /// lives while calls are made; null: no more.
  void setProfile(Profile *newProfile) { profile = newProfile; }

  /// Runs the graph on `inputs`, one for each of the model's inputs and in
  /// their order. Returns the outputs in the model's order.
  /// \throws InputError if an input does not match its spec, two inputs
  /// disagree about a symbolic dimension, or the model rejects them.
  std::vector<Tensor> run(const std::vector<TernTensor> &inputs);

  /// Calls TernStepFn; its requirements are the caller's.
  /// \throws InputError if the model rejects the arguments.
  void step(const int64_t *tokens, int64_t count, int64_t past,
            void *const *caches, int64_t numLogits, int64_t numBest,
            float *logits);

private:
  const TernModel &model;
  const TernVariant &variant;
  size_t copiedBytes;
  std::vector<ColdPages> fetched;
  BufferPool buffers;
  ThreadTeam team;
  Profile *profile = nullptr;
};

/// \throws InputError that names the first input that does not match its spec.
void checkInputs(const TernModel &model, const std::vector<TernTensor> &inputs);

} // namespace tern::runtime

#endif // TERN_RUNTIME_SESSION_H
