#include "core/secret.h"

#include "core/file.h"

namespace vigia {

Secret Secret::FromValue(std::string value) {
  Secret secret;
  secret.value_ = std::move(value);
  return secret;
}

Secret Secret::FromFile(std::filesystem::path path) {
  Secret secret;
  secret.path_ = std::move(path);
  return secret;
}

Result<std::string> Secret::Reveal() const {
  if (path_.empty()) return value_;
  auto text = ReadFile(path_);
  if (!text) return text;
  while (!text->empty() && (text->back() == '\n' || text->back() == '\r')) text->pop_back();
  return text;
}

}  // namespace vigia
