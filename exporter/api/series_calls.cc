// series, labels and label/{name}/values.

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>

#include "core/text/json.h"
#include "core/text/utf8.h"
#include "exporter/api/answer.h"
#include "exporter/api/calls.h"
#include "exporter/api/parameters.h"
#include "exporter/api/result_json.h"
#include "query/promql/syntax/quote.h"

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

// "2e_..." as the character with this number, up to the "_", which is taken too; nothing if it is
// none.
std::optional<std::int32_t> TakeCodePoint(std::string_view& text) {
  constexpr std::size_t kMostDigits = 5;  // as many as Prometheus reads
  const auto digits = text.substr(0, text.find('_'));
  std::uint32_t code = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  if (error != std::errc() || end != digits.data() + digits.size() || surrogate ||
      digits.size() > kMostDigits || digits.size() == text.size()) {
    return std::nullopt;
  }
  text.remove_prefix(digits.size() + 1);
  return static_cast<std::int32_t>(code);
}

// What Prometheus' value encoding made of a name that is not plain: "U__http_2e_code" stands for
// http.code, "__" within for "_". What is not such an encoding stands for itself.
// https://prometheus.io/docs/instrumenting/escaping_schemes/
std::string DecodeValueEncoding(const std::string& name) {
  std::string_view rest = name;
  if (!rest.starts_with("U__")) return name;
  rest.remove_prefix(3);
  std::string out;
  while (!rest.empty()) {
    const char c = rest[0];
    rest.remove_prefix(1);
    if (c != '_') {
      out += c;
    } else if (rest.starts_with('_')) {
      out += c;
      rest.remove_prefix(1);
    } else if (const auto code = TakeCodePoint(rest)) {
      promql::AppendRune(out, *code);
    } else {
      return name;
    }
  }
  return out;
}

// A label's name as it stands in a path.
std::string NameInPath(const http::Request& request, promql::Semantics semantics) {
  const auto& name = request.path_parameters.find("name")->second;
  return semantics == promql::Semantics::kPrometheus3 ? DecodeValueEncoding(name) : name;
}

http::Response LabelValues(const ApiContext& context, const http::Request& request) {
  const auto semantics = context.engine.options().semantics;
  const auto name = NameInPath(request, semantics);
  if (!IsLabelName(name, semantics)) {
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
