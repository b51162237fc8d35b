#include "exporter/page/gzip.h"

#include <isa-l/igzip_lib.h>

#include <array>
#include <cstdint>
#include <limits>
#include <stdexcept>

namespace vigia::exporter {
namespace {

// Level 0 is as fast and its results a fifth larger; 2 gains nothing; 3 takes six times as long
// (bench/exposition_bench.cc).
constexpr std::uint32_t kLevel = 1;

// What does not shrink is stored: a few bytes for each block, and gzip's header and trailer.
std::size_t Bound(std::size_t size) { return size + size / 1000 + 1024; }

}  // namespace

struct GzipCompressor::Memory {
  isal_zstream stream;
  std::array<std::uint8_t, ISAL_DEF_LVL1_MEDIUM> level;
};

GzipCompressor::GzipCompressor() : memory_(std::make_unique_for_overwrite<Memory>()) {}

GzipCompressor::~GzipCompressor() = default;

std::string GzipCompressor::Compress(std::string_view text) {
  const auto bound = Bound(text.size());
  if (bound > std::numeric_limits<std::uint32_t>::max()) {
    throw std::length_error("an answer of more than 4 GB cannot be compressed");
  }
  // Not zeroed, so that only the pages that the result fills are ever touched.
  const auto buffer = std::make_unique_for_overwrite<std::uint8_t[]>(bound);
  auto& stream = memory_->stream;
  isal_deflate_stateless_init(&stream);
  stream.level = kLevel;
  stream.level_buf = memory_->level.data();
  stream.level_buf_size = static_cast<std::uint32_t>(memory_->level.size());
  stream.gzip_flag = IGZIP_GZIP;
  stream.end_of_stream = 1;
  // It only reads.
  stream.next_in = reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<std::uint32_t>(text.size());
  stream.next_out = buffer.get();
  stream.avail_out = static_cast<std::uint32_t>(bound);
  if (const int status = isal_deflate_stateless(&stream); status != COMP_OK) {
    throw std::runtime_error("compression failed: " + std::to_string(status));
  }
  return {reinterpret_cast<const char*>(buffer.get()), stream.total_out};
}

}  // namespace vigia::exporter
