// Compression of answers.

#pragma once

#include <memory>
#include <string>
#include <string_view>

struct libdeflate_compressor;

namespace vigia::exporter {

// Not thread-safe; kept for its working memory.
class GzipCompressor {
 public:
  // Level 1 costs less than a third of level 6 and its results are 1.15 times as large
  // (bench/exposition_bench.cc).
  explicit GzipCompressor(int level = 1);
  ~GzipCompressor();
  GzipCompressor(const GzipCompressor&) = delete;
  GzipCompressor& operator=(const GzipCompressor&) = delete;

  // `text` as one gzip member.
  std::string Compress(std::string_view text);

 private:
  libdeflate_compressor* const compressor_;
};

}  // namespace vigia::exporter
