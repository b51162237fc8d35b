// A module as people may see it: as it stands in its file, without what is secret.

#pragma once

#include <string>

#include "core/config/node.h"

namespace vigia::collectors::probe {

// YAML. What may be a secret, all headers included, is "<secret>".
std::string ModuleText(const std::string& name, const config::Node& node);

}  // namespace vigia::collectors::probe
