#include "alerting/route/inhibit.h"

#include "alerting/route/tree.h"
#include "core/config/reader.h"

namespace vigia::alerting::route {
namespace {

// `side` is "source" or "target".
void ReadSide(config::MapReader& map, const std::string& side, Matchers& out) {
  auto& diagnostics = map.diagnostics();
  if (const auto* node = map.Child(side + "_match")) ReadMatchMap(*node, false, diagnostics, out);
  if (const auto* node = map.Child(side + "_match_re")) ReadMatchMap(*node, true, diagnostics, out);
  if (const auto* node = map.Child(side + "_matchers")) ReadMatchers(*node, diagnostics, out);
}

}  // namespace

std::string InhibitRule::EqualKey(const Labels& labels) const {
  std::string key;
  for (const auto& label : equal) {
    key += labels.Get(label);
    key += '\xff';  // in no UTF-8 text
  }
  return key;
}

InhibitRule ReadInhibitRule(const config::Node& node, config::Diagnostics& diagnostics) {
  config::MapReader map(node, diagnostics, "inhibit_rules");
  InhibitRule rule;
  map.Read("name", rule.name);
  ReadSide(map, "source", rule.source);
  ReadSide(map, "target", rule.target);
  const auto* equal = map.node().Find("equal");
  if (equal && equal->IsNull()) {
    map.Child("equal");
  } else {
    map.Read("equal", rule.equal);
  }
  map.Finish();
  return rule;
}

}  // namespace vigia::alerting::route
