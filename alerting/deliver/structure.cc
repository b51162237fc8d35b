#include "alerting/deliver/structure.h"

#include <nlohmann/json.hpp>

namespace vigia::alerting::deliver {
namespace {

void AppendScalar(text::JsonWriter& json, const config::Node& node, const ExpandText& expand) {
  if (!node.quoted && nlohmann::json::accept(node.text)) {
    json.Raw(node.text);  // a number, true, false
    return;
  }
  const auto text = expand(node.text);
  const bool nested = text != node.text && (text.starts_with('{') || text.starts_with('['));
  if (nested && nlohmann::json::accept(text)) {
    json.Raw(text);
  } else {
    json.String(text);
  }
}

}  // namespace

void AppendStructure(text::JsonWriter& json, const config::Node& node, const ExpandText& expand) {
  switch (node.kind) {
    case config::Node::Kind::kNull:
      json.Null();
      break;
    case config::Node::Kind::kScalar:
      AppendScalar(json, node, expand);
      break;
    case config::Node::Kind::kList:
      json.BeginArray();
      for (const auto& item : node.items) AppendStructure(json, item, expand);
      json.EndArray();
      break;
    case config::Node::Kind::kMap:
      json.BeginObject();
      for (const auto& [key, value] : node.entries) {
        json.Key(expand(key.text));
        AppendStructure(json, value, expand);
      }
      json.EndObject();
      break;
  }
}

void CheckStructure(const config::Node& node, const templates::TemplateSet& templates,
                    config::Diagnostics& diagnostics) {
  const auto check = [&](const std::string& text, config::Position where) {
    if (auto status = templates.Check(text); !status) {
      diagnostics.Add(where, status.error().message());
    }
  };
  if (node.IsScalar()) check(node.text, node.position);
  for (const auto& item : node.items) CheckStructure(item, templates, diagnostics);
  for (const auto& [key, value] : node.entries) {
    check(key.text, key.position);
    CheckStructure(value, templates, diagnostics);
  }
}

}  // namespace vigia::alerting::deliver
