// status/buildinfo, runtimeinfo, flags, config, tsdb.

#include <unistd.h>

#include <algorithm>
#include <climits>
#include <limits>
#include <map>
#include <thread>
#include <tuple>
#include <unordered_map>

#include "core/file.h"
#include "core/redact.h"
#include "core/text/json.h"
#include "exporter/api/answer.h"
#include "exporter/api/calls.h"
#include "exporter/api/parameters.h"
#include "exporter/version.h"
#include "query/promql/format.h"

namespace vigia::api {
namespace {

using text::JsonWriter;

// Clients such as Grafana read from the version which calls and which PromQL they may use, so it
// is that of the Prometheus whose interface this is; the revision names vigia.
std::string_view CompatibleVersion(const ApiContext& context) {
  return context.engine.options().semantics == promql::Semantics::kPrometheus2 ? "2.42.0" : "3.5.0";
}

http::Response BuildInfo(const ApiContext& context, const http::Request& request) {
  std::string data;
  JsonWriter json(data);
  json.BeginObject();
  json.Field("version", CompatibleVersion(context));
  json.Field("revision", "vigia " + std::string(exporter::kVersion) + " (" +
                             std::string(exporter::kRevision) + ")");
  json.Field("branch", "").Field("buildUser", "").Field("buildDate", "").Field("goVersion", "");
  json.EndObject();
  return Success(request, data);
}

http::Response RuntimeInfo(const ApiContext& context, const http::Request& request) {
  char folder[PATH_MAX] = "";
  if (!::getcwd(folder, sizeof folder)) folder[0] = '\0';
  const auto stats = context.history.stats();
  std::string data;
  JsonWriter json(data);
  json.BeginObject();
  json.Field("startTime", promql::FormatRfc3339(context.started));
  json.Field("CWD", folder);
  json.Key("reloadConfigSuccess").Bool(true);
  json.Field("lastConfigTime", promql::FormatRfc3339(context.started));
  json.Key("corruptionCount").Integer(static_cast<std::int64_t>(stats.files_corrupt));
  json.Key("goroutineCount").Integer(0);
  json.Key("GOMAXPROCS").Integer(std::thread::hardware_concurrency());
  json.Field("GOGC", "").Field("GODEBUG", "");
  json.Field("storageRetention", FormatDuration(context.retention));
  json.EndObject();
  return Success(request, data);
}

http::Response Flags(const ApiContext& context, const http::Request& request) {
  const auto& options = context.engine.options();
  std::string data;
  JsonWriter json(data);
  json.BeginObject();
  json.Field("config.file", context.config_file.string());
  json.Field("query.lookback-delta", FormatDuration(options.lookback));
  json.Field("query.max-concurrency", std::to_string(context.max_concurrency));
  json.Field("query.max-samples", std::to_string(options.max_samples));
  json.Field("query.timeout", FormatDuration(options.timeout));
  json.Field("storage.tsdb.retention.time", FormatDuration(context.retention));
  json.EndObject();
  return Success(request, data);
}

// The file as it stands; secrets never stand in it, and what looks like one is masked.
http::Response ConfigText(const ApiContext& context, const http::Request& request) {
  std::string text;
  if (!context.config_file.empty()) {
    const auto read = ReadFile(context.config_file);
    if (!read) return Failure(FromStorage(read.error()));
    text = Redact(*read);
  }
  std::string data;
  JsonWriter json(data);
  json.BeginObject().Field("yaml", text).EndObject();
  return Success(request, data);
}

// The largest of many counts, `most` of them. Names are borrowed.
class Largest {
 public:
  explicit Largest(std::size_t most) : most_(most) {}

  // Of a name, or of a pair: "name=value".
  void Add(std::string_view name, std::size_t count) { Add(Entry{count, name, {}, false}); }
  void AddPair(std::string_view name, std::string_view value, std::size_t count) {
    Add(Entry{count, name, value, true});
  }

