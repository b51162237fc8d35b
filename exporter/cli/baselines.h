// `vigia baseline show|accept|undo|reset`: the baselines of a running vigia.

#pragma once

#include <string>

namespace vigia::exporter::cli {

// Prints the series of a baseline, or of all for an empty name: the furthest from normal first.
int ShowBaseline(const std::string& url, const std::string& name);

// `decision` is accept, undo or reset; `matchers` choose series, all if empty.
int DecideBaseline(const std::string& url, const std::string& decision, const std::string& name,
                   const std::string& matchers);

}  // namespace vigia::exporter::cli
