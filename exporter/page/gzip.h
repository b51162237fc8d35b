// Compression of answers.

#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace vigia::exporter {

// Not thread-safe; kept for its working memory.
class GzipCompressor {
 public:
  GzipCompressor();
  ~GzipCompressor();
  GzipCompressor(const GzipCompressor&) = delete;
  GzipCompressor& operator=(const GzipCompressor&) = delete;

  // `text` as one gzip member.
  std::string Compress(std::string_view text);

 private:
  struct Memory;

  const std::unique_ptr<Memory> memory_;
};

}  // namespace vigia::exporter