  // The largest first, equal ones by name. Nothing can be added afterwards.
  void Write(JsonWriter& json, std::string_view key) {
    std::sort_heap(entries_.begin(), entries_.end(), Before);
    json.Key(key).BeginArray();
    for (const auto& entry : entries_) {
      std::string name(entry.name);
      if (entry.pair) name.append("=").append(entry.value);
      json.BeginObject().Field("name", name);
      json.Key("value").Integer(static_cast<std::int64_t>(entry.count));
      json.EndObject();
    }
    json.EndArray();
  }

 private:
  struct Entry {
    std::size_t count;
    std::string_view name;
    std::string_view value;
    bool pair;
  };

  static bool Before(const Entry& a, const Entry& b) {
    return std::tie(b.count, a.name, a.value) < std::tie(a.count, b.name, b.value);
  }

  void Add(const Entry& entry) {
    if (entries_.size() == most_) {
      if (most_ == 0 || !Before(entry, entries_.front())) return;
      std::pop_heap(entries_.begin(), entries_.end(), Before);
      entries_.pop_back();
    }
    entries_.push_back(entry);
    std::push_heap(entries_.begin(), entries_.end(), Before);
  }

  const std::size_t most_;
  std::vector<Entry> entries_;  // a heap whose first is the smallest
};

// How many series have each value of each label.
using Cardinality =
    std::map<std::string_view, std::unordered_map<std::string_view, std::size_t>, std::less<>>;

Cardinality Count(const std::vector<std::shared_ptr<const StoredSeries>>& series) {
  Cardinality labels;
  for (const auto& one : series) {
    for (const auto [name, value] : one->labels()) ++labels[name][value];
  }
  return labels;
}

void WriteCardinality(JsonWriter& json, const Cardinality& labels, std::size_t most) {
  Largest metrics(most);
  Largest values(most);
  Largest bytes(most);
  Largest pairs(most);
  for (const auto& [name, counts] : labels) {
    std::size_t length = 0;
    for (const auto& [value, count] : counts) {
      length += value.size();
      pairs.AddPair(name, value, count);
      if (name == kMetricName) metrics.Add(value, count);
    }
    values.Add(name, counts.size());
    bytes.Add(name, length);
  }
  metrics.Write(json, "seriesCountByMetricName");
  values.Write(json, "labelValueCountByLabelName");
  bytes.Write(json, "memoryInBytesByLabelName");
  pairs.Write(json, "seriesCountByLabelValuePair");
}

// vigia has no chunks of a head to count.
http::Response Tsdb(const ApiContext& context, const http::Request& request) {
  const auto limit = LimitParameter(request, "limit");
  if (!limit) return Failure(limit.error());
  const std::size_t most = *limit == 0 ? 10 : *limit;
  constexpr TimeRange kAlways{std::numeric_limits<Timestamp>::min() / 2,
                              std::numeric_limits<Timestamp>::max() / 2};
  const auto series = context.history.Select({}, kAlways);
  if (!series) return Failure(FromStorage(series.error()));
  const auto labels = Count(*series);
  std::size_t pairs = 0;
  for (const auto& [name, counts] : labels) pairs += counts.size();
  const auto stats = context.history.stats();
  std::string data;
  JsonWriter json(data);
  json.BeginObject().Key("headStats").BeginObject();
  json.Key("numSeries").Integer(static_cast<std::int64_t>(stats.series));
  json.Key("numLabelPairs").Integer(static_cast<std::int64_t>(pairs));
  json.Key("chunkCount").Integer(0);
  json.Key("minTime").Integer(stats.oldest_time);
  json.Key("maxTime").Integer(stats.newest_time);
  json.EndObject();
  WriteCardinality(json, labels, most);
  json.EndObject();
  return Success(request, data);
}

}  // namespace

void AddStatusCalls(http::Router& router, const ApiContext& context) {
  const auto add = [&](const char* name, auto* call) {
    router.Get(std::string("/api/v1/status/") + name,
               [context, call](const auto& request) { return call(context, request); });
  };
  add("buildinfo", &BuildInfo);
  add("runtimeinfo", &RuntimeInfo);
  add("flags", &Flags);
  add("config", &ConfigText);
  add("tsdb", &Tsdb);
}

}  // namespace vigia::api
