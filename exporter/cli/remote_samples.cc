#include "exporter/cli/remote_samples.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/clock.h"
#include "core/number.h"

namespace vigia::exporter::cli {
namespace {

// Of one request: keeps answers at a size that servers give.
constexpr std::int64_t kChunk = std::int64_t{6} * 3600 * 1000;

Labels ReadLabels(const nlohmann::json& metric) {
  std::vector<LabelView> pairs;
  for (const auto& [name, value] : metric.items()) {
    if (value.is_string()) pairs.push_back({name, value.get_ref<const std::string&>()});
  }
  return Labels::FromPairs(pairs);
}

void AddSeries(const nlohmann::json& series, promql::MemorySource& out) {
  const Labels labels = ReadLabels(series.value("metric", nlohmann::json::object()));
  for (const auto& pair : series.value("values", nlohmann::json::array())) {
    if (!pair.is_array() || pair.size() != 2 || !pair[0].is_number() || !pair[1].is_string()) {
      continue;
    }
    const auto value = ParseDouble(pair[1].get_ref<const std::string&>());
    if (value) out.Add(labels, std::llround(pair[0].get<double>() * 1000), *value);
  }
}

}  // namespace

Status FetchSamples(HttpClient& client, const std::string& url, const std::string& selector,
                    TimeRange range, promql::MemorySource& out) {
  for (Timestamp from = range.from; from < range.to; from += kChunk) {
    const Timestamp to = std::min(from + kChunk, range.to);
    const std::string query = selector + "[" + std::to_string(to - from) + "ms]";
    auto address = AddUrlParameters(
        url + "/api/v1/query",
        {{"query", query}, {"time", FormatDouble(static_cast<double>(to) / 1000)}});
    if (!address) return Fail(address.error());
    auto response = client.Get(*address, Deadline::After(SystemClock(), std::chrono::minutes(2)));
    if (!response) return Fail(response.error().In(url));
    const auto json = nlohmann::json::parse(response->body, nullptr, false);
    if (response->status != 200 || !json.is_object() || json.value("status", "") != "success") {
      const std::string why = json.is_object() ? json.value("error", "") : "";
      return Fail(ErrorCode::kUnavailable, url + ": answers " + std::to_string(response->status) +
                                               " to " + query + (why.empty() ? "" : ": " + why));
    }
    const auto data = json.value("data", nlohmann::json::object());
    for (const auto& series : data.value("result", nlohmann::json::array())) {
      AddSeries(series, out);
    }
  }
  return Ok();
}

}  // namespace vigia::exporter::cli
