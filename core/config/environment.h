// Variables in values: `${NAME}` and `${NAME:-default}`; `$$` is a dollar sign, and any other
// `$` stands for itself, as does that of `${1}`.

#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vigia::config {

using Environment = std::function<std::optional<std::string>(const std::string& name)>;

// `text` with its variables replaced. What cannot be replaced is left out, and said in `faults`.
// An empty variable counts as none, as in a shell's `:-`.
std::string Substitute(std::string_view text, const Environment& environment,
                       std::vector<std::string>& faults);

}  // namespace vigia::config
