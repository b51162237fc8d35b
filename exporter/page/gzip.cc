#include "exporter/page/gzip.h"

#include <libdeflate.h>

#include <new>

namespace vigia::exporter {

GzipCompressor::GzipCompressor(int level) : compressor_(libdeflate_alloc_compressor(level)) {
  if (!compressor_) throw std::bad_alloc();
}

GzipCompressor::~GzipCompressor() { libdeflate_free_compressor(compressor_); }

std::string GzipCompressor::Compress(std::string_view text) {
  // Not zeroed, so that only the pages that the result fills are ever touched.
  const auto bound = libdeflate_gzip_compress_bound(compressor_, text.size());
  const auto buffer = std::make_unique_for_overwrite<char[]>(bound);
  const auto size =
      libdeflate_gzip_compress(compressor_, text.data(), text.size(), buffer.get(), bound);
  return {buffer.get(), size};
}

}  // namespace vigia::exporter
