// A Secret is a password or token that never shows in logs, pages or configuration dumps:
// it has no conversion to text but Reveal().

#pragma once

#include <filesystem>
#include <string>

#include "core/result.h"

namespace vigia {

class Secret {
 public:
  Secret() = default;
  static Secret FromValue(std::string value);
  // Read anew at each Reveal(), so that a rotated file needs no reload. Trailing newlines
  // do not belong to the secret.
  static Secret FromFile(std::filesystem::path path);

  bool empty() const { return value_.empty() && path_.empty(); }

  // Fails only for a file that cannot be read.
  Result<std::string> Reveal() const;

 private:
  std::string value_;
  std::filesystem::path path_;
};

}  // namespace vigia
