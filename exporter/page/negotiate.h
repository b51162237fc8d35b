// What a scraper asks for with Accept and Accept-Encoding, decided as Prometheus' own client
// library decides it.

#pragma once

#include <string>
#include <string_view>

#include "core/text/format.h"

namespace vigia::exporter {

enum class Encoding { kIdentity, kGzip };

// What a page looks like; decides its bytes before compression.
struct PageStyle {
  text::Format format = text::Format::kText;
  // Whether names beyond [a-zA-Z0-9_:] are shown quoted (escaping=allow-utf-8); otherwise their
  // odd characters become '_' (escaping=underscores).
  bool utf8_names = false;

  friend bool operator==(const PageStyle&, const PageStyle&) = default;
};

struct Negotiated {
  PageStyle style;
  Encoding encoding = Encoding::kIdentity;
  std::string content_type;  // of the answer
};

// The best of what both headers (empty if there is none) allow: text format 0.0.4 unless
// OpenMetrics is asked for, identity unless gzip is welcome.
Negotiated Negotiate(std::string_view accept, std::string_view accept_encoding);

}  // namespace vigia::exporter
