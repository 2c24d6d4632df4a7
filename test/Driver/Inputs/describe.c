// Reads the model that an object defines.
#include "tern/Runtime/ModelABI.h"

#include <stdio.h>

int main(void) {
  printf("%s -> %s\n", tern_model.inputs[0].name, tern_model.outputs[0].name);
  return 0;
}
