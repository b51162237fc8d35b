// Many queries in one request: a page with thirty of them asks once.

#include <chrono>
#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

#include "exporter/api/answer.h"
#include "exporter/api/calls.h"

namespace vigia::api {
namespace {

constexpr std::size_t kMostQueries = 100;
constexpr std::size_t kMostBytes = 256 * 1024;
// What is answered within these is sent as one body, compressed; the rest as it comes.
constexpr std::size_t kWholeBytes = 256 * 1024;
constexpr auto kWholeWait = std::chrono::milliseconds(100);

struct Batch {
  http::Handler instant;
  http::Handler range;
  Clock& clock;

  http::Response Ask(const http::Request& query) const {
    const auto has = [&](std::string_view name) { return !query.Parameter(name).empty(); };
    return has("start") || has("end") || has("step") ? range(query) : instant(query);
  }
};

// A query as a request of its own, so that it is read as everywhere.
ApiResult<http::Request> ReadQuery(const nlohmann::json& object, std::stop_token gone) {
  if (!object.is_object()) return BadData("not an object");
  http::Request query;
  query.gone = std::move(gone);
  for (const auto& [name, value] : object.items()) {
    if (!value.is_string() && !value.is_number()) {
      return BadData("\"" + name + "\" is neither text nor a number");
    }
    query.query.emplace_back(name, value.is_string() ? value.get<std::string>() : value.dump());
  }
  return query;
}

// What is deeper than an array in a query is wrong anyhow, and takes no memory.
nlohmann::json ParseShallow(std::string_view text) {
  const auto keep = [](int depth, nlohmann::json::parse_event_t, const nlohmann::json&) {
    return depth <= 3;
  };
  return nlohmann::json::parse(text, keep, false);
}

ApiResult<std::vector<http::Request>> ReadQueries(const http::Request& request) {
  const auto body = ParseShallow(request.body);
  const auto list = body.is_object() ? body.find("queries") : body.end();
  if (!body.is_object() || list == body.end() || !list->is_array()) {
    return BadData("the body has to be {\"queries\": [{\"query\": ...}, ...]}");
  }
  if (list->size() > kMostQueries) {
    return BadData(std::to_string(list->size()) + " queries; at most " +
                   std::to_string(kMostQueries) + " are answered at once");
  }
  std::vector<http::Request> queries;
  for (const auto& object : *list) {
    auto query = ReadQuery(object, request.gone);
    if (!query) {
      return BadParameter("queries[" + std::to_string(queries.size()) + "]", query.error().message);
    }
    queries.push_back(*std::move(query));
  }
  return queries;
}

// One line; an empty piece sends what was gathered.
Status WriteLine(const http::Response& answer, const http::Sink& sink) {
  if (answer.stream) {
    if (auto status = answer.stream(sink); !status) return status;
  } else {
    sink(answer.body);
  }
  sink("\n");
  sink({});
  return Ok();
}

http::Response Lines(http::Response response) {
  for (auto& [name, value] : response.headers) {
    if (name == "content-type") value = "application/x-ndjson";
  }
  return response;
}

http::Response Answer(const Batch& batch, const http::Request& request) {
  auto queries = ReadQueries(request);
  if (!queries) return Failure(queries.error());
  const Instant until = batch.clock.Now() + kWholeWait;
  std::string body;
  http::Response large;  // an answer that comes in pieces
  auto next = queries->begin();
  while (next != queries->end() && !large.stream && body.size() < kWholeBytes &&
         batch.clock.Now() < until) {
    auto one = batch.Ask(*next++);
    if (one.stream) {
      large = std::move(one);
    } else {
      body += one.body + '\n';
    }
  }
  if (next == queries->end() && !large.stream) return Lines(JsonAnswer(request, std::move(body)));
  auto response = Lines(http::Response::Json(200, {}));
  response.stream =
      [batch, body = std::move(body), large = std::move(large),
       rest = std::vector(std::make_move_iterator(next), std::make_move_iterator(queries->end()))](
          const http::Sink& sink) mutable -> Status {
    sink(std::exchange(body, {}));
    if (large.stream) {
      if (auto status = WriteLine(std::exchange(large, {}), sink); !status) return status;
    }
    for (const auto& query : rest) {
      if (!sink({})) return Ok();  // the client has gone
      if (auto status = WriteLine(batch.Ask(query), sink); !status) return status;
    }
    return Ok();
  };
  return response;
}

}  // namespace

void AddBatchCall(http::Router& router, Clock& clock, http::Handler instant, http::Handler range) {
  const Batch batch{std::move(instant), std::move(range), clock};
  router.Add({.method = "POST",
              .pattern = "/api/vigia/v1/queries",
              .handler = [batch](const auto& request) { return Answer(batch, request); },
              .max_body = kMostBytes,
              .large_stack = true,
              .cancellable = true});
}

}  // namespace vigia::api
