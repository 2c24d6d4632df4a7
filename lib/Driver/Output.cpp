//===- Output.cpp - the files that a compilation leaves -------------------===//

#include "Compilation.h"

#include "tern/Target/Linker.h"
#include "tern/Target/ObjectEmitter.h"
#include "tern/Target/OutputFile.h"
#include "tern/Target/WeightsObject.h"
#include "tern/Transforms/Passes.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/BinaryFormat/ELF.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"

#include <deque>

using namespace llvm;
using namespace tern;

/// Writes into the device or pipe at `path`.
static Error writeToSpecialFile(StringRef path, StringRef data) {
  return writeFile(
      path,
      [&](raw_fd_ostream &os) {
        os << data;
        return Error::success();
      },
      sys::fs::CD_OpenExisting);
}

/// Moves the file at `from` to `path`, or its contents into a device.
static Error moveFile(StringRef from, StringRef path) {
  if (isSpecialFile(path)) {
    auto contents = MemoryBuffer::getFile(from);
    if (!contents)
      return createStringError(contents.getError(),
                               "cannot read back '" + from + "'");
    return writeToSpecialFile(path, (*contents)->getBuffer());
  }
  if (std::error_code code = sys::fs::rename(from, path))
    return createStringError(code,
                             "cannot write '" + path + "': " + code.message());
  return Error::success();
}

/// Writes `text` to `path` by way of a file beside it, or to standard output
/// for "-".
static Error writeText(StringRef path, StringRef text) {
  if (isSpecialFile(path))
    return writeToSpecialFile(path, text);
  if (path == "-") {
    outs() << text;
    outs().flush();
    if (!outs().has_error())
      return Error::success();
    std::error_code code = outs().error();
    outs().clear_error();
    return createStringError(code, "cannot write to standard output: " +
                                       code.message());
  }
  return writeToOutput(path, [&](raw_ostream &os) {
    os << text;
    return Error::success();
  });
}

ExitCode Compilation::printModule() {
  std::string text;
  raw_string_ostream os(text);
  mlir::OpPrintingFlags flags;
  // Weights by their names and sizes, not their megabytes.
  flags.elideLargeElementsAttrs(64).elideLargeResourceString(64);
  (*module)->print(os, flags);
  os << '\n';
  if (Error error = writeText(request.output, text))
    return fail(std::move(error));
  return ExitCode::Done;
}

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

namespace {
/// The bytes of a constant; `storage` holds them where the attribute does not
/// keep them as the program needs them.
ArrayRef<char> getBytes(mlir::ElementsAttr value, std::vector<char> &storage) {
  if (auto resource = dyn_cast<mlir::DenseResourceElementsAttr>(value))
    if (mlir::AsmResourceBlob *blob = resource.getRawHandle().getBlob())
      return blob->getData();
  auto dense = cast<mlir::DenseElementsAttr>(value);
  ArrayRef<char> raw = dense.getRawData();
  bool isBool = dense.getElementType().isInteger(1);
  if (!dense.isSplat() && !isBool)
    return raw;
  // A splat stands for all its elements, and bools are bits.
  if (isBool) {
    for (bool element : dense.getValues<bool>())
      storage.push_back(element);
    return storage;
  }
  for (int64_t i = 0; i < dense.getNumElements(); ++i)
    storage.insert(storage.end(), raw.begin(), raw.end());
  return storage;
}

/// The bytes of a module's large constants, in the order of their indices.
struct Weights {
  explicit Weights(mlir::ModuleOp module) {
    for (auto global : module.getOps<mlir::memref::GlobalOp>())
      if (global->hasAttr(kWeightIndexAttr))
        blobs.push_back(
            getBytes(cast<mlir::ElementsAttr>(global.getConstantInitValue()),
                     storage.emplace_back()));
  }

  std::deque<std::vector<char>> storage; ///< of those that are no array
  SmallVector<ArrayRef<char>> blobs;
};

uint16_t getElfMachine(StringRef triple) {
  Triple parsed(triple);
  if (parsed.isAArch64())
    return ELF::EM_AARCH64;
  if (parsed.isRISCV64())
    return ELF::EM_RISCV;
  return ELF::EM_X86_64;
}
} // namespace

