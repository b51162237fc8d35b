#include "core/redact.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>
#include <vector>

namespace vigia {
namespace {

constexpr std::size_t kNone = std::string_view::npos;
constexpr std::string_view kBlank = " \t\r\n";

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

bool IsNameChar(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '.';
}

// Finds the parts of a text that are secrets. Each rule looks at the text as it came, so rules
// do not disturb each other.
class Finder {
 public:
  explicit Finder(std::string_view text) : text_(text), lower_(text) {
    std::transform(lower_.begin(), lower_.end(), lower_.begin(), Lower);
  }

  // Sorted by begin; they may overlap.
  std::vector<std::pair<std::size_t, std::size_t>> Find() {
    FindUrlPasswords();
    FindPairs();
    FindHeaders();
    FindTokens();
    FindSqlPasswords();
    FindWebhooks();
    std::sort(spans_.begin(), spans_.end());
    return std::move(spans_);
  }

 private:
  void Hide(std::size_t begin, std::size_t end) {
    if (begin < end) spans_.emplace_back(begin, end);
  }

  // The first place from `begin` on where one of `characters` stands, or the end.
  std::size_t Until(std::size_t begin, std::string_view characters) const {
    return std::min(text_.find_first_of(characters, begin), text_.size());
  }
  std::size_t Skip(std::size_t begin, std::string_view characters) const {
    return std::min(text_.find_first_not_of(characters, begin), text_.size());
  }

  // Calls `found` with the end of every occurrence of `word`, which is in lower case; not of
  // those inside what it has just hidden.
  template <typename F>
  void Each(std::string_view word, F found) {
    for (std::size_t at = 0; (at = lower_.find(word, at)) != kNone;) {
      const std::size_t hidden = spans_.size();
      at += word.size();
      found(at);
      if (spans_.size() > hidden) at = std::max(at, spans_.back().second);
    }
  }

  // scheme://user:password@host. A password may hold '@' and, against the rules, '/'.
  void FindUrlPasswords() {
    Each("://", [&](std::size_t begin) {
      constexpr std::size_t kLongest = 4096;
      auto url = text_.substr(begin, kLongest);
      url = url.substr(0, url.find_first_of(" \t\r\n\"'<>`"));
      const auto authority = url.substr(0, url.find_first_of("/?#"));
      const std::size_t colon = authority.find(':');
      if (colon == kNone) return;
      std::size_t sign = authority.rfind('@');
      if (sign == kNone) {
        const bool port = authority.find_first_not_of("0123456789", colon + 1) == kNone;
        sign = port ? kNone : url.rfind('@');
      }
      if (sign != kNone && sign > colon) Hide(begin + colon + 1, begin + sign);
    });
  }

  // Where the value that begins at `begin` ends: a quoted one inside its quotes.
  void HideValue(std::size_t begin) {
    if (begin >= text_.size()) return;
    // Text inside a JSON string has its quotes escaped.
    if (text_[begin] == '\\' && begin + 1 < text_.size() && text_[begin + 1] == '"') {
      const std::size_t end = text_.find("\\\"", begin + 2);
      return Hide(begin + 2, std::min(end, text_.size()));
    }
    const char quote = text_[begin];
    if (quote != '"' && quote != '\'') return Hide(begin, Until(begin, " \t\r\n,;&\"')}]"));
    std::size_t end = begin + 1;
    while (end < text_.size() && text_[end] != quote) end += text_[end] == '\\' ? 2U : 1U;
    Hide(begin + 1, std::min(end, text_.size()));
  }

  // The name that ends before the separator at `at`, and whether quotes stand around it.
  std::pair<std::string_view, bool> NameBefore(std::size_t at) const {
    std::size_t end = at;
    while (end > 0 && text_[end - 1] == ' ') --end;
    const std::size_t unquoted = end;
    while (end > 0 && (text_[end - 1] == '"' || text_[end - 1] == '\'' || text_[end - 1] == '\\')) {
      --end;
    }
    constexpr std::size_t kLongest = 64;
    std::size_t begin = end;
    while (begin > 0 && end - begin < kLongest && IsNameChar(text_[begin - 1])) --begin;
    return {text_.substr(begin, end - begin), end != unquoted};
  }

  // key=value, key: value, "key": "value"
  void FindPairs() {
    for (std::size_t next = 0, at; (at = text_.find_first_of("=:", next)) != kNone;) {
      next = at + 1;
      const auto [name, quoted] = NameBefore(at);
      if (!IsSecretName(name)) continue;
      // "unexpected token: x" is prose.
      if (text_[at] == ':' && !quoted && name.size() == std::string_view("token").size()) continue;
      if (text_.substr(at).starts_with("://")) continue;
      const std::size_t hidden = spans_.size();
      HideValue(Skip(at + 1, kBlank));
      if (spans_.size() > hidden) next = spans_.back().second;
    }
  }

  // Authorization: Basic ..., Set-Cookie: session=...; ...
  void FindHeaders() {
    for (const std::string_view name : {"authorization", "cookie"}) {
      Each(name, [&](std::size_t end) {
        const std::size_t separator = Skip(end, "\"'\\ ");
        if (separator >= text_.size() || (text_[separator] != ':' && text_[separator] != '=')) {
          return;
        }
        const std::size_t begin = Skip(separator + 1, "\"'\\ ");
        Hide(begin, Until(begin, "\r\n\"'\\"));
      });
    }
  }

  // "Bearer " and "Basic " with something that is too long to be a word.
  void FindTokens() {
    constexpr std::size_t kLongestWord = 15;
    for (const std::string_view scheme : {"bearer ", "basic "}) {
      Each(scheme, [&](std::size_t begin) {
        const std::size_t end = Until(begin, " \t\r\n,;\"'\\");
        if (end - begin > kLongestWord) Hide(begin, end);
      });
    }
  }

  // ALTER ROLE x PASSWORD 'y'
  void FindSqlPasswords() {
    Each("password", [&](std::size_t end) {
      const std::size_t begin = Skip(end, kBlank);
      if (begin > end && begin < text_.size() && text_[begin] == '\'') HideValue(begin);
    });
  }

  // Whoever knows these URLs can post.
  void FindWebhooks() {
    for (const std::string_view prefix :
         {"hooks.slack.com/", "/api/webhooks/", "webhook.office.com/", "api.telegram.org/bot"}) {
      Each(prefix, [&](std::size_t begin) { Hide(begin, Until(begin, " \t\r\n\"'<>`\\")); });
    }
  }

  const std::string_view text_;
  std::string lower_;
  std::vector<std::pair<std::size_t, std::size_t>> spans_;
};

}  // namespace

bool IsSecretName(std::string_view name) {
  constexpr std::array<std::string_view, 14> kEndings{
      "password",  "passwd",    "pwd",        "passphrase", "secret",     "token",   "apikey",
      "secretkey", "accesskey", "privatekey", "routingkey", "servicekey", "authkey", "credentials"};
  std::string word;
  for (const char c : name) {
    if (c != '_' && c != '-' && c != '.') word += Lower(c);
  }
  return std::any_of(kEndings.begin(), kEndings.end(),
                     [&](std::string_view ending) { return word.ends_with(ending); });
}

std::string Redact(std::string_view text) {
  std::string out;
  std::size_t done = 0;
  for (const auto& [begin, end] : Finder(text).Find()) {
    if (end <= done) continue;
    // One that overlaps the one before shares its mark.
    if (begin >= done) {
      out += text.substr(done, begin - done);
      out += kRedacted;
    }
    done = end;
  }
  out += text.substr(done);
  return out;
}

}  // namespace vigia
