// A template of an annotation or label in a rule file, as Prometheus expands it: Go's
// text/template with $labels, $externalLabels, $externalURL, $value, and functions such as
// humanize and query (docs/templates.md).
//
//     auto parsed = RuleTemplate::Parse("__alert_DiskFull", text);    // once, when rules are read
//     if (!parsed) return Fail(parsed.error());
//     annotation = parsed->ExpandOrExplain(data);                      // at each evaluation
//
// Immutable and thread-safe; copies share the parsed text.

#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "alerting/templates/function.h"
#include "core/labels.h"
#include "core/result.h"
#include "core/sample.h"

namespace vigia::alerting::templates {

struct RuleData {
  Labels labels;  // of the series, before the alert's own are added
  Labels external_labels;
  std::string external_url;
  double value = 0;
  Timestamp time = 0;        // of the evaluation
  QueryFunction query = {};  // for the function of that name
};

class RuleTemplate {
 public:
  // `name` stands in errors; Prometheus calls it "__alert_" and the alert's name. The error is
  // "error parsing template <name>: template: <name>:1: ...".
  static Result<RuleTemplate> Parse(std::string_view name, std::string_view text);

  // The error is "error executing template <name>: template: <name>:1:2: ...".
  Result<std::string> Expand(const RuleData& data) const;
  // The same; an error becomes the text, so that the alert itself is not lost:
  // "<error expanding template: ...>".
  std::string ExpandOrExplain(const RuleData& data) const;

 private:
  struct Parsed;
  explicit RuleTemplate(std::shared_ptr<const Parsed> parsed) : parsed_(std::move(parsed)) {}

  std::shared_ptr<const Parsed> parsed_;
};

}  // namespace vigia::alerting::templates
