// Where an HTTP redirect leads. For http_transfer.cc.

#pragma once

#include <optional>
#include <string>

namespace vigia::collectors::probe {

// The URL that the server of `base` sends to by `location`, which may be relative. Where a probe
// asks its target, `target`, under another server's name, `server_name` (else empty), what leads
// to that name leads to the target. Nothing for what is no URL.
std::optional<std::string> RedirectTo(const std::string& base, const std::string& location,
                                      const std::string& server_name, const std::string& target);

}  // namespace vigia::collectors::probe
