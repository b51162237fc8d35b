// The keys of HTTP modules.

#include <strings.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "collectors/probe/module_keys.h"
#include "core/config/http_options.h"
#include "core/number.h"

namespace vigia::collectors::probe {
namespace {

// A list of {header, regexp, allow_missing}.
void ReadHeaderPatterns(config::MapReader& reader, std::string_view key,
                        std::vector<HeaderPattern>& out) {
  const config::Node* const list = reader.Child(key);
  if (!list) return;
  if (!list->IsList()) reader.Fault(key, "expected a list of header, regexp and allow_missing");
  for (const auto& item : list->items) {
    config::MapReader entry(item, reader.diagnostics(), reader.context() + "." + std::string(key));
    std::string header;
    std::string expression;
    bool allow_missing = false;
    if (!entry.Read("header", header)) entry.Require("header", "the header's name");
    if (!entry.Read("regexp", expression)) entry.Require("regexp", "what its value has to match");
    entry.Read("allow_missing", allow_missing);
    entry.Finish();
    auto pattern = Pattern::Compile(expression);
    if (!pattern) {
      entry.Fault("regexp", pattern.error().message());
      continue;
    }
    out.push_back({LowerCase(header), *std::move(pattern), allow_missing});
  }
}

// 200, 2xx, 200-299.
bool ParseStatuses(std::string_view text, std::pair<int, int>& out) {
  const auto number = [](std::string_view digits) {
    const auto value = ParseInt(digits);
    return value && *value >= 100 && *value <= 999 ? static_cast<int>(*value) : 0;
  };
  if (text.size() == 3 && text.substr(1) == "xx" && text[0] >= '1' && text[0] <= '9') {
    out = {(text[0] - '0') * 100, (text[0] - '0') * 100 + 99};
    return true;
  }
  const std::size_t dash = text.find('-');
  out.first = number(text.substr(0, dash));
  out.second = dash == text.npos ? out.first : number(text.substr(dash + 1));
  return out.first > 0 && out.second >= out.first;
}

void ReadStatuses(config::MapReader& reader, std::string_view key,
                  std::vector<std::pair<int, int>>& out) {
  std::vector<std::string> texts;
  reader.Read(key, texts);
  for (const auto& text : texts) {
    std::pair<int, int> range;
    if (ParseStatuses(text, range)) {
      out.push_back(range);
    } else {
      reader.Fault(key, "'" + text + "' is not a status such as 200, 2xx or 200-204");
    }
  }
}

std::string_view TrimSpaces(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

// Whether a server that reads this Accept-Encoding may answer in `encoding`.
bool Accepts(std::string_view header, std::string_view encoding) {
  double star = 0;
  while (!header.empty()) {
    const auto entry = header.substr(0, header.find(','));
    header.remove_prefix(std::min(header.size(), entry.size() + 1));
    const auto name = TrimSpaces(entry.substr(0, entry.find(';')));
    double quality = 1;
    if (const auto q = entry.find("q="); q != entry.npos) {
      quality = ParseDouble(TrimSpaces(entry.substr(q + 2))).value_or(0);
    }
    if (name == encoding) return quality > 0;
    if (name == "*") star = quality;
  }
  return star > 0;
}

void ReadCompression(config::MapReader& reader, HttpModule& http) {
  constexpr std::array<std::string_view, 4> kWords{"gzip", "br", "deflate", "identity"};
  if (!reader.Has("compression")) return;
  std::string word;
  reader.Read("compression", word);
  if (word.empty()) return;
  if (std::find(kWords.begin(), kWords.end(), word) == kWords.end()) {
    return reader.Fault("compression", "'" + word + "' is none of gzip, br, deflate, identity");
  }
  http.compression = word;
  for (const auto& [name, value] : http.headers) {
    if (LowerCase(name) != "accept-encoding" || Accepts(value, word)) continue;
    reader.Fault("compression", "the header Accept-Encoding, '" + value + "', does not ask for it");
  }
}

void ReadCel(config::MapReader& reader, std::string_view key, std::vector<CelExpression>& out) {
  std::string text;
  if (!reader.Read(key, text)) return;
  auto expression = CelExpression::Compile(text);
  if (expression) out.push_back(*std::move(expression));
  if (!expression) reader.Fault(key, expression.error().message());
}

// HTTP/1.1, HTTP/2, HTTP/2.0: Go's net/http writes the last, others that before it.
void ReadVersions(config::MapReader& reader, HttpModule& http) {
  std::vector<std::string> words;
  reader.Read("valid_http_versions", words);
  for (const auto& word : words) {
    std::string_view number = word;
    if (number.starts_with("HTTP/")) number.remove_prefix(5);
    const auto version = ParseDouble(number);
    // The last only where a module says enable_http3, which is refused when it is asked for.
    const bool known =
        version && (*version == 1 || *version == 1.1 || *version == 2 || *version == 3);
    if (known) {
      http.valid_versions.push_back(*version);
    } else {
      reader.Fault("valid_http_versions", "'" + word + "' is none of HTTP/1.0, HTTP/1.1, HTTP/2.0");
    }
  }
}

}  // namespace

std::string ReadHttp3(config::MapReader& reader) {
  bool wanted = false;
  if (!reader.Read("enable_http3", wanted) || !wanted) return {};
  return "HTTP/3: libcurl as Debian has it speaks no QUIC";
}

void ReadHttpModule(config::MapReader& reader, config::PlainSecrets plain, HttpModule& http) {
  reader.Read("method", http.method);
  const auto token = [](char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; };
  if (http.method.empty() || !std::all_of(http.method.begin(), http.method.end(), token)) {
    reader.Fault("method", "'" + http.method + "' is not a method");
  }
  std::map<std::string, std::string> headers;
  reader.Read("headers", headers);
  http.headers.assign(headers.begin(), headers.end());
  for (const auto& [name, value] : headers) {
    if (plain == config::PlainSecrets::kRefused &&
        ::strcasecmp(name.c_str(), "Authorization") == 0) {
      reader.Fault("headers", "Authorization is written as basic_auth or authorization");
    }
  }
  reader.Read("body", http.body);
  if (reader.Read("body_file", http.body_file) && !http.body.empty()) {
    reader.Fault("body_file", "stands beside body");
  }
  config::ReadHttpHeaders(reader, {}, http.http_headers);
  config::ReadProxy(reader, http.proxy);
  // Names are left to the proxy here, whatever this says.
  bool skip = true;
  reader.Read("skip_resolve_phase_with_proxy", skip);
  const config::Origin origin{{}, plain};
  config::ReadAuth(reader, http.auth, origin);
  config::ReadOAuth2(reader, http.oauth2, origin);
  if (http.oauth2.used()) http.tokens = std::make_shared<TokenCache>();
  config::ReadTlsConfig(reader, http.tls, origin);
  reader.Read("follow_redirects", http.follow_redirects);
  bool stay = false;
  if (reader.Read("no_follow_redirects", stay)) http.follow_redirects = !stay;  // of old files
  reader.Read("enable_http2", http.enable_http2);
  reader.Read("fail_if_ssl", http.fail_if_ssl);
  reader.Read("fail_if_not_ssl", http.fail_if_not_ssl);
  reader.ReadBytes("body_size_limit", http.body_size_limit);
  ReadCompression(reader, http);
  ReadStatuses(reader, "valid_status_codes", http.valid_statuses);
  ReadVersions(reader, http);
  ReadCel(reader, "fail_if_body_json_matches_cel", http.bad_cel);
  ReadCel(reader, "fail_if_body_json_not_matches_cel", http.good_cel);
  ReadPatterns(reader, "fail_if_body_matches_regexp", http.bad_bodies);
  ReadPatterns(reader, "fail_if_body_not_matches_regexp", http.good_bodies);
  ReadHeaderPatterns(reader, "fail_if_header_matches", http.bad_headers);
  ReadHeaderPatterns(reader, "fail_if_header_not_matches", http.good_headers);
}

void ReadExpect(config::MapReader& target, HttpModule& http) {
  const config::Node* const node = target.Child("expect");
  if (!node) return;
  config::MapReader expect(*node, target.diagnostics(), target.context() + ".expect");
  ReadStatuses(expect, "status", http.valid_statuses);
  ReadPatterns(expect, "body", http.good_bodies);
  ReadPatterns(expect, "body_not", http.bad_bodies);
  std::map<std::string, std::string> headers;
  expect.Read("headers", headers);
  for (const auto& [name, expression] : headers) {
    std::vector<Pattern> pattern;
    AddPattern(expect, "headers", expression, pattern);
    if (!pattern.empty()) http.good_headers.push_back({LowerCase(name), pattern.front(), false});
  }
  if (const config::Node* const json = expect.Child("json")) {
    const std::span<const config::Node> list =
        json->IsList() ? std::span(json->items) : std::span(json, 1);
    for (const auto& item : list) {
      if (auto condition = JsonCondition::Read(item, target.diagnostics())) {
        http.json.push_back(*std::move(condition));
      }
    }
  }
  expect.Read("duration", http.max_duration);
  expect.Finish();
}

}  // namespace vigia::collectors::probe
