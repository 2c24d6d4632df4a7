// Writes the constants of which the runtime fetches rows, one behind the other,
// as the model says.
#include "tern/Runtime/ModelABI.h"

#include <stdio.h>

int main(void) {
  for (int64_t i = 0; i < tern_model.num_fetched; ++i) {
    size_t bytes = (size_t)tern_model.fetched[i].bytes;
    if (fwrite(*tern_model.fetched[i].data, 1, bytes, stdout) != bytes)
      return 1;
  }
  return 0;
}
