// KPI values as entries of a Redis Stream: fields metric, value, time (Unix milliseconds) and
// labels (a JSON object). The stream never grows beyond its length.

#include "collectors/kpi/sink.h"
#include "core/number.h"
#include "core/text/json.h"

namespace vigia::collectors::kpi {
namespace {

std::string LabelsJson(const Record& record) {
  std::string text;
  text::JsonWriter json(text);
  json.BeginObject();
  for (const auto& [name, value] : record.labels) json.Field(name, value);
  json.EndObject();
  return text;
}

class RedisWriter final : public Writer {
 public:
  explicit RedisWriter(RedisSinkOptions options) : options_(std::move(options)) {}

  Result<Outcome> Write(const std::vector<Record>& records, Deadline deadline) override {
    const bool kept = connection_ != nullptr;
    auto outcome = WriteOnce(records, deadline);
    // A connection that the server closed while it was idle says nothing about the server.
    if (!outcome && kept && !connection_) outcome = WriteOnce(records, deadline);
    return outcome;
  }

 private:
  Result<Outcome> WriteOnce(const std::vector<Record>& records, Deadline deadline) {
    if (!connection_) {
      auto opened = redis::Connection::Open(options_.address, deadline);
      if (!opened) return Fail(opened.error());
      connection_ = *std::move(opened);
    }
    // All or nothing: what is sent again after an error was not written before, unless the
    // connection broke off after the EXEC.
    std::vector<redis::Command> commands{{"MULTI"}};
    const auto length = std::to_string(options_.max_length);
    for (const auto& record : records) {
      commands.push_back({"XADD", options_.stream, "MAXLEN", length, "*", "metric", record.metric,
                          "value", FormatDouble(record.value), "time", std::to_string(record.time),
                          "labels", LabelsJson(record)});
    }
    commands.push_back({"EXEC"});
    const auto replies = connection_->Run(commands, deadline);
    if (!replies) {
      connection_.reset();
      return Fail(replies.error());
    }
    for (const auto& reply : *replies) {
      if (reply.IsError()) return Fail(ErrorCode::kUnavailable, reply.text);
    }
    for (const auto& reply : replies->back().items) {
      if (reply.IsError()) return Fail(ErrorCode::kUnavailable, reply.text);
    }
    return Outcome::kWritten;
  }

  const RedisSinkOptions options_;
  std::unique_ptr<redis::Connection> connection_;
};

}  // namespace

std::unique_ptr<Writer> MakeRedisWriter(RedisSinkOptions options) {
  return std::make_unique<RedisWriter>(std::move(options));
}

}  // namespace vigia::collectors::kpi
