#include "alerting/rules/unit_test/run.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "alerting/rules/group.h"
#include "core/number.h"
#include "query/promql/engine.h"
#include "query/promql/memory_source.h"

namespace vigia::alerting::rules {
namespace {

std::string Quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

std::string Indent(const std::string& text, std::string_view by) {
  std::string out;
  for (const char c : text) {
    out += c;
    if (c == '\n') out += by;
  }
  return out;
}

// Alerts and samples in a form that is compared and shown.
struct Shown {
  std::string text;
  friend auto operator<=>(const Shown&, const Shown&) = default;
};

Shown Show(const Labels& labels, const Labels& annotations) {
  return {"Labels:" + labels.ToString() + "\nAnnotations:" + annotations.ToString()};
}

std::string List(const std::vector<Shown>& items) {
  if (items.empty()) return "[]";
  std::string out = "[";
  for (std::size_t i = 0; i < items.size(); ++i) {
    out += (i == 0 ? "\n" : ",\n") + std::to_string(i) + ":" + Indent("\n" + items[i].text, "  ");
  }
  return out + "\n]";
}

// Items of one list that the other does not have, line by line.
std::string Differences(const std::vector<Shown>& expected, const std::vector<Shown>& got) {
  std::string out;
  const auto add = [&](const std::vector<Shown>& these, const std::vector<Shown>& those,
                       char mark) {
    for (const auto& item : these) {
      if (std::find(those.begin(), those.end(), item) != those.end()) continue;
      out += std::string("\n") + mark + " " + Indent(item.text, std::string(1, mark) + " ");
    }
  };
  add(expected, got, '-');
  add(got, expected, '+');
  return out;
}

bool Near(double a, double b) {
  if (a == b) return true;
  return std::abs(a - b) / (std::abs(a) + std::abs(b)) < 1e-6;
}

bool SameValue(double a, double b, bool fuzzy) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  return a == b || (fuzzy && Near(a, b));
}

class TestRun {
 public:
  TestRun(const UnitTestFile& file, const UnitTest& test,
          const std::vector<GroupDefinition>& groups, const UnitTestOptions& options)
      : file_(file),
        test_(test),
        options_(options),
        engine_({.default_subquery_step = file.evaluation_interval}) {
    for (const auto& one : test.alerts) last_ = std::max(last_, one.time);
    for (const auto& one : test.expressions) last_ = std::max(last_, one.time);
    last_ -= last_ % file.evaluation_interval;
    Settings settings;
    // Rules are evaluated at this interval, whatever a group says of itself.
    settings.interval = file.evaluation_interval;
    settings.external_labels = test.external_labels;
    settings.external_url = test.external_url;
    const auto shared = std::make_shared<const Settings>(std::move(settings));
    for (const auto& group : groups) groups_.push_back(std::make_unique<Group>(group, shared));
    // Groups that are not named come with the first.
    const auto rank = [&](const auto& group) {
      const auto at =
          std::find(file.group_order.begin(), file.group_order.end(), group->definition().name);
      return at == file.group_order.end() ? 0 : at - file.group_order.begin();
    };
    if (!file.group_order.empty()) {
      std::stable_sort(groups_.begin(), groups_.end(),
                       [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
    }
  }

  std::vector<std::string> Run() {
    Fill();
    EvaluateGroups();
    if (failures_.empty() || !stopped_) {
      for (const auto& one : test_.expressions) CheckExpression(one);
    }
    return std::move(failures_);
  }

 private:
  void Fill();
  void EvaluateGroups();
  bool CollectErrors(Milliseconds time);
  void CheckAlerts(const AlertCase& expected);
  void CheckExpression(const ExpressionCase& expected);
  void Fail(const std::string& head, const std::vector<Shown>& expected,
            const std::vector<Shown>& got);

  const UnitTestFile& file_;
  const UnitTest& test_;
  const UnitTestOptions options_;
  const promql::Engine engine_;
  Milliseconds last_{0};  // evaluation
  promql::MemorySource data_;
  std::vector<std::unique_ptr<Group>> groups_;
  std::vector<std::string> failures_;
  bool stopped_ = false;
};

void TestRun::Fill() {
  for (const auto& series : test_.series) {
    for (std::size_t i = 0; i < series.values.size(); ++i) {
      // Samples behind the last evaluation are not there yet, not even for expressions.
      const auto offset = static_cast<std::int64_t>(i) * test_.interval.count();
      if (!series.values[i] || offset > last_.count()) continue;
      data_.Add(series.labels, test_.start + offset, *series.values[i]);
    }
  }
}

void TestRun::EvaluateGroups() {
  const Environment environment{.source = data_, .engine = engine_};
  const Milliseconds step = file_.evaluation_interval;
  for (Milliseconds time{0}; time <= last_; time += step) {
    for (const auto& group : groups_) {
      group->Evaluate(test_.start + time.count(), environment, {data_});
    }
    if (CollectErrors(time)) return;
    for (const auto& one : test_.alerts) {
      if (one.time >= time && one.time < time + step) CheckAlerts(one);
    }
  }
}

bool TestRun::CollectErrors(Milliseconds time) {
  for (const auto& group : groups_) {
    for (const auto& rule : group->rules()) {
      const auto report = rule->report();
      if (report.health != RuleReport::Health::kBad) continue;
      failures_.push_back("    rule: " + rule->definition().name +
                          ", time: " + FormatDuration(time) + ", err: " + report.last_error);
      stopped_ = true;
    }
  }
  return stopped_;
}

void TestRun::Fail(const std::string& head, const std::vector<Shown>& expected,
                   const std::vector<Shown>& got) {
  std::string out = test_.name.empty() ? "" : "    name: " + test_.name + ",\n";
  out += "    " + head;
  if (options_.diff) {
    out += "\n        diff:" + Indent(Differences(expected, got), "          ");
  } else {
    constexpr std::string_view kBy = "            ";
    out +=
        "\n        exp:" + Indent(List(expected), kBy) + "\n        got:" + Indent(List(got), kBy);
  }
  failures_.push_back(std::move(out));
}

void TestRun::CheckAlerts(const AlertCase& expected) {
  std::vector<Shown> got;
  for (const auto& group : groups_) {
    for (const auto& rule : group->rules()) {
      const auto* alerting = dynamic_cast<const AlertingRule*>(rule.get());
      if (!alerting || rule->definition().name != expected.alert) continue;
      for (const auto& alert : alerting->Active()) {
        if (alert.state == AlertState::kFiring) {
          got.push_back(Show(alert.labels, alert.annotations));
        }
      }
    }
  }
  std::vector<Shown> wanted;
  for (const auto& alert : expected.alerts) wanted.push_back(Show(alert.labels, alert.annotations));
  std::sort(got.begin(), got.end());
  std::sort(wanted.begin(), wanted.end());
  if (got == wanted) return;
  Fail("alertname: " + expected.alert + ", time: " + FormatDuration(expected.time) + ", ", wanted,
       got);
}

void TestRun::CheckExpression(const ExpressionCase& expected) {
  const std::string head =
      "expr: " + Quoted(expected.expression) + ", time: " + FormatDuration(expected.time) + ",";
  auto answer = engine_.Instant(data_, expected.expression, test_.start + expected.time.count());
  if (!answer) {
    failures_.push_back("    " + head + " err: " + answer.error().message);
    return;
  }
  std::vector<ExpectedSample> got;
  if (const auto* vector = std::get_if<promql::InstantVector>(&answer->value)) {
    for (const auto& sample : *vector) got.push_back({sample.labels, sample.value});
  } else if (const auto* scalar = std::get_if<promql::ScalarValue>(&answer->value)) {
    got.push_back({Labels(), scalar->value});
  } else {
    failures_.push_back("    " + head + " err: the expression is no instant vector or scalar");
    return;
  }
  auto wanted = expected.samples;
  const auto by_labels = [](const auto& a, const auto& b) { return a.labels < b.labels; };
  std::sort(got.begin(), got.end(), by_labels);
  std::sort(wanted.begin(), wanted.end(), by_labels);
  const bool same = std::equal(
      got.begin(), got.end(), wanted.begin(), wanted.end(), [&](const auto& a, const auto& b) {
        return a.labels == b.labels && SameValue(a.value, b.value, file_.fuzzy);
      });
  if (same) return;
  const auto show = [](const std::vector<ExpectedSample>& samples) {
    std::vector<Shown> out;
    for (const auto& sample : samples) {
      out.push_back({sample.labels.ToString() + " " + FormatDouble(sample.value)});
    }
    return out;
  };
  Fail(head, show(wanted), show(got));
}

}  // namespace

std::vector<std::string> RunUnitTest(const UnitTestFile& file, const UnitTest& test,
                                     const std::vector<GroupDefinition>& groups,
                                     const UnitTestOptions& options) {
  return TestRun(file, test, groups, options).Run();
}

}  // namespace vigia::alerting::rules
