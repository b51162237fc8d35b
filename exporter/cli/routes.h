// vigia routes: what a configuration would do with an alert.

#pragma once

#include <string>
#include <vector>

namespace vigia::exporter::cli {

// Prints the routes that an alert with these labels ("key=value") takes, one line each, and
// compares their receivers with `expected` ("a,b") unless that is empty. `file` is an
// alertmanager.yml or a vigia.yml.
int TestRoutes(const std::string& file, const std::vector<std::string>& labels,
               const std::string& expected);

}  // namespace vigia::exporter::cli
