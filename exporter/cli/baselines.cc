#include "exporter/cli/baselines.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <vector>

#include "alerting/templates/escape.h"
#include "core/http_client.h"
#include "exporter/cli/exit.h"

namespace vigia::exporter::cli {
namespace {

using nlohmann::json;

Result<json> Call(const std::string& method, const std::string& url) {
  HttpClient client;
  const auto answer = client.Send({.method = method, .url = url},
                                  Deadline::After(SystemClock(), std::chrono::seconds(30)));
  if (!answer) return Fail(answer.error().In(url));
  auto body = json::parse(answer->body, nullptr, false);
  if (answer->status != 200) {
    const bool told = body.is_object() && body.contains("error");
    return Fail(ErrorCode::kInvalid, told ? body["error"].get<std::string>() : answer->body);
  }
  if (!body.is_object()) return Fail(ErrorCode::kCorrupt, url + ": the answer is not JSON");
  return body;
}

int Fatal(const Error& error) {
  std::fprintf(stderr, "vigia: %s\n", error.message().c_str());
  return kExitError;
}

std::string Number(const json& series, const char* key) {
  const auto at = series.find(key);
  if (at == series.end() || !at->is_number()) return "-";
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", at->get<double>());
  return text;
}

std::string Labels(const json& series) {
  std::string out;
  for (const auto& [name, value] : series["labels"].items()) {
    out += (out.empty() ? "{" : ",") + name + "=" + value.dump();
  }
  return out.empty() ? "{}" : out + "}";
}

// Where the value stands in and around its band: "   [  |  ]  *", a character for a tenth of it.
std::string Place(const json& series) {
  constexpr int kWidth = 31;
  constexpr int kBegin = 10;  // of the band
  constexpr int kEnd = 20;
  if (!series.contains("lower")) return std::string(kWidth, ' ');
  const double lower = series["lower"].get<double>();
  const double upper = series["upper"].get<double>();
  const double value = series["value"].get<double>();
  const double expected = series["expected"].get<double>();
  std::string out(kWidth, ' ');
  const auto at = [&](double number) {
    const double width = std::max(upper - lower, 1e-300);
    const double place = kBegin + (number - lower) / width * (kEnd - kBegin);
    return static_cast<std::size_t>(std::clamp(place, 0.0, kWidth - 1.0));
  };
  out[kBegin] = '[';
  out[kEnd] = ']';
  out[at(expected)] = '|';
  out[at(value)] = '*';
  return out;
}

void Print(const json& baseline) {
  std::printf("%s: %zu series, %d learning\n", baseline["name"].get<std::string>().c_str(),
              baseline["series"].size(), baseline.value("learning", 0));
  std::vector<json> series = baseline["series"];
  std::sort(series.begin(), series.end(), [](const json& a, const json& b) {
    return a.value("score", 0.0) > b.value("score", 0.0);
  });
  std::printf("  %-12s %-10s %-10s %-7s %-8s %-31s SERIES\n", "STATE", "VALUE", "EXPECTED", "SCORE",
              "CHANGE", "          BAND");
  for (const auto& one : series) {
    std::printf("  %-12s %-10s %-10s %-7s %-8s %-31s %s\n", one["state"].get<std::string>().c_str(),
                Number(one, "value").c_str(), Number(one, "expected").c_str(),
                Number(one, "score").c_str(), Number(one, "change").c_str(), Place(one).c_str(),
                Labels(one).c_str());
  }
  if (const auto error = baseline.value("last_error", std::string()); !error.empty()) {
    std::printf("  last error: %s\n", error.c_str());
  }
}

}  // namespace

int ShowBaseline(const std::string& url, const std::string& name) {
  const auto body = Call("GET", url + "/api/vigia/v1/baselines");
  if (!body) return Fatal(body.error());
  bool found = name.empty();
  for (const auto& baseline : (*body)["baselines"]) {
    if (!name.empty() && baseline["name"] != name) continue;
    found = true;
    Print(baseline);
  }
  if (!found) std::fprintf(stderr, "vigia: there is no baseline '%s'\n", name.c_str());
  return found ? kExitFine : kExitError;
}

int DecideBaseline(const std::string& url, const std::string& decision, const std::string& name,
                   const std::string& matchers) {
  const auto address = AddUrlParameters(
      url + "/api/vigia/v1/baselines/" + alerting::templates::EscapePath(name) + "/" + decision,
      {{"match", matchers}});
  if (!address) return Fatal(address.error());
  const auto body = Call("POST", *address);
  if (!body) return Fatal(body.error());
  std::printf("%d series\n", body->value("series", 0));
  return kExitFine;
}

}  // namespace vigia::exporter::cli
