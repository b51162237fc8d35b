#include "tests/promql/script.h"

#include <re2/re2.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "core/number.h"
#include "query/promql/engine.h"
#include "query/promql/functions/function.h"
#include "query/promql/syntax/quote.h"
#include "query/promql/memory_source.h"
#include "tests/promql/script_text.h"

namespace vigia::promql::test {
namespace {

constexpr std::size_t kMaxSamples = 10'000;  // upstream's runner allows no more

bool Near(double a, double b) {
  if ((std::isnan(a) && std::isnan(b)) || a == b) return true;
  if (!std::isfinite(a) || !std::isfinite(b) || a == 0 || b == 0) return false;
  return std::abs(a - b) / (std::abs(a) + std::abs(b)) < 1e-6;
}

// "expect warn msg: ..." and the like.
struct Expectation {
  enum class Kind { kFail, kWarn, kInfo, kNoWarn, kNoInfo };
  Kind kind;
  std::string message;
  std::string regex;

  bool Fits(const std::string& text) const {
    if (!message.empty()) return text == message;
    return regex.empty() || re2::RE2::PartialMatch(text, regex);
  }
};

struct Evaluation {
  bool range = false;
  Timestamp start = 0;
  Timestamp end = 0;
  std::int64_t step = 0;
  std::string query;
  bool ordered = false;
  bool needs_native = false;
  std::vector<Expectation> expectations;
  std::optional<double> scalar;
  std::optional<std::string> string;
  // The times of an expected range vector.
  bool range_vector = false;
  Timestamp vector_start = 0;
  std::int64_t vector_step = 0;
  std::vector<SeriesLine> series;

