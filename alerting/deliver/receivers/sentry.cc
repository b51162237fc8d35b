// sentry_configs: an event of Sentry, or of what speaks its protocol, per group; the group is the
// fingerprint, so that repeats are one issue.

#include <cctype>

#include "alerting/deliver/http_receiver.h"
#include "alerting/deliver/signature.h"
#include "alerting/templates/go_time.h"
#include "core/number.h"
#include "core/text/json.h"

namespace vigia::alerting::deliver {
namespace {

// "https://KEY@host/prefix/PROJECT" in its parts.
struct Dsn {
  std::string key;
  std::string envelope_url;
};

Result<Dsn> ParseDsn(const std::string& dsn) {
  const auto scheme = dsn.find("://");
  const auto at = dsn.find('@');
  const auto project = dsn.rfind('/');
  if (scheme == dsn.npos || at == dsn.npos || project == dsn.npos || at < scheme + 4 ||
      project < at + 2 || project + 1 == dsn.size()) {
    return Fail(ErrorCode::kInvalid, "a DSN looks like https://KEY@sentry.example.com/1");
  }
  const auto user = dsn.substr(scheme + 3, at - scheme - 3);
  return Dsn{user.substr(0, user.find(':')), dsn.substr(0, scheme + 3) +
                                                 dsn.substr(at + 1, project - at - 1) + "/api/" +
                                                 dsn.substr(project + 1) + "/envelope/"};
}

struct Options {
  Secret dsn;
  std::string message = R"({{ template "sentry.default.message" . }})";
  std::string environment;
  std::string release;
  std::map<std::string, std::string> tags;
};

constexpr Limit kMessage{8000};
constexpr Limit kTag{200};
constexpr std::size_t kMostTags = 50;

std::string_view LevelOf(const Message& message, const Notification& notification) {
  if (!message.firing()) return "info";
  const auto severity = WorstSeverity(notification);
  return severity == "critical" ? "fatal" : severity;
}

// "60:error;default:organization, 2700::key": the longest wait that concerns errors.
std::optional<Milliseconds> RateLimit(std::string_view header) {
  std::optional<Milliseconds> longest;
  while (!header.empty()) {
    const auto end = std::min(header.find(','), header.size());
    auto limit = header.substr(0, end);
    header.remove_prefix(std::min(end + 1, header.size()));
    while (limit.starts_with(' ')) limit.remove_prefix(1);
    const auto colon = limit.find(':');
    const auto seconds = ParseDouble(limit.substr(0, colon));
    if (!seconds || colon == limit.npos || !(*seconds > 0)) continue;
    auto categories = limit.substr(colon + 1);
    categories = categories.substr(0, categories.find(':'));
    const bool ours = categories.empty() ||
                      (";" + std::string(categories) + ";").find(";error;") != std::string::npos;
    if (!ours) continue;
    const Milliseconds wait(static_cast<std::int64_t>(std::min(*seconds, 86'400.0) * 1000));
    longest = std::max(longest.value_or(Milliseconds(0)), wait);
  }
  return longest;
}

class Sentry final : public HttpReceiver {
 public:
  Sentry(const ReceiverOptions& common, Options options)
      : HttpReceiver(common), options_(std::move(options)) {}

  Pace pace() const override { return {.per_second = 5, .burst = 20}; }

 protected:
  Result<HttpRequest> Build(const Notification& notification) const override {
    const auto text = options_.dsn.Reveal();
    if (!text) return Fail(text.error());
    const auto dsn = ParseDsn(*text);
    if (!dsn) return Fail(dsn.error());
    const Message message(notification, templates());
    // 32 digits that every attempt shares, so that an event that arrived is not counted twice.
    const auto id =
        Hex(HmacSha256("vigia", notification.delivery_id + notification.group_key)).substr(0, 32);
    std::string body;
    text::JsonWriter(body).BeginObject().Field("event_id", id).EndObject();
    body += "\n{\"type\":\"event\"}\n";
    AppendEvent(body, id, message, notification);
    body += '\n';
    auto request = Post(dsn->envelope_url, std::move(body));
    request.headers[0].second = "application/x-sentry-envelope";
    request.headers.emplace_back(
        "X-Sentry-Auth", "Sentry sentry_version=7, sentry_client=vigia, sentry_key=" + dsn->key);
    return request;
  }

  Outcome Read(const Result<HttpResponse>& response, const Notification&) const override {
    auto outcome = ReadAnswer(response, Now());
    if (outcome.kind != Outcome::Kind::kRetry || !response) return outcome;
    if (const auto wait = RateLimit(response->Header("x-sentry-rate-limits"))) {
      outcome.retry_after = wait;
    }
    return outcome;
  }

 private:
  void AppendEvent(std::string& out, const std::string& id, const Message& message,
                   const Notification& notification) const {
    text::JsonWriter json(out);
    json.BeginObject().Field("event_id", id).Field("platform", "other").Field("logger", "vigia");
    json.Field("timestamp",
               templates::FormatTime(templates::Time::FromMilliseconds(notification.now),
                                     "2006-01-02T15:04:05.000Z07:00"));
    json.Field("level", LevelOf(message, notification));
    json.Key("message").BeginObject();
    json.Field("formatted", message.Text(options_.message, kMessage)).EndObject();
    json.Key("fingerprint").BeginArray().String("vigia").String(notification.group_key).EndArray();
    if (!options_.environment.empty()) {
      json.Field("environment", message.Text(options_.environment, {64}));
    }
    if (!options_.release.empty()) json.Field("release", message.Text(options_.release, kTag));
    AppendTags(json, message, notification);
    json.Key("extra").BeginObject();
    json.Field("alerts", message.Fitted(R"({{ template "__text_groups" . }})", kMessage));
    json.Field("link", message.Link()).EndObject().EndObject();
  }

  void AppendTags(text::JsonWriter& json, const Message& message,
                  const Notification& notification) const {
    json.Key("tags").BeginObject().Field("status", message.status());
    std::size_t count = 1;
    for (const auto& [name, text] : options_.tags) json.Field(name, message.Text(text, kTag));
    for (const auto [name, value] : notification.common_labels) {
      const bool taken = options_.tags.contains(std::string(name)) || name == "status";
      if (!taken && ++count <= kMostTags) json.Field(name, Cut(value, kTag));
    }
    json.EndObject();
  }

  const Options options_;
};

}  // namespace

std::unique_ptr<Receiver> MakeSentry(const ReceiverInput& input) {
  ReceiverOptions common(input, true);
  Options options;
  if (!common.ReadSecret("dsn", options.dsn)) {
    input.options.Require("dsn", "or dsn_file");
  } else if (const auto text = options.dsn.Reveal(); text) {
    if (const auto dsn = ParseDsn(*text); !dsn) input.options.Fault("dsn", dsn.error().message());
  }
  common.ReadTemplate("message", options.message);
  common.ReadTemplate("environment", options.environment);
  common.ReadTemplate("release", options.release);
  common.ReadTemplates("tags", options.tags);
  input.options.Finish();
  return std::make_unique<Sentry>(common, std::move(options));
}

}  // namespace vigia::alerting::deliver
