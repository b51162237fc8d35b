// KPI values as Influx line protocol over HTTP, as InfluxDB, VictoriaMetrics and Telegraf take it.

#include <cmath>

#include "collectors/kpi/sink.h"
#include "core/number.h"

namespace vigia::collectors::kpi {
namespace {

// Appends `text` with the characters of `special` escaped; a line cannot hold a newline.
void AppendEscaped(std::string_view text, std::string_view special, std::string& out) {
  for (const char c : text) {
    if (c == '\n' || c == '\r') {
      out += "\\ ";
      continue;
    }
    if (special.find(c) != special.npos) out += '\\';
    out += c;
  }
  // At the end of a tag a backslash would escape what follows.
  if (text.ends_with('\\')) out += "\\ ";
}

class InfluxWriter final : public Writer {
 public:
  explicit InfluxWriter(InfluxSinkOptions options)
      : options_(std::move(options)), client_(options_.http) {}

  Result<Outcome> Write(const std::vector<Record>& records, Deadline deadline) override {
    HttpRequest request{.method = "POST", .url = options_.url, .headers = options_.headers};
    request.headers.emplace_back("Content-Type", "text/plain; charset=utf-8");
    for (const auto& record : records) request.body += InfluxLine(record);
    if (request.body.empty()) return Outcome::kWritten;
    const auto answer = client_.Send(request, deadline);
    if (!answer) return Fail(answer.error());
    if (answer->status >= 200 && answer->status < 300) return Outcome::kWritten;
    const std::string what = "the endpoint answered with status " + std::to_string(answer->status);
    // What the server cannot make sense of it never will; anything else may pass.
    const int status = answer->status;
    if (status == 400 || status == 413 || status == 422) return Outcome::kRejected;
    return Fail(ErrorCode::kUnavailable, what);
  }

 private:
  const InfluxSinkOptions options_;
  HttpClient client_;
};

}  // namespace

std::string InfluxLine(const Record& record) {
  if (!std::isfinite(record.value)) return {};
  std::string line;
  AppendEscaped(record.metric, ", ", line);
  for (const auto& [name, value] : record.labels) {
    line += ',';
    AppendEscaped(name, ",= ", line);
    line += '=';
    AppendEscaped(value, ",= ", line);
  }
  line += " value=" + FormatDouble(record.value) + " ";
  line += std::to_string(record.time) + "000000\n";  // nanoseconds
  return line;
}

std::unique_ptr<Writer> MakeInfluxWriter(InfluxSinkOptions options) {
  return std::make_unique<InfluxWriter>(std::move(options));
}

}  // namespace vigia::collectors::kpi
