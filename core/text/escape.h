// Escaping of the Prometheus text formats.

#pragma once

#include <string>
#include <string_view>

namespace vigia::text {

// Appends a label value with `\`, `"` and newline escaped.
void AppendLabelValue(std::string& out, std::string_view value);

// Appends HELP text: `\` and newline escaped, and `"` too in OpenMetrics.
void AppendHelp(std::string& out, std::string_view help, bool openmetrics);

}  // namespace vigia::text
