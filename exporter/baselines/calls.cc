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

// All series where there are none.
Result<alerting::route::Matchers> ReadMatchers(const Request& request) {
  const auto text = request.Parameter("match");
  if (text.empty()) return alerting::route::Matchers();
  auto read = alerting::route::ParseMatchers(text);
  if (!read) return Fail(read.error().In("match"));
  return read;
}

Response Decided(Book& book, Decide decide, const Request& request) {
  const auto matchers = ReadMatchers(request);
  if (!matchers) return Refuse(400, matchers.error().message());
  const auto fits = [&](const Labels& labels) {
    return alerting::route::MatchesAll(*matchers, labels);
  };
  const auto count = (book.*decide)(request.path_parameters.at("name"), fits);
  if (!count) return Refuse(404, count.error().message());
  return Response::Json(200, "{\"series\":" + std::to_string(*count) + "}");
}

// So much of an import arrives at once; the command divides what is larger.
constexpr std::size_t kMaxImport = 16 * 1024 * 1024;
constexpr std::size_t kExportAtOnce = 100;

// The book is locked for a piece at a time: what is learnt meanwhile may be in the later ones.
Response Export(const Book& book, Clock& clock, const Request& request) {
  auto matchers = ReadMatchers(request);
  if (!matchers) return Refuse(400, matchers.error().message());
  const std::string name(request.Parameter("baseline"));
  const auto fits = [matchers = *std::move(matchers)](const Labels& labels) {
    return alerting::route::MatchesAll(matchers, labels);
  };
  Book::Key before;
  if (const auto known = book.Export(name, fits, before, 0); !known) {
    return Refuse(404, known.error().message());
  }
  Response response;
  response.headers = {{"content-type", "application/jsonl"},
                      {"content-disposition", "attachment; filename=\"vigia-baselines.jsonl\""}};
  response.stream = [&book, name, fits, now = clock.Wall()](const http::Sink& sink) -> Status {
    baseline::StateFileWriter writer;
    std::string piece;
    writer.Begin(now / 1000, piece);
    Book::Key after;
    for (bool more = true; more;) {
      const auto learnt = book.Export(name, fits, after, kExportAtOnce);
      if (!learnt) return Fail(learnt.error());  // a reload took the baseline away
      for (const auto& one : *learnt) writer.Add(one, piece);
      more = learnt->size() == kExportAtOnce;
      if (!more) writer.End(piece);
      if (!sink(piece)) return Ok();
      piece.clear();
    }
    return Ok();
  };
  return response;
}

Response Import(Book& book, Clock& clock, const Request& request) {
  const auto learnt = baseline::ReadStateFile(request.body);
  if (!learnt) return Refuse(400, "the body " + learnt.error().message());
  const auto outcome = book.Import(*learnt,
                                   {.force = request.Parameter("force") == "true",
                                    .check = request.Parameter("check") == "true"},
                                   clock.Wall());
  if (!outcome) return Refuse(503, "known, but not written: " + outcome.error().message());
  std::string body;
  JsonWriter json(body);
  json.BeginObject();
  for (const auto& [key, count] :
       {std::pair("taken", outcome->taken), std::pair("newer", outcome->newer),
        std::pair("over_budget", outcome->over_budget), std::pair("misdated", outcome->misdated)}) {
    json.Key(key).Integer(static_cast<std::int64_t>(count));
  }
  for (const auto& [key, names] :
       {std::pair("unknown", &outcome->unknown), std::pair("differing", &outcome->differing)}) {
    json.Key(key).BeginArray();
    for (const auto& name : *names) json.String(name);
    json.EndArray();
  }
  json.EndObject();
  return Response::Json(200, std::move(body));
}

}  // namespace

void AddBaselineCalls(http::Router& router, Book& book, Clock& clock) {
  router.Get("/api/vigia/v1/baselines", [&book](const Request&) { return List(book); });
  // States are of 8 kB, and stand on the stack.
  router.Add(
      {.method = "GET",
       .pattern = "/api/vigia/v1/baselines/export",
       .handler = [&book, &clock](const Request& request) { return Export(book, clock, request); },
       .large_stack = true});
  router.Add(
      {.method = "POST",
       .pattern = "/api/vigia/v1/baselines/import",
       .handler = [&book, &clock](const Request& request) { return Import(book, clock, request); },
       .max_body = kMaxImport,
       .large_stack = true,
       .changes_state = true});
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
