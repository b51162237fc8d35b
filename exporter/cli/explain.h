// vigia explain: why an alert fires or does not, and why people were told about it or nobody was.

#pragma once

#include <string>

namespace vigia::exporter::cli {

// Asks the vigia at `url`; `alert` is a name or matchers.
int ExplainAlert(const std::string& url, const std::string& alert);
// Sends dead notifications again: one by its id, or "all".
int ResendNotification(const std::string& url, const std::string& id);

}  // namespace vigia::exporter::cli
