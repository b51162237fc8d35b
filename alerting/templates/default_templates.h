// The templates that are always there, under Alertmanager's names: what a receiver's options
// refer to by default, and what users' own templates build on.

#pragma once

#include <string_view>

namespace vigia::alerting::templates {

extern const std::string_view kDefaultTemplates;

}  // namespace vigia::alerting::templates
