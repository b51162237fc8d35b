#include "collectors/probe/pattern.h"

#include <re2/re2.h>

#include <cctype>

namespace vigia::collectors::probe {

struct Pattern::Compiled {
  explicit Compiled(const std::string& expression) : regex(expression, Options()) {}

  static RE2::Options Options() {
    RE2::Options options;
    options.set_log_errors(false);
    return options;
  }

  RE2 regex;
};

Result<Pattern> Pattern::Compile(const std::string& expression) {
  auto compiled = std::make_shared<const Compiled>(expression);
  if (!compiled->regex.ok()) return Fail(ErrorCode::kInvalid, compiled->regex.error());
  return Pattern(expression, std::move(compiled));
}

bool Pattern::Found(std::string_view text) const {
  return RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), compiled_->regex);
}

bool Pattern::Find(std::string_view text, std::vector<std::string>& groups) const {
  const re2::StringPiece input(text.data(), text.size());
  const int count = compiled_->regex.NumberOfCapturingGroups() + 1;
  std::vector<re2::StringPiece> caught(static_cast<std::size_t>(count));
  if (!compiled_->regex.Match(input, 0, input.size(), RE2::UNANCHORED, caught.data(), count)) {
    return false;
  }
  groups.clear();
  for (const auto& group : caught) groups.emplace_back(group.data(), group.size());
  return true;
}

std::string Expand(std::string_view text, const std::vector<std::string>& groups) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] != '$' || i + 1 == text.size()) {
      out += text[i++];
      continue;
    }
    if (text[i + 1] == '$') {
      out += '$';
      i += 2;
      continue;
    }
    const bool braces = text[i + 1] == '{';
    std::size_t at = i + 1 + (braces ? 1 : 0);
    std::size_t number = 0;
    const std::size_t first = at;
    for (; at < text.size() && std::isdigit(static_cast<unsigned char>(text[at])); ++at) {
      number = std::min<std::size_t>(number * 10 + static_cast<std::size_t>(text[at] - '0'), 1000);
    }
    const bool closed = !braces || (at < text.size() && text[at] == '}');
    if (at == first || !closed) {
      out += text[i++];
      continue;
    }
    if (number < groups.size()) out += groups[number];
    i = at + (braces ? 1 : 0);
  }
  return out;
}

}  // namespace vigia::collectors::probe