  const Expectation* Find(Expectation::Kind kind) const {
    for (const auto& expectation : expectations) {
      if (expectation.kind == kind) return &expectation;
    }
    return nullptr;
  }
};

using Kind = Expectation::Kind;

Result<Evaluation> ParseHead(const Command& command) {
  Evaluation out;
  std::string_view rest = command.head;
  const auto verb = TakeWord(rest);
  if (verb == "eval_fail") out.expectations.push_back({Kind::kFail, "", ""});
  if (verb == "eval_warn") out.expectations.push_back({Kind::kWarn, "", ""});
  if (verb == "eval_info") out.expectations.push_back({Kind::kInfo, "", ""});
  out.ordered = verb == "eval_ordered";
  out.range = TakeWord(rest) == "range";
  const auto take_time = [&](std::string_view word, std::int64_t& time) -> Status {
    std::string_view after = rest;
    if (TakeWord(after) != word) return Ok();
    const auto value = ParseTime(TakeWord(after));
    if (!value) return Fail(value.error());
    time = *value;
    rest = after;
    return Ok();
  };
  Status status = Ok();
  if (out.range) {
    status = take_time("from", out.start);
    if (status) status = take_time("to", out.end);
    if (status) status = take_time("step", out.step);
  } else {
    status = take_time("at", out.start);
  }
  if (!status) return Fail(status.error());
  out.query = rest;
  return out;
}

Status ParseExpectation(std::string_view line, Evaluation& out) {
  TakeWord(line);
  const auto what = TakeWord(line);
  if (what == "ordered") {
    out.ordered = true;
    return Ok();
  }
  if (what == "string") {
    auto text = Unquote(line);
    if (!text) return Fail(text.error());
    out.string = std::move(*text);
    return Ok();
  }
  if (what == "range") {  // range vector from T to T step S
    std::vector<std::string_view> words;
    while (!line.empty()) words.push_back(TakeWord(line));
    if (words.size() != 7) return Fail(ErrorCode::kInvalid, "not a range vector");
    out.range_vector = true;
    out.vector_start = ParseTime(words[2]).value_or(0);
    out.vector_step = ParseTime(words[6]).value_or(0);
    return Ok();
  }
  static const std::map<std::string_view, Kind> kKinds{
      {"fail", Kind::kFail},      {"warn", Kind::kWarn},      {"info", Kind::kInfo},
      {"no_warn", Kind::kNoWarn}, {"no_info", Kind::kNoInfo},
  };
  const auto kind = kKinds.find(what);
  if (kind == kKinds.end()) return Fail(ErrorCode::kInvalid, "unknown expectation");
  Expectation expectation{kind->second, "", ""};
  const auto behind = [&](std::size_t length) {
    const auto at = line.find_first_not_of(" \t", length);
    return at == std::string_view::npos ? std::string() : std::string(line.substr(at));
  };
  if (line.starts_with("msg:")) expectation.message = behind(4);
  if (line.starts_with("regex:")) expectation.regex = behind(6);
  out.expectations.push_back(std::move(expectation));
  return Ok();
}

Status ParseBody(const Command& command, Evaluation& out) {
  for (const auto& line : command.body) {
    if (line.starts_with("expect ") || line.starts_with("expect\t")) {
      if (auto status = ParseExpectation(line, out); !status) return status;
      continue;
    }
    if (line.starts_with("expected_fail")) {
      const bool regex = line.starts_with("expected_fail_regexp");
      std::string text = line.substr(line.find(' ') + 1);
      out.expectations.push_back({Kind::kFail, regex ? "" : text, regex ? text : ""});
      continue;
    }
    if (const auto number = ParseDouble(line)) {
      out.scalar = *number;
      return Ok();
    }
    auto series = ParseSeriesLine(line);
    if (!series) return Fail(series.error());
    out.needs_native = out.needs_native || series->native;
    out.series.push_back(std::move(*series));
  }
  return Ok();
}

using Points = std::map<Timestamp, double>;
using Table = std::map<Labels, Points>;

std::string Describe(const Points& points) {
  std::string out;
  for (const auto& [time, value] : points) {
    if (out.size() > 200) return out + " ...";
    out += (out.empty() ? "" : " ") + FormatDouble(value) + "@" + std::to_string(time);
  }
  return out;
}

// Empty if they agree.
std::string Compare(const Table& wanted, const Table& got) {
  for (const auto& [labels, points] : wanted) {
    const auto at = got.find(labels);
    if (at == got.end()) return "missing " + labels.ToString();
    const bool same = std::equal(points.begin(), points.end(), at->second.begin(), at->second.end(),
                                 [](const auto& a, const auto& b) {
                                   return a.first == b.first && Near(a.second, b.second);
                                 });
    if (!same) {
      return labels.ToString() + ": " + Describe(at->second) + ", wanted " + Describe(points);
    }
  }
  for (const auto& [labels, points] : got) {
    if (!wanted.contains(labels)) return "unexpected " + labels.ToString() + " " + Describe(points);
  }
  return {};
}

Table TableOf(const Matrix& matrix) {
  Table table;
  for (std::size_t i = 0; i < matrix.size(); ++i) {
    auto& points = table[matrix.labels(i)];
    matrix.ForEachSample(i, [&](Timestamp time, double value) { points[time] = value; });
  }
  return table;
}

Table TableOf(const InstantVector& vector) {
  Table table;
  for (const auto& sample : vector) table[sample.labels][sample.time] = sample.value;
  return table;
}

Table Wanted(const Evaluation& evaluation, Timestamp start, std::int64_t step) {
  Table table;
  for (const auto& series : evaluation.series) {
    Points points;
    for (std::size_t i = 0; i < series.values.size(); ++i) {
      const auto time = start + static_cast<std::int64_t>(i) * step;
      if (series.values[i]) points[time] = *series.values[i];
    }
    if (!points.empty()) table[series.labels] = std::move(points);
  }
  return table;
}

template <typename T>
std::string CheckAnnotations(const Evaluation& evaluation, const Answer<T>& answer) {
  const auto check = [&](Kind wanted, Kind unwanted,
                         const std::vector<std::string>& texts) -> std::string {
    if (evaluation.Find(unwanted) && !texts.empty()) return "unexpected: " + texts[0];
    for (const auto& expectation : evaluation.expectations) {
      if (expectation.kind != wanted) continue;
      const bool found = std::any_of(texts.begin(), texts.end(), [&](const std::string& text) {
        return expectation.Fits(text);
      });
      if (!found) {
        return "annotation missing: " + expectation.message + expectation.regex +
               (texts.empty() ? ", there is none" : ", there is " + texts[0]);
      }
    }
    return {};
  };
  if (auto why = check(Kind::kWarn, Kind::kNoWarn, answer.warnings); !why.empty()) return why;
  return check(Kind::kInfo, Kind::kNoInfo, answer.infos);
}

std::string CompareInstant(const Evaluation& evaluation, const Value& value, Timestamp time) {
  if (evaluation.string) {
    const auto* string = std::get_if<StringValue>(&value);
    if (!string) return "not a string";
    return string->value == *evaluation.string ? "" : "string " + string->value;
  }
  if (evaluation.scalar) {
    const auto* scalar = std::get_if<ScalarValue>(&value);
    if (!scalar) return "not a scalar";
    return Near(scalar->value, *evaluation.scalar) ? "" : "scalar " + FormatDouble(scalar->value);
  }
  if (const auto* matrix = std::get_if<Matrix>(&value)) {
    return Compare(Wanted(evaluation, evaluation.vector_start, evaluation.vector_step),
                   TableOf(*matrix));
  }
  const auto* vector = std::get_if<InstantVector>(&value);
  if (!vector) return "not a vector";
  if (auto why = Compare(Wanted(evaluation, time, 0), TableOf(*vector)); !why.empty()) return why;
  if (!evaluation.ordered) return {};
  for (std::size_t i = 0; i < vector->size(); ++i) {
    if ((*vector)[i].labels != evaluation.series[i].labels) {
      return "place " + std::to_string(i + 1) + " has " + (*vector)[i].labels.ToString();
    }
  }
  return {};
}

class Runner {
 public:
  Runner(std::string_view name, Semantics semantics)
      : name_(name), engine_({.semantics = semantics, .max_samples = kMaxSamples}) {}

