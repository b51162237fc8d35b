// `vigia baseline export|import`.

#include <cstdio>
#include <iostream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "alerting/baseline/state_file.h"
#include "alerting/route/matcher.h"
#include "core/clock.h"
#include "core/file.h"
#include "core/http_client.h"
#include "exporter/cli/baselines.h"
#include "exporter/cli/exit.h"

namespace vigia::exporter::cli {
namespace {

namespace baseline = alerting::baseline;
using nlohmann::json;

constexpr std::size_t kMaxFile = std::size_t{2} << 30;
// A series takes about 11 kB: under what vigia takes at once.
constexpr std::size_t kSeriesAtOnce = 500;
constexpr auto kTimeout = std::chrono::seconds(120);

int Fatal(const std::string& what) {
  std::fprintf(stderr, "vigia: %s\n", what.c_str());
  return kExitError;
}

Result<std::string> Call(HttpRequest request) {
  HttpClient client({.max_body_bytes = kMaxFile});
  const auto url = request.url;
  request.headers = {{"Content-Type", "application/jsonl"}};
  auto answer = client.Send(request, Deadline::After(SystemClock(), kTimeout));
  if (!answer) return Fail(answer.error().In(url));
  if (answer->status == 200) return std::move(answer->body);
  const auto body = json::parse(answer->body, nullptr, false);
  const bool told = body.is_object() && body.contains("error");
  return Fail(ErrorCode::kInvalid, told ? body["error"].get<std::string>()
                                        : url + ": answers " + std::to_string(answer->status));
}

Result<std::string> ReadInput(const std::string& file) {
  if (file != "-") return ReadFile(file, kMaxFile);
  return std::string(std::istreambuf_iterator<char>(std::cin), {});
}

// The series of the file that are asked for.
Result<std::vector<baseline::Learnt>> ReadChosen(const BaselineFile& options) {
  alerting::route::Matchers matchers;
  if (!options.matchers.empty()) {
    auto read = alerting::route::ParseMatchers(options.matchers);
    if (!read) return Fail(read.error().In("MATCHERS"));
    matchers = *std::move(read);
  }
  const auto text = ReadInput(options.file);
  if (!text) return Fail(text.error());
  auto learnt = baseline::ReadStateFile(*text);
  if (!learnt) return Fail(learnt.error().code(), options.file + " " + learnt.error().message());
  std::erase_if(*learnt, [&](const auto& one) {
    return (!options.name.empty() && one.baseline != options.name) ||
           !alerting::route::MatchesAll(matchers, one.labels);
  });
  return learnt;
}

// What became of the series, summed over the pieces that were sent.
struct Outcome {
  std::map<std::string, std::int64_t> counts;
  std::map<std::string, std::set<std::string>> names;

  void Add(const json& answer) {
    for (const auto& [key, value] : answer.items()) {
      if (value.is_number_integer()) counts[key] += value.get<std::int64_t>();
      if (!value.is_array()) continue;
      for (const auto& name : value) names[key].insert(name.get<std::string>());
    }
  }
};

Result<Outcome> Send(const std::vector<baseline::Learnt>& learnt, const BaselineFile& options,
                     bool check) {
  const auto url = AddUrlParameters(
      options.url + "/api/vigia/v1/baselines/import",
      {{"force", options.force ? "true" : "false"}, {"check", check ? "true" : "false"}});
  if (!url) return Fail(url.error());
  Outcome outcome;
  for (std::size_t from = 0; from < learnt.size(); from += kSeriesAtOnce) {
    baseline::StateFileWriter writer;
    std::string body;
    writer.Begin(SystemClock().Wall() / 1000, body);
    for (auto i = from; i < std::min(learnt.size(), from + kSeriesAtOnce); ++i) {
      writer.Add(learnt[i], body);
    }
    writer.End(body);
    const auto answer = Call({.method = "POST", .url = *url, .headers = {}, .body = body});
    if (!answer) return Fail(answer.error());
    outcome.Add(json::parse(*answer, nullptr, false));
  }
  return outcome;
}

int Print(Outcome outcome, bool check) {
  std::printf("%lld series %s\n", static_cast<long long>(outcome.counts["taken"]),
              check ? "would be taken over" : "taken over");
  bool left = false;
  const auto count = [&](const char* key, const char* why) {
    if (outcome.counts[key] == 0) return;
    left = true;
    std::printf("%lld series left out: %s\n", static_cast<long long>(outcome.counts[key]), why);
  };
  count("newer", "newer values have been learnt here; --force replaces them");
  count("over_budget", "the baseline has its max_series");
  count("misdated", "their last value is more than five weeks old, or of the future");
  for (const auto& name : outcome.names["unknown"]) {
    left = true;
    std::printf("baseline '%s' left out: it is not configured here\n", name.c_str());
  }
  for (const auto& name : outcome.names["differing"]) {
    left = true;
    std::printf("baseline '%s' left out: its expression is another one here; --force takes it\n",
                name.c_str());
  }
  return left ? kExitFindings : kExitFine;
}

}  // namespace

int ExportBaselines(const BaselineFile& options) {
  HttpFields parameters;
  if (!options.name.empty()) parameters.emplace_back("baseline", options.name);
  if (!options.matchers.empty()) parameters.emplace_back("match", options.matchers);
  const auto url = AddUrlParameters(options.url + "/api/vigia/v1/baselines/export", parameters);
  if (!url) return Fatal(url.error().message());
  const auto text = Call({.url = *url, .headers = {}, .body = {}});
  if (!text) return Fatal(text.error().message());
  // What cannot be read back is no export.
  const auto learnt = baseline::ReadStateFile(*text);
  if (!learnt) return Fatal("what " + *url + " sent " + learnt.error().message());
  if (options.file.empty() || options.file == "-") {
    std::fwrite(text->data(), 1, text->size(), stdout);
    return std::fflush(stdout) == 0 ? kExitFine : Fatal("the output cannot be written");
  }
  if (auto status = WriteFileAtomically(options.file, *text); !status) {
    return Fatal(status.error().message());
  }
  std::fprintf(stderr, "%zu series written to %s\n", learnt->size(), options.file.c_str());
  return kExitFine;
}

int ImportBaselines(const BaselineFile& options) {
  const auto learnt = ReadChosen(options);
  if (!learnt) return Fatal(learnt.error().message());
  auto outcome = Send(*learnt, options, options.check);
  if (!outcome) return Fatal(outcome.error().message());
  return Print(*std::move(outcome), options.check);
}

}  // namespace vigia::exporter::cli
