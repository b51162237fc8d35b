// series, labels and label/{name}/values.

#include <algorithm>
#include <set>

#include "core/text/json.h"
#include "core/text/utf8.h"
#include "exporter/api/answer.h"
#include "exporter/api/calls.h"
#include "exporter/api/parameters.h"
#include "exporter/api/result_json.h"

namespace vigia::api {
namespace {

constexpr std::string_view kTruncated = "results truncated due to limit";

struct Question {
  std::vector<std::vector<Matcher>> selectors;
  TimeRange range;
  std::size_t limit = 0;
  bool nothing = false;
};

ApiResult<Question> ReadQuestion(const ApiContext& context, const http::Request& request) {
  Question question;
  const auto range = RangeParameters(request);
  if (!range) return tl::unexpected(range.error());
  question.range = *range;
  const auto limit = LimitParameter(request, "limit");
  if (!limit) return tl::unexpected(limit.error());
  question.limit = *limit;
  auto selectors = SelectorParameters(request, context.engine.options().semantics);
  if (!selectors) return tl::unexpected(selectors.error());
  question.selectors = *std::move(selectors);
  // A range that ends before it begins holds nothing, as Prometheus has it: no error.
  question.nothing = question.range.to < question.range.from;
  return question;
}

// The union over all selectors of what `ask` answers, sorted.
template <typename Ask>
ApiResult<std::set<std::string>> Unite(const Question& question, const Ask& ask) {
  std::set<std::string> all;
  if (question.nothing) return all;
  const auto add = [&](std::span<const Matcher> matchers) -> Result<void> {
    auto some = ask(matchers);
    if (!some) return tl::unexpected(some.error());
    all.insert(std::make_move_iterator(some->begin()), std::make_move_iterator(some->end()));
    return {};
  };
  if (question.selectors.empty()) {
    if (const auto status = add({}); !status) return tl::unexpected(FromStorage(status.error()));
  }
  for (const auto& matchers : question.selectors) {
    if (const auto status = add(matchers); !status)
      return tl::unexpected(FromStorage(status.error()));
  }
  return all;
}

http::Response ListAnswer(const http::Request& request, const std::set<std::string>& list,
                          std::size_t limit) {
  std::string data = "[";
  Notes notes;
  std::size_t count = 0;
  for (const auto& item : list) {
    if (limit != 0 && count == limit) {
      notes.warnings.emplace_back(kTruncated);
      break;
    }
    if (count++ != 0) data += ',';
    text::AppendJsonString(data, item);
  }
  data += ']';
  return Success(request, data, notes);
}

http::Response LabelNames(const ApiContext& context, const http::Request& request) {
  const auto question = ReadQuestion(context, request);
  if (!question) return Failure(question.error());
  const auto names = Unite(*question, [&](std::span<const Matcher> matchers) {
    return context.history.LabelNames(matchers, question->range);
  });
  if (!names) return Failure(names.error());
  return ListAnswer(request, *names, question->limit);
}

bool IsLabelName(std::string_view name, promql::Semantics semantics) {
  if (semantics == promql::Semantics::kPrometheus2) return IsLegacyLabelName(name);
  return !name.empty() && text::IsUtf8(name);
}

http::Response LabelValues(const ApiContext& context, const http::Request& request) {
  const auto& name = request.path_parameters.find("name")->second;
  if (!IsLabelName(name, context.engine.options().semantics)) {
    return Failure(BadData("invalid label name: \"" + name + "\"").value());
  }
  const auto question = ReadQuestion(context, request);
  if (!question) return Failure(question.error());
  const auto values = Unite(*question, [&](std::span<const Matcher> matchers) {
    return context.history.LabelValues(name, matchers, question->range);
  });
  if (!values) return Failure(values.error());
  return ListAnswer(request, *values, question->limit);
}

http::Response Series(const ApiContext& context, const http::Request& request) {
  if (request.ParameterList("match[]").empty()) {
    return Failure(BadData("no match[] parameter provided").value());
  }
  const auto question = ReadQuestion(context, request);
  if (!question) return Failure(question.error());
  if (question->nothing) return Success(request, "[]");
  std::vector<Labels> found;
  for (const auto& matchers : question->selectors) {
    const auto series = context.history.Select(matchers, question->range);
    if (!series) return Failure(FromStorage(series.error()));
    for (const auto& one : *series) found.push_back(one->labels());
  }
  if (question->selectors.size() > 1) {
    std::sort(found.begin(), found.end());
    found.erase(std::unique(found.begin(), found.end()), found.end());
  }
  Notes notes;
  if (question->limit != 0 && found.size() > question->limit) {
    found.resize(question->limit);
    notes.warnings.emplace_back(kTruncated);
  }
  std::string data = "[";
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (i != 0) data += ',';
    AppendLabels(data, found[i]);
  }
  data += ']';
  return Success(request, data, notes);
}

}  // namespace

void AddSeriesCalls(http::Router& router, const ApiContext& context) {
  AddCall(router, "/api/v1/series",
          [context](const auto& request) { return Series(context, request); });
  AddCall(router, "/api/v1/labels",
          [context](const auto& request) { return LabelNames(context, request); });
  AddCall(router, "/api/v1/label/{name}/values",
          [context](const auto& request) { return LabelValues(context, request); });
}

}  // namespace vigia::api
