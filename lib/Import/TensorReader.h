//===- TensorReader.h - TensorProto to attribute ----------------*- C++ -*-===//
#ifndef TERN_LIB_IMPORT_TENSORREADER_H
#define TERN_LIB_IMPORT_TENSORREADER_H

#include "ExternalData.h"
#include "ModelFile.h"

#include "tern/Import/OnnxImporter.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"

namespace tern::importer {

/// The MLIR element type of an ONNX `TensorProto::DataType`, or null where
/// there is none (STRING, UNDEFINED, the 6-bit floats, unknown numbers).
mlir::Type getElementType(int dataType, mlir::MLIRContext &context);

/// The name of an ONNX data type, or its number where it has none.
std::string getDataTypeName(int dataType);

/// Turns ONNX tensors into elements attributes, without copying large ones.
class TensorReader {
public:
  TensorReader(ModelFile &file, const ImportOptions &options)
      : file(file), options(options), external(file.getPath()) {}

  /// Checks that `tensor` holds exactly the data that its type and shape ask
  /// for, and brings it into one of two forms: `raw_data`, or a range of the
  /// model's or an external file that is too large to be a dense attribute.
  /// `name` is for messages. To be called once before `read`.
  mlir::LogicalResult prepare(onnxlib::TensorProto &tensor,
                              llvm::StringRef name);

  /// The data of a prepared `tensor`, which holds or maps it.
  llvm::ArrayRef<char> getBytes(const onnxlib::TensorProto &tensor) const;

  /// The value of a prepared `tensor`, whose data moves into the attribute.
  mlir::ElementsAttr read(onnxlib::TensorProto &tensor, llvm::StringRef name);

  /// Adds the files that data was read from.
  void addFiles(MappedFiles &mapped) const {
    mapped.add(file.getBuffer());
    external.addFiles(mapped);
  }

private:
  mlir::LogicalResult findData(onnxlib::TensorProto &tensor,
                               llvm::StringRef name, uint64_t size);
  mlir::LogicalResult loadExternal(onnxlib::TensorProto &tensor,
                                   llvm::StringRef name, uint64_t size);
  mlir::LogicalResult checkBools(const onnxlib::TensorProto &tensor,
                                 llvm::StringRef name);

  ModelFile &file;
  const ImportOptions &options;
  ExternalData external;
  /// Ranges of files, by prepared tensor.
  std::unordered_map<const onnxlib::TensorProto *, FileSlice> slices;
};

} // namespace tern::importer

#endif // TERN_LIB_IMPORT_TENSORREADER_H
