#include "tests/templates/expand.h"

namespace vigia::test {

using namespace alerting::templates;

RuleData SomeRuleData() {
  return {.labels = {{"instance", "db1:9100"}, {"job", "node"}, {"path", "/a b"}},
          .external_labels = {{"site", "madrid"}},
          .external_url = "http://vigia.example:9845/base",
          .value = 1234.5,
          .time = 1'700'000'000'123,
          .query = [](const std::string& query) -> Result<std::vector<QuerySample>> {
            if (query == "none") return std::vector<QuerySample>{};
            if (query != "up") return Fail(ErrorCode::kInvalid, "cannot answer " + query);
            return std::vector<QuerySample>{{{{"instance", "b"}}, 1}, {{{"instance", "a"}}, 0}};
          }};
}

std::string Expanded(std::string_view text) {
  const auto parsed = RuleTemplate::Parse("t", text);
  if (!parsed) return "error: " + parsed.error().message();
  const auto expanded = parsed->Expand(SomeRuleData());
  return expanded ? *expanded : "error: " + expanded.error().message();
}

}  // namespace vigia::test
