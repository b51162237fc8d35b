// A value of any shape in alertmanager.yml whose texts are templates, as JSON: webhook's `payload`,
// PagerDuty's `details`.

#pragma once

#include <functional>
#include <string>

#include "alerting/templates/notification_template.h"
#include "core/config/diagnostics.h"
#include "core/config/node.h"
#include "core/text/json.h"

namespace vigia::alerting::deliver {

// What becomes of a template.
using ExpandText = std::function<std::string(const std::string& text)>;

// Writes `node`: maps, lists, null; plain numbers, true and false as such; texts expanded, and
// those that expand to a JSON object or list (`{{ .Alerts | toJson }}`) as that.
void AppendStructure(text::JsonWriter& json, const config::Node& node, const ExpandText& expand);

// Templates that cannot be parsed are faults, at their place.
void CheckStructure(const config::Node& node, const templates::TemplateSet& templates,
                    config::Diagnostics& diagnostics);

}  // namespace vigia::alerting::deliver
