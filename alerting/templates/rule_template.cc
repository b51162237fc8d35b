#include "alerting/templates/rule_template.h"

#include "alerting/templates/evaluator.h"
#include "alerting/templates/parser.h"

namespace vigia::alerting::templates {

struct RuleTemplate::Parsed {
  std::string name;
  std::string text;
  bool plain = false;  // nothing to expand
  Trees trees;
};

Result<RuleTemplate> RuleTemplate::Parse(std::string_view name, std::string_view text) {
  auto parsed = std::make_shared<Parsed>();
  parsed->name = name;
  parsed->text = text;
  parsed->plain = text.find("{{") == text.npos;
  if (!parsed->plain) {
    const Vocabulary vocabulary{RuleFunctions(),
                                {"$labels", "$externalLabels", "$externalURL", "$value"}};
    if (auto status = templates::Parse(name, text, vocabulary, parsed->trees); !status) {
      return Fail(status.error().In("error parsing template " + parsed->name));
    }
  }
  return RuleTemplate(std::move(parsed));
}

Result<std::string> RuleTemplate::Expand(const RuleData& data) const {
  if (parsed_->plain) return parsed_->text;
  const Value labels(StringMap(data.labels));
  const Value external_labels(StringMap(data.external_labels));
  const Environment environment{data.time, data.external_url, data.query};
  const Value dot(Struct{.fields = {{"Labels", labels},
                                    {"ExternalLabels", external_labels},
                                    {"ExternalURL", data.external_url},
                                    {"Value", data.value}},
                         .type = "template.AlertTemplateData"});
  auto text = Execute({.trees = parsed_->trees,
                       .name = parsed_->name,
                       .data = dot,
                       .environment = environment,
                       .variables = {{"$labels", labels},
                                     {"$externalLabels", external_labels},
                                     {"$externalURL", data.external_url},
                                     {"$value", data.value}}});
  if (!text) return Fail(text.error().In("error executing template " + parsed_->name));
  return text;
}

std::string RuleTemplate::ExpandOrExplain(const RuleData& data) const {
  auto text = Expand(data);
  if (text) return *std::move(text);
  return "<error expanding template: " + text.error().message() + ">";
}

}  // namespace vigia::alerting::templates
