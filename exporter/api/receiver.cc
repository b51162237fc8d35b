#include "exporter/api/receiver.h"

#include <map>

#include "core/text/json.h"
#include "core/text/parser.h"
#include "core/text/words.h"
#include "exporter/api/answer.h"
#include "exporter/own_metrics.h"

namespace vigia::api {
namespace {

constexpr std::size_t kAtOnce = 4;
constexpr Milliseconds kWait{10'000};
// Entries of an import that are appended together.
constexpr std::size_t kImportBatch = 50'000;

http::Response Busy() {
  auto response = http::Response::Text(503, "too many writes at a time\n");
  response.headers.emplace_back("retry-after", "1");
  return response;
}

// Nothing if the request is remote write 1.0 as far as its headers tell.
std::optional<http::Response> CheckHeaders(const http::Request& request) {
  const auto encoding = request.Header("content-encoding");
  if (!encoding.empty() && !text::EqualsIgnoringCase(encoding, "snappy")) {
    return http::Response::Text(415, "Content-Encoding has to be snappy\n");
  }
  const auto type = request.Header("content-type");
  const bool other = !type.empty() && !type.starts_with("application/x-protobuf");
  if (other || type.find("io.prometheus.write.v2") != type.npos) {
    return http::Response::Text(415,
                                "only remote write 1.0 is taken: Content-Type "
                                "application/x-protobuf;proto=prometheus.WriteRequest\n");
  }
  return std::nullopt;
}

std::string Complaint(const WriteRequest& write, const SeriesSink::Outcome& outcome) {
  std::string text;
  const auto add = [&](std::size_t count, const std::string& what) {
    if (count == 0) return;
    if (!text.empty()) text += "; ";
    text += std::to_string(count) + " " + what;
  };
  add(write.refused_samples(), "samples refused: " + write.first_refusal());
  add(write.native_histograms(), "native histograms refused: they are not supported");
  add(outcome.out_of_order,
      "samples refused: too old, too far ahead, or another value at a stored time");
  add(outcome.refused, "samples refused: history.max_series or history.max_memory is reached");
  return text + "\n";
}

// One sample of a page as the history wants it.
struct Line {
  Labels labels;
  Sample sample;
};

Result<Line> ReadLine(const text::PageSample& sample, std::vector<LabelView>& labels) {
  const auto place = "line " + std::to_string(sample.line) + ": ";
  if (!sample.time) return Fail(ErrorCode::kInvalid, place + "a sample without a timestamp");
  labels.assign(sample.labels.begin(), sample.labels.end());
  labels.push_back({kMetricName, sample.name});
  std::sort(labels.begin(), labels.end());
  if (const auto problem = LabelsProblem(labels); !problem.empty()) {
    return Fail(ErrorCode::kInvalid, place + problem);
  }
  return Line{Labels::FromPairs(labels), {*sample.time, sample.value}};
}

// The samples of a page, of a series together and in their order.
class Page {
 public:
  Status Read(std::string_view text) {
    text::PageParser parser;
    parser.Begin(text, text::Format::kOpenMetrics);
    std::vector<LabelView> labels;
    while (true) {
      const auto more = parser.Next();
      if (!more) return Fail(ErrorCode::kInvalid, more.error().message());
      if (!*more) return Ok();
      auto line = ReadLine(parser.sample(), labels);
      if (!line) return Fail(line.error());
      series_[line->labels].push_back(line->sample);
    }
  }

  // Calls store(runs) for so many samples at a time.
  template <typename StoreRuns>
  Status ForEachBatch(const StoreRuns& store) const {
    std::vector<SeriesSink::Run> runs;
    std::size_t count = 0;
    for (const auto& [labels, samples] : series_) {
      runs.push_back({&labels, samples});
      count += samples.size();
      if (count < kImportBatch) continue;
      if (auto status = store(runs); !status) return status;
      runs.clear();
      count = 0;
    }
    return runs.empty() ? Ok() : store(runs);
  }

 private:
  std::map<Labels, std::vector<Sample>> series_;
};

}  // namespace

Receiver::Receiver(history::History& history, MetadataStore& metadata,
                   prometheus::Registry& registry)
    : history_(history),
      metadata_(metadata),
      gate_(kAtOnce),
      requests_(exporter::AddCounter(registry, exporter::kReceiverRequests)),
      stored_(exporter::AddCounter(registry, exporter::kReceiverStored)),
      duplicate_(exporter::AddCounter(registry, exporter::kReceiverDuplicate)),
      refused_(exporter::AddCounter(registry, exporter::kReceiverRefused)),
      malformed_(exporter::AddCounter(registry, exporter::kReceiverMalformed)) {}

Result<SeriesSink::Outcome> Receiver::Store(std::span<const SeriesSink::Run> runs) {
  const auto outcome = history_.AppendRuns(runs);
  if (!outcome) return Fail(outcome.error());
  // Before the answer: the client forgets what it was told is stored.
  if (auto status = history_.Sync(); !status) return Fail(status.error());
  stored_.Increment(static_cast<double>(outcome->stored));
  duplicate_.Increment(static_cast<double>(outcome->duplicate));
  refused_.Increment(static_cast<double>(outcome->out_of_order + outcome->refused));
  return *outcome;
}

http::Response Receiver::Write(const http::Request& request) {
  if (!enabled_) {
    return http::Response::Text(
        404, "remote write is not taken here: set remote_write_receiver: true in vigia.yml\n");
  }
  if (auto refusal = CheckHeaders(request)) return *std::move(refusal);
  const auto pass = gate_.Enter(kWait);
  if (!pass) return Busy();
  requests_.Increment();
  const auto write = WriteRequest::Decode(request.body, kMostUnpackedBytes);
  if (!write) {
    malformed_.Increment();
    return http::Response::Text(400, write.error().message() + "\n");
  }
  const auto outcome = Store(write->Runs());
  // The client sends it again; what is stored already does not count twice.
  if (!outcome) return http::Response::Text(500, outcome.error().message() + "\n");
  metadata_.Add(write->descriptions());
  refused_.Increment(static_cast<double>(write->refused_samples() + write->native_histograms()));
  if (outcome->out_of_order + outcome->refused + write->refused_samples() +
          write->native_histograms() >
      0) {
    return http::Response::Text(400, Complaint(*write, *outcome));
  }
  http::Response response;
  response.status = 204;
  return response;
}

http::Response Receiver::Import(const http::Request& request) {
  const auto pass = gate_.Enter(kWait);
  if (!pass) return Busy();
  requests_.Increment();
  Page page;
  if (const auto status = page.Read(request.body); !status) {
    malformed_.Increment();
    return Failure({400, "bad_data", status.error().message()});
  }
  SeriesSink::Outcome total;
  const auto status = page.ForEachBatch([&](std::span<const SeriesSink::Run> runs) -> Status {
    const auto outcome = Store(runs);
    if (!outcome) return Fail(outcome.error());
    total.stored += outcome->stored;
    total.duplicate += outcome->duplicate;
    total.out_of_order += outcome->out_of_order;
    total.refused += outcome->refused;
    return Ok();
  });
  if (!status) return Failure(FromStorage(status.error()));
  std::string data;
  text::JsonWriter json(data);
  json.BeginObject();
  json.Key("stored").Integer(static_cast<std::int64_t>(total.stored));
  json.Key("duplicate").Integer(static_cast<std::int64_t>(total.duplicate));
  json.Key("outOfOrder").Integer(static_cast<std::int64_t>(total.out_of_order));
  json.Key("overLimit").Integer(static_cast<std::int64_t>(total.refused));
  json.EndObject();
  return Success(request, data);
}

}  // namespace vigia::api
