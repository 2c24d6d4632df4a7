//===- tern-runtime-test-tool.cpp - the runtime without a compiler --------===//
//
// tern-runtime-test-tool KIND ARGS...
//   runs the command line of a compiled model on a fake model (FakeModel.h).
// tern-runtime-test-tool tokenizer TOKENIZER.json
//   reads lines and writes one for each. "encode HEX": the token ids of the
//   bytes. "decode IDS": the text of the ids, in hexadecimal digits.
//
//===----------------------------------------------------------------------===//

#include "FakeModel.h"

#include "tern/Runtime/Error.h"
#include "tern/Runtime/Files.h"
#include "tern/Runtime/ModelMain.h"
#include "tern/Runtime/Tokenizer.h"

#include <cstdio>
#include <iostream>
#include <sstream>
#include <string>

using namespace tern;

static std::string fromHex(const std::string &digits) {
  std::string bytes;
  for (size_t i = 0; i + 1 < digits.size(); i += 2)
    bytes += static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16));
  return bytes;
}

static std::string toHex(const std::string &bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string digits;
  for (unsigned char byte : bytes) {
    digits += kDigits[byte >> 4];
    digits += kDigits[byte & 15];
  }
  return digits;
}

static void serveTokenizer(const char *path) {
  runtime::Tokenizer tokenizer(runtime::readFile(path));
  std::string line;
  while (std::getline(std::cin, line)) {
    std::istringstream words(line);
    std::string command;
    words >> command;
    if (command == "encode") {
      std::string digits;
      words >> digits;
      for (int64_t id : tokenizer.encode(fromHex(digits)))
        std::cout << id << ' ';
    } else {
      std::vector<int64_t> ids;
      for (int64_t id; words >> id;)
        ids.push_back(id);
      std::cout << toHex(tokenizer.decode(ids));
    }
    std::cout << '\n';
  }
}

int main(int argc, char **argv) {
  std::string kind = argc > 1 ? argv[1] : "";
  if (kind == "tokenizer" && argc == 3) {
    try {
      serveTokenizer(argv[2]);
      return 0;
    } catch (const runtime::InputError &error) {
      std::cerr << "error: " << error.what() << '\n';
      return 1;
    }
  }
  if (const TernModel *model = test::findFakeModel(kind))
    return runtime::modelMain(argc - 1, argv + 1, *model);
  std::cerr << "unknown kind of model '" << kind << "'\n";
  return 2;
}
