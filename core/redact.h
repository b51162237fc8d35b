// Takes passwords and tokens out of text that people or files will see.

#pragma once

#include <string>
#include <string_view>

namespace vigia {

inline constexpr std::string_view kRedacted = "***";

// `text` with what looks like a secret replaced by kRedacted: passwords in URLs
// (scheme://user:password@host) and in connection strings (password='...'), values of keys such
// as api_key and client_secret (key=value, JSON, YAML, headers), Authorization and Cookie
// headers, bearer tokens, passwords in SQL, and webhook URLs that are secrets themselves. Rather
// hides too much than too little.
std::string Redact(std::string_view text);

// Whether a key of this name has a secret for its value: "password", "PGPASSWORD",
// "client-secret"; not "password_file".
bool IsSecretName(std::string_view name);

}  // namespace vigia
