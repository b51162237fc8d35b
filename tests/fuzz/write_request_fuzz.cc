// Any body is a write request or a fault; what is decoded can be stored: labels sorted, with a name.

#include <snappy.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "exporter/api/write_request.h"

namespace {

void Check(std::string_view body) {
  using namespace vigia;
  const auto request = api::WriteRequest::Decode(body, 1 << 20);
  if (!request) return;
  std::size_t samples = 0;
  for (const auto& run : request->Runs()) {
    if (run.samples.empty() || run.labels->MetricName().empty()) std::abort();
    for (std::size_t i = 1; i < run.labels->size(); ++i) {
      if ((*run.labels)[i - 1].name >= (*run.labels)[i].name) std::abort();
    }
    samples += run.samples.size();
  }
  if (samples != request->sample_count()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  Check(input);
  // The same as the message inside, which chance would hardly pack.
  std::string packed;
  snappy::Compress(input.data(), input.size(), &packed);
  Check(packed);
  return 0;
}