  void Run(const Command& command) {
    std::string_view rest = command.head;
    const auto verb = TakeWord(rest);
    if (verb == "clear") {
      source_.Clear();
      native_.clear();
    } else if (verb.starts_with("load")) {
      Load(command, rest, verb == "load_with_nhcb");
    } else if (verb.starts_with("eval")) {
      Evaluate(command);
    } else {
      Report(command, "unknown command");
    }
  }

  ScriptReport TakeReport() { return std::move(report_); }

 private:
  void Report(const Command& command, const std::string& why) {
    if (why.empty()) {
      ++report_.passed;
      return;
    }
    ++report_.failed;
    report_.failures.push_back(name_ + ":" + std::to_string(command.line) + ": " + command.head +
                               ": " + why);
  }

  void Load(const Command& command, std::string_view interval, bool makes_native) {
    const auto step = ParseTime(interval);
    if (!step) return Report(command, step.error().message());
    std::map<Labels, SeriesLine> loaded;  // the last line of a series counts
    for (const auto& line : command.body) {
      auto series = ParseSeriesLine(line);
      if (!series) return Report(command, series.error().message());
      loaded[series->labels] = std::move(*series);
    }
    for (const auto& [labels, series] : loaded) {
      if (series.native) native_.push_back(labels);
      if (makes_native && labels.Has("le")) {
        // x_bucket makes a native histogram x.
        auto name = std::string(labels.MetricName());
        if (name.ends_with("_bucket")) name.resize(name.size() - 7);
        native_.push_back(LabelsBuilder(labels).Set(kMetricName, name).Remove("le").Build());
      }
      for (std::size_t i = 0; i < series.values.size(); ++i) {
        if (!series.values[i]) continue;
        source_.Add(labels, static_cast<std::int64_t>(i) * *step, *series.values[i]);
      }
    }
  }

  bool ReadsNative(const ParsedQuery& query) const {
    for (const auto* selector : query.Selectors()) {
      for (const auto& labels : native_) {
        if (Fits(labels, selector->matchers)) return true;
      }
    }
    return false;
  }

  void Evaluate(const Command& command) {
    auto evaluation = ParseHead(command);
    if (!evaluation) return Report(command, evaluation.error().message());
    if (auto status = ParseBody(command, *evaluation); !status) {
      return Report(command, status.error().message());
    }
    const auto parsed = engine_.Parse(evaluation->query);
    if (evaluation->needs_native || (parsed && ReadsNative(**parsed))) {
      ++report_.skipped;
      return;
    }
    Report(command, evaluation->range ? JudgeRange(*evaluation) : JudgeInstant(*evaluation));
  }

  // Empty, or what is wrong; nothing if the query succeeded where it should.
  static std::optional<std::string> JudgeError(const Evaluation& evaluation,
                                               const std::optional<QueryError>& error) {
    const auto* fail = evaluation.Find(Kind::kFail);
    if (fail && !error) return "should fail";
    if (fail) {
      return fail->Fits(error->message) ? "" : "fails with: " + error->message;
    }
    if (error) return "error: " + error->message;
    return std::nullopt;
  }

  std::string JudgeRange(const Evaluation& evaluation) {
    const auto answer = engine_.Range(source_, evaluation.query, evaluation.start, evaluation.end,
                                      Milliseconds(evaluation.step));
    std::optional<QueryError> error;
    if (!answer) error = answer.error();
    if (const auto why = JudgeError(evaluation, error)) return *why;
    if (auto why = CheckAnnotations(evaluation, *answer); !why.empty()) return why;
    return Compare(Wanted(evaluation, evaluation.start, evaluation.step), TableOf(answer->value));
  }