ExitCode Compilation::emitWeightsObject() {
  Weights weights(*module);
  objects.push_back(folder->file("weights.o"));
  if (Error error = writeWeightsObject(objects.back(), getElfMachine(triple),
                                       layOutWeights(weights.blobs)))
    return fail(std::move(error));
  return ExitCode::Done;
}

ExitCode Compilation::insertWeights(StringRef linked) {
  begin("weights");
  Weights weights(*module);
  if (Error error =
          tern::insertWeights(linked, layOutWeights(weights.blobs),
                              weights.blobs, [&] { mapped.dropPages(); }))
    return fail(std::move(error));
  note("weights");
  return ExitCode::Done;
}

//===----------------------------------------------------------------------===//
// Descriptor
//===----------------------------------------------------------------------===//

ExitCode Compilation::readTokenizer() {
  if (!spec.languageModel) {
    if (request.tokenizer.empty())
      return ExitCode::Done;
    return fail(ExitCode::BadInput, "--tokenizer is given, but the model does "
                                    "not map token ids to logits");
  }
  SmallString<128> path(request.tokenizer);
  if (path.empty()) {
    path = sys::path::parent_path(request.model);
    sys::path::append(path, "tokenizer.json");
    if (!sys::fs::exists(path))
      return ExitCode::Done;
  }
  auto buffer = MemoryBuffer::getFile(path);
  if (!buffer)
    return fail(ExitCode::BadInput, "cannot read the tokenizer '" + path +
                                        "': " + buffer.getError().message());
  // Parsed here, so that a bad file is found before anybody runs the model, and
  // written anew without the white space that makes up a third of it.
  Expected<json::Value> tokenizer = json::parse((*buffer)->getBuffer());
  if (!tokenizer)
    return fail(ExitCode::BadInput,
                "the tokenizer '" + path +
                    "' is no JSON: " + toString(tokenizer.takeError()));
  // The runtime refuses what it cannot read by name; that it is of another
  // kind altogether should not show only when somebody runs the model.
  const json::Object *members = tokenizer->getAsObject();
  const json::Object *model = members ? members->getObject("model") : nullptr;
  if (!model)
    return fail(ExitCode::BadInput, "the tokenizer '" + path +
                                        "' holds no model; expected an object "
                                        "'model' as in tokenizer.json");
  if (StringRef type = model->getString("type").value_or("BPE"); type != "BPE")
    return fail(ExitCode::BadInput, "the tokenizer '" + path +
                                        "' has a model of type '" + type +
                                        "'; expected BPE");
  raw_string_ostream(spec.tokenizer.emplace()) << *tokenizer;
  return ExitCode::Done;
}

std::string Compilation::describeModel() const {
  json::Object details;
  auto metadata =
      (*module)->getAttrOfType<mlir::DictionaryAttr>("onnx.metadata");
  auto get = [&](StringRef key) {
    auto value = metadata ? metadata.getAs<mlir::StringAttr>(key) : nullptr;
    return value ? value.getValue() : StringRef();
  };
  int64_t id;
  if (!get("tern.bos_token_id").getAsInteger(10, id))
    details["bos_token_id"] = id;
  json::Array ends;
  for (StringRef item : split(get("tern.eos_token_ids"), ','))
    if (!item.trim().getAsInteger(10, id))
      ends.push_back(id);
  if (!ends.empty())
    details["eos_token_ids"] = std::move(ends);
  if (!get("tern.architecture").empty())
    details["architecture"] = get("tern.architecture");
  if (!report.getHead().empty())
    details["head"] = report.getHead();
  std::string text;
  raw_string_ostream(text) << json::Value(std::move(details));
  return text;
}

ExitCode Compilation::emitDescriptor() {
  spec.variants = levels;
  spec.details = describeModel();
  Expected<std::unique_ptr<TargetMachine>> machine =
      createTargetMachine(triple, levels.back());
  if (!machine)
    return fail(machine.takeError());
  LLVMContext llvmContext;
  std::unique_ptr<Module> descriptor = buildModelDescriptor(spec, llvmContext);
  descriptor->setTargetTriple((*machine)->getTargetTriple());
  descriptor->setDataLayout((*machine)->createDataLayout());
  objects.push_back(folder->file("model.o"));
  if (Error error = writeFile(objects.back(), [&](raw_fd_ostream &os) {
        return emitCode(*descriptor, **machine, CodeForm::Object, os);
      }))
    return fail(std::move(error));
  note("descriptor");
  return ExitCode::Done;
}

