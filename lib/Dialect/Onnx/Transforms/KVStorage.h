//===- KVStorage.h - keys and values in fewer bits --------------*- C++ -*-===//
#ifndef TERN_LIB_DIALECT_ONNX_TRANSFORMS_KVSTORAGE_H
#define TERN_LIB_DIALECT_ONNX_TRANSFORMS_KVSTORAGE_H

#include "tern/Dialect/Onnx/Analysis/LanguageModel.h"

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace tern::onnx {

/// What keys and values are stored in, where attention alone reads them.
enum class KVStorage {
  Model, ///< as the graph computes them
  F16,   ///< f32 rounded to nearest
  I8     ///< any float by per-token absmax quantisation of each head
};

/// "model", "f16" or "i8".
std::optional<KVStorage> parseKVStorage(llvm::StringRef name);
llvm::StringRef getStorageName(KVStorage storage);

/// The type of a buffer in which `storage` keeps what `computed` would.
mlir::RankedTensorType getStoredType(mlir::RankedTensorType computed,
                                     KVStorage storage);

/// Whether, of the cache `kv` that a graph's attention extends, nothing else
/// reads past or present, shapes aside.
bool isReadByAttentionAlone(mlir::func::FuncOp graph, const KVCache &kv);

/// Keys or values as [1, heads, positions, head size], or codes in i8 and the
/// scales [1, heads, positions] that they are multiplied by, which are null
/// otherwise.
struct KVTensor {
  mlir::Value data, scales;
};

/// `rows`, floats of some positions, in the element type of `buffer`.
KVTensor storeRows(mlir::ImplicitLocOpBuilder &builder, mlir::Value rows,
                   mlir::RankedTensorType buffer);

/// The type of the scales of a buffer; null where it has none.
mlir::RankedTensorType getScalesType(mlir::RankedTensorType buffer);

} // namespace tern::onnx

#endif // TERN_LIB_DIALECT_ONNX_TRANSFORMS_KVSTORAGE_H
