#include "exporter/baselines/calls.h"

#include "alerting/route/matcher.h"
#include "core/text/json.h"

namespace vigia::exporter {
namespace {

namespace baseline = alerting::baseline;
using baseline::Book;
using http::Request;
using http::Response;
using text::JsonWriter;

void WriteLine(JsonWriter& json, const baseline::Line& line) {
  const auto& verdict = line.verdict;
  json.BeginObject().Key("labels").BeginObject();
  for (const auto [name, value] : line.labels) json.Field(name, value);
  json.EndObject().Field("state", baseline::Name(verdict.state));
  json.Key("value").Number(line.value).Key("score").Number(verdict.score);
  if (verdict.known) {
    json.Key("expected").Number(verdict.expected);
    json.Key("lower").Number(verdict.lower).Key("upper").Number(verdict.upper);
  }
  if (verdict.since != 0) {
    json.Key("change").Number(verdict.change).Key("since").Integer(verdict.since * 1000);
  }
  json.EndObject();
}

Response List(const Book& book) {
  std::string body;
  JsonWriter json(body);
  json.BeginObject().Key("baselines").BeginArray();
  for (const auto& [name, page] : book.Pages()) {
    const auto& report = page->report;
    json.BeginObject().Field("name", name);
    json.Key("learning").Integer(static_cast<std::int64_t>(report.learning));
    json.Key("refused").Integer(static_cast<std::int64_t>(report.over_budget));
    json.Field("last_error", report.last_error).Key("series").BeginArray();
    for (const auto& line : page->lines) WriteLine(json, line);
    json.EndArray().EndObject();
  }
  json.EndArray().EndObject();
  return Response::Json(200, std::move(body));
}

Response Refuse(int status, const std::string& what) {
  std::string body;
  JsonWriter(body).BeginObject().Field("error", what).EndObject();
  return Response::Json(status, std::move(body));
}

using Decide = Result<std::size_t> (Book::*)(const std::string& name, const Book::Fits& fit);

Response Decided(Book& book, Decide decide, const Request& request) {
  alerting::route::Matchers matchers;
  if (const auto text = request.Parameter("match"); !text.empty()) {
    auto read = alerting::route::ParseMatchers(text);
    if (!read) return Refuse(400, "match: " + read.error().message());
    matchers = *std::move(read);
  }
  const auto fits = [&](const Labels& labels) {
    return alerting::route::MatchesAll(matchers, labels);
  };
  const auto count = (book.*decide)(request.path_parameters.at("name"), fits);
  if (!count) return Refuse(404, count.error().message());
  return Response::Json(200, "{\"series\":" + std::to_string(*count) + "}");
}

}  // namespace

void AddBaselineCalls(http::Router& router, Book& book) {
  router.Get("/api/vigia/v1/baselines", [&book](const Request&) { return List(book); });
  for (const auto& [word, decide] :
       {std::pair("accept", &Book::Accept), std::pair("undo", &Book::Undo),
        std::pair("reset", &Book::Reset)}) {
    router.Add({.method = "POST",
                .pattern = std::string("/api/vigia/v1/baselines/{name}/") + word,
                .handler = [&book, decide = Decide(decide)](
                               const Request& request) { return Decided(book, decide, request); },
                .changes_state = true});
  }
}

}  // namespace vigia::exporter