//===----------------------------------------------------------------------===//
// The output itself
//===----------------------------------------------------------------------===//

SmallVector<std::string, 2> Compilation::getOutputPaths() const {
  if (!isLinked() || request.form != OutputForm::Library)
    return {request.output};
  // A library may be named OUT or OUT.so.
  SmallString<128> path(request.output);
  if (sys::path::extension(path) != ".so")
    path += ".so";
  SmallString<128> header(path);
  sys::path::replace_extension(header, ".h");
  return {path.str().str(), header.str().str()};
}

ExitCode Compilation::writeLibraryHeader() {
  auto header = MemoryBuffer::getFile(request.abiHeader);
  if (!header)
    return fail(ExitCode::BadInput, "cannot read '" + request.abiHeader +
                                        "': " + header.getError().message());
  if (Error error = writeText(getOutputPaths().back(), (*header)->getBuffer()))
    return fail(std::move(error));
  return ExitCode::Done;
}

ExitCode Compilation::writeOutput() {
  if (!isLinked() && request.form != OutputForm::Object) {
    auto text = MemoryBuffer::getFile(objects.front());
    if (!text)
      return fail(ExitCode::BadInput, "cannot read back '" + objects.front() +
                                          "': " + text.getError().message());
    if (Error error = writeText(request.output, (*text)->getBuffer()))
      return fail(std::move(error));
    return ExitCode::Done;
  }
  if (isLinked())
    begin("link");
  std::string result = folder->file("output");
  LinkJob job;
  job.objects = objects;
  job.output = result;
  job.form = request.form == OutputForm::Library  ? LinkForm::Library
             : request.form == OutputForm::Object ? LinkForm::Object
                                                  : LinkForm::Executable;
  job.runtimeDir = request.runtimeDir;
  if (Triple(triple).getArch() !=
      Triple(sys::getDefaultTargetTriple()).getArch())
    job.foreignTriple = triple;
  if (Error error = link(job))
    return fail(std::move(error));
  note("link");
  if (ExitCode code = insertWeights(result); code != ExitCode::Done)
    return code;
  // Without its header the library would be half the output.
  std::string path = getOutputPaths().front();
  if (Error error = moveFile(result, path))
    return fail(std::move(error));
  if (request.form == OutputForm::Library)
    if (ExitCode code = writeLibraryHeader(); code != ExitCode::Done) {
      sys::fs::remove(path);
      return code;
    }
  return ExitCode::Done;
}

ExitCode Compilation::run() {
  ExitCode code = checkRequest();
  if (code == ExitCode::Done)
    code = buildCommonStages();
  if (code != ExitCode::Done)
    return code;
  if (request.stopAfter && *request.stopAfter < Stage::Lower)
    return printModule();

  bool text = request.stopAfter || request.form == OutputForm::MLIR ||
              request.form == OutputForm::LLVMIR ||
              request.form == OutputForm::Assembly;
  if (text)
    levels.resize(1);
  guard.emplace();
  Expected<TemporaryFolder> created = TemporaryFolder::create(request.output);
  if (!created)
    return fail(created.takeError());
  folder.emplace(std::move(*created));
  guard->watch(folder->getPath().str());
  // A tokenizer at fault should not cost the time to compile.
  if (!text)
    if (code = readTokenizer(); code != ExitCode::Done)
      return code;
  for (const CPULevel &level : levels)
    if (code = compileVariant(level); code != ExitCode::Done)
      return code;
  if (request.stopAfter || request.form == OutputForm::MLIR)
    return printModule();
  if (code = finishCodeGeneration(); code != ExitCode::Done)
    return code;
  if (text)
    return writeOutput();
  for (auto step : {&Compilation::emitDescriptor,
                    &Compilation::emitWeightsObject, &Compilation::writeOutput})
    if (code = (this->*step)(); code != ExitCode::Done)
      return code;
  return ExitCode::Done;
}
