//===- main.cpp - the main of every compiled executable -------------------===//

#include "tern/Runtime/ModelMain.h"

int main(int argc, char **argv) {
  return tern::runtime::modelMain(argc, argv, tern_model);
}
