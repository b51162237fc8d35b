// Whatever is logged is one line of valid JSON, and a password in a known place is never in it.

#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "core/log.h"
#include "core/redact.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vigia;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto line =
      log::FormatLine(log::Format::kJson, 0, log::Level::kInfo, text, {{"value", text}});
  if (line.find('\n') != line.npos) abort();
  if (!nlohmann::json::accept(line)) abort();
  const auto logfmt =
      log::FormatLine(log::Format::kLogfmt, 0, log::Level::kInfo, text, {{"value", text}});
  if (logfmt.find('\n') != logfmt.npos) abort();
  if (text.find("Xq7pw") != text.npos) return 0;
  if (Redact(text + " postgresql://u:Xq7pw@h ").find("Xq7pw") != text.npos) abort();
  if (Redact(text + "\npassword=Xq7pw\n").find("Xq7pw") != text.npos) abort();
  return 0;
}
