#include "collectors/host/name_filter.h"

#include <re2/re2.h>

namespace vigia::collectors::host {
namespace {

bool Matches(const re2::RE2& expression, std::string_view name) {
  return re2::RE2::PartialMatch(re2::StringPiece(name.data(), name.size()), expression);
}

}  // namespace

NameFilter::NameFilter(NameFilter&&) noexcept = default;
NameFilter& NameFilter::operator=(NameFilter&&) noexcept = default;
NameFilter::~NameFilter() = default;

std::unique_ptr<re2::RE2> NameFilter::Compile(config::MapReader& options, std::string_view key,
                                              const std::string& expression) {
  if (expression.empty()) return nullptr;
  auto compiled = std::make_unique<re2::RE2>(expression, re2::RE2::Quiet);
  if (compiled->ok()) return compiled;
  options.Fault(key, "'" + expression + "' is not a regular expression: " + compiled->error());
  return nullptr;
}

NameFilter NameFilter::Read(config::MapReader& options, const std::string& what,
                            std::string_view exclude) {
  const auto include_key = what + "_include";
  const auto exclude_key = what + "_exclude";
  std::string include_text;
  std::string exclude_text(exclude);
  const bool given_include = options.Read(include_key, include_text);
  const bool given_exclude = options.Read(exclude_key, exclude_text);
  if (given_include && !given_exclude) exclude_text.clear();
  if (!include_text.empty() && !exclude_text.empty()) {
    options.Fault(include_key, "cannot be combined with " + exclude_key + "; give one of them");
  }
  NameFilter filter;
  filter.include_ = Compile(options, include_key, include_text);
  filter.exclude_ = Compile(options, exclude_key, exclude_text);
  return filter;
}

NameFilter NameFilter::ReadInclude(config::MapReader& options, std::string_view key,
                                   std::string_view include) {
  std::string text(include);
  options.Read(key, text);
  NameFilter filter;
  filter.include_ = Compile(options, key, text);
  return filter;
}

NameFilter NameFilter::ReadWhole(config::MapReader& options, const std::string& what,
                                 std::string_view include, std::string_view exclude) {
  const auto read = [&](const std::string& key, std::string_view fallback) {
    std::string text(fallback);
    options.Read(key, text);
    auto compiled = Compile(options, key, text);  // first as it stands, for the fault
    return compiled ? Compile(options, key, "^(?:" + text + ")$") : nullptr;
  };
  NameFilter filter;
  filter.include_ = read(what + "_include", include);
  filter.exclude_ = read(what + "_exclude", exclude);
  return filter;
}

bool NameFilter::Accepts(std::string_view name) const {
  return (!include_ || Matches(*include_, name)) && (!exclude_ || !Matches(*exclude_, name));
}

}  // namespace vigia::collectors::host
