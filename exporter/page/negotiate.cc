#include "exporter/page/negotiate.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "core/number.h"

namespace vigia::exporter {
namespace {

// More elements than any honest header has.
constexpr std::size_t kMaxElements = 64;

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Takes the part before the next `separator` off `text`.
std::string_view TakePart(std::string_view& text, char separator) {
  const auto at = text.find(separator);
  const auto part = text.substr(0, at);
  text = at == text.npos ? std::string_view{} : text.substr(at + 1);
  return Trim(part);
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  return lower;
}

// One element of a header's list: `application/openmetrics-text;version=1.0.0;q=0.5`.
struct Element {
  std::string name;
  std::string version;
  std::string escaping;
  double quality = 1;
};

Element ParseElement(std::string_view text) {
  Element element;
  element.name = Lower(TakePart(text, ';'));
  while (!text.empty()) {
    auto value = TakePart(text, ';');
    const auto key = Lower(TakePart(value, '='));
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
      value = value.substr(1, value.size() - 2);
    }
    if (key == "version") element.version = value;
    if (key == "escaping") element.escaping = Lower(value);
    if (key == "q") {
      const auto quality = ParseDouble(value);
      element.quality = quality && *quality >= 0 && *quality <= 1 ? *quality : 1;
    }
  }
  return element;
}

// By falling quality; of equal ones the first comes first.
std::vector<Element> ParseList(std::string_view header) {
  std::vector<Element> elements;
  while (!header.empty() && elements.size() < kMaxElements) {
    const auto part = TakePart(header, ',');
    if (!part.empty()) elements.push_back(ParseElement(part));
  }
  std::stable_sort(elements.begin(), elements.end(),
                   [](const Element& a, const Element& b) { return a.quality > b.quality; });
  return elements;
}

struct Offer {
  std::string_view name;
  std::string_view version;  // "" too, for an element without one
  text::Format format;
  std::string_view content_type;
};

// Prometheus' client library takes OpenMetrics without a version for 0.0.1, too.
constexpr Offer kOffers[] = {
    {"application/openmetrics-text", "1.0.0", text::Format::kOpenMetrics,
     "application/openmetrics-text; version=1.0.0; charset=utf-8"},
    {"application/openmetrics-text", "0.0.1", text::Format::kOpenMetrics,
     "application/openmetrics-text; version=0.0.1; charset=utf-8"},
    {"application/openmetrics-text", "", text::Format::kOpenMetrics,
     "application/openmetrics-text; version=0.0.1; charset=utf-8"},
    {"text/plain", "1.0.0", text::Format::kText, "text/plain; version=1.0.0; charset=utf-8"},
    {"text/plain", "0.0.4", text::Format::kText, "text/plain; version=0.0.4; charset=utf-8"},
    {"text/plain", "", text::Format::kText, "text/plain; version=0.0.4; charset=utf-8"},
};

constexpr const Offer& kDefaultOffer = kOffers[std::size(kOffers) - 1];

const Offer* FindOffer(const Element& element) {
  for (const auto& offer : kOffers) {
    if (element.name == offer.name && element.version == offer.version) return &offer;
  }
  return nullptr;
}

Encoding NegotiateEncoding(std::string_view accept_encoding) {
  std::optional<double> gzip, identity, any;
  for (const auto& element : ParseList(accept_encoding)) {
    if (element.name == "gzip" || element.name == "x-gzip") gzip = element.quality;
    if (element.name == "identity") identity = element.quality;
    if (element.name == "*") any = element.quality;
  }
  const double wanted = gzip.value_or(any.value_or(0));
  return wanted > 0 && wanted >= identity.value_or(0) ? Encoding::kGzip : Encoding::kIdentity;
}

}  // namespace

Negotiated Negotiate(std::string_view accept, std::string_view accept_encoding) {
  const Offer* chosen = &kDefaultOffer;
  bool utf8_names = false;
  for (const auto& element : ParseList(accept)) {
    if (element.quality == 0) break;
    if (const auto* offer = FindOffer(element)) {
      chosen = offer;
      utf8_names = element.escaping == "allow-utf-8";
      break;
    }
  }
  return {{chosen->format, utf8_names},
          NegotiateEncoding(accept_encoding),
          std::string(chosen->content_type) +
              (utf8_names ? "; escaping=allow-utf-8" : "; escaping=underscores")};
}

}  // namespace vigia::exporter