  std::string JudgeInstant(const Evaluation& evaluation) {
    const auto answer = engine_.Instant(source_, evaluation.query, evaluation.start);
    std::optional<QueryError> error;
    if (!answer) error = answer.error();
    if (const auto why = JudgeError(evaluation, error)) return *why;
    if (auto why = CheckAnnotations(evaluation, *answer); !why.empty()) return why;
    if (auto why = CompareInstant(evaluation, answer->value, evaluation.start); !why.empty()) {
      return why;
    }
    const auto parsed = engine_.Parse(evaluation.query);
    if (std::holds_alternative<Matrix>(answer->value) || evaluation.string) return {};
    if (auto why = JudgeAt(evaluation, **parsed); !why.empty()) return why;
    if (evaluation.ordered || Calls((*parsed)->root(), kQueryTime)) return {};
    return JudgeAsRange(evaluation);
  }

  std::string JudgeAsRange(const Evaluation& evaluation) {
    constexpr std::int64_t kMinute = 60'000;
    const auto answer = engine_.Range(source_, evaluation.query, evaluation.start - kMinute,
                                      evaluation.start + kMinute, Milliseconds(kMinute));
    if (!answer) return "as a range: " + answer.error().message;
    Table middle;
    for (const auto& [labels, points] : TableOf(answer->value)) {
      const auto at = points.find(evaluation.start);
      if (at != points.end()) middle[labels][at->first] = at->second;
    }
    Table wanted = Wanted(evaluation, evaluation.start, 0);
    if (evaluation.scalar) wanted[Labels()][evaluation.start] = *evaluation.scalar;
    const auto why = Compare(wanted, middle);
    return why.empty() ? "" : "as a range: " + why;
  }

  // With "@ time" on everything that has none, the time of evaluation must not matter.
  std::string JudgeAt(const Evaluation& evaluation, const ParsedQuery& parsed) {
    if (Calls(parsed.root(), kTimeDependent) || Calls(parsed.root(), kQueryTime)) return {};
    std::vector<std::int32_t> places;
    FindUnshifted(parsed.root(), places);
    if (places.empty()) return {};
    std::sort(places.rbegin(), places.rend());
    std::string query = evaluation.query;
    char at[64];
    std::snprintf(at, sizeof at, " @ %.3f", static_cast<double>(evaluation.start) / 1000);
    for (const auto place : places) query.insert(static_cast<std::size_t>(place), at);
    const Timestamp t = evaluation.start;
    for (const Timestamp time : {-10 * t, Timestamp{0}, t / 5, t, 10 * t}) {
      const auto answer = engine_.Instant(source_, query, time);
      if (!answer) return query + ": " + answer.error().message;
      Evaluation moved = evaluation;
      moved.start = time;
      const auto why = CompareInstant(moved, answer->value, time);
      if (!why.empty()) return query + " at " + std::to_string(time) + ": " + why;
    }
    return {};
  }

  // Ends of the selectors and outermost subqueries without @.
  static void FindUnshifted(const Expr& expr, std::vector<std::int32_t>& places) {
    const TimeShift* shift = nullptr;
    if (expr.kind == NodeKind::kVectorSelector) {
      shift = &static_cast<const VectorSelector&>(expr).shift;
    } else if (expr.kind == NodeKind::kMatrixSelector) {
      shift = &static_cast<const MatrixSelector&>(expr).selector->shift;
    } else if (expr.kind == NodeKind::kSubquery) {
      shift = &static_cast<const Subquery&>(expr).shift;
    }
    if (!shift) {
      VisitChildren(expr, [&](const Expr& child) { FindUnshifted(child, places); });
    } else if (shift->at == TimeShift::At::kNone) {
      places.push_back(expr.range.end);
    }
  }

  using Names = std::vector<std::string_view>;

  static bool Calls(const Expr& expr, const Names& names) {
    if (expr.kind == NodeKind::kCall) {
      const auto name = static_cast<const Call&>(expr).function.name;
      if (std::find(names.begin(), names.end(), name) != names.end()) return true;
    }
    bool found = false;
    VisitChildren(expr, [&](const Expr& child) { found = found || Calls(child, names); });
    return found;
  }

  inline static const Names kQueryTime{"start", "end", "step", "range"};
  inline static const Names kTimeDependent{
      "days_in_month", "day_of_month", "day_of_week",    "day_of_year", "hour",     "minute",
      "month",         "year",         "predict_linear", "time",        "timestamp"};

  const std::string name_;
  const Engine engine_;
  MemorySource source_;
  std::vector<Labels> native_;
  ScriptReport report_;
};

}  // namespace

ScriptReport RunScript(std::string_view name, std::string_view text, Semantics semantics) {
  Runner runner(name, semantics);
  for (const auto& command : SplitCommands(text)) runner.Run(command);
  return runner.TakeReport();
}

}  // namespace vigia::promql::test
