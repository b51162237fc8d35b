// Any bytes are a configuration or have a fault.

#include <cstdint>
#include <cstdlib>

#include "exporter/config/config.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto lookup = [](const std::string& name) -> std::optional<std::string> {
    if (name == "A") return "value";
    return std::nullopt;
  };
  vigia::config::Diagnostics diagnostics("f");
  vigia::exporter::ParseConfig({reinterpret_cast<const char*>(data), size}, "/", lookup,
                               diagnostics);
  if (diagnostics.ok() != diagnostics.Lines().empty()) abort();
  return 0;
}
