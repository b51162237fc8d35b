// sentry_configs: an event of Sentry, or of what speaks its protocol, per group; the group is the
// fingerprint, so that repeats are one issue.

#include <algorithm>
#include <atomic>
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
constexpr Limit kTagName{32};
constexpr std::size_t kMostTags = 50;
constexpr auto kUnstatedLimit = Milliseconds(60s);  // of a 429 that says nothing

// One line: Sentry drops tags and releases with line breaks.
std::string OneLine(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c >= 0 && c < ' '; }, ' ');
  return text;
}

bool IsTagName(std::string_view name) {
  return !name.empty() && name.size() <= kTagName.size &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.' || c == ':' ||
                  c == '-';
         });
}

// What neither an environment nor a release may have becomes '-'.
std::string Identifier(std::string text) {
  std::replace_if(
      text.begin(), text.end(),
      [](char c) { return (c >= 0 && c <= ' ') || c == '/' || c == '\\'; }, '-');
  return text;
}

std::string TimeText(Timestamp time) {
  return templates::FormatTime(templates::Time::FromMilliseconds(time),
                               "2006-01-02T15:04:05.000Z07:00");
}

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

  // What comes during a limit is dropped by Sentry, and counted against the sender.
  Outcome Deliver(const Notification& notification, Deadline deadline) override {
    const auto left = limited_until_.load() - Now();
    if (left > 0) {
      return {.kind = Outcome::Kind::kRetry,
              .message = "Sentry has asked to wait",
              .retry_after = Milliseconds(left)};
    }
    return HttpReceiver::Deliver(notification, deadline);
  }

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
    text::JsonWriter header(body);
    header.BeginObject().Field("event_id", id).Field("sent_at", TimeText(Now())).EndObject();
    std::string event;
    AppendEvent(event, id, message, notification);
    body +=
        "\n{\"type\":\"event\",\"length\":" + std::to_string(event.size()) + "}\n" + event + '\n';
    auto request = Post(dsn->envelope_url, std::move(body));
    request.headers[0].second = "application/x-sentry-envelope";
    request.headers.emplace_back(
        "X-Sentry-Auth", "Sentry sentry_version=7, sentry_client=vigia, sentry_key=" + dsn->key);
    return request;
  }

  Outcome Read(const Result<HttpResponse>& response, const Notification&) const override {
    auto outcome = ReadAnswer(response, Now());
    if (!response) return outcome;
    // Also beside a 200: this event was the last one.
    auto wait = RateLimit(response->Header("x-sentry-rate-limits"));
    const bool refused = response->status == 429;
    if (!wait && refused && response->Header("x-sentry-rate-limits").empty()) {
      wait = outcome.retry_after.value_or(kUnstatedLimit);
    }
    if (wait) limited_until_ = std::max(limited_until_.load(), Now() + wait->count());
    if (wait && outcome.kind == Outcome::Kind::kRetry) outcome.retry_after = wait;
    return outcome;
  }

 private:
  void AppendEvent(std::string& out, const std::string& id, const Message& message,
                   const Notification& notification) const {
    text::JsonWriter json(out);
    json.BeginObject().Field("event_id", id).Field("platform", "other").Field("logger", "vigia");
    json.Field("timestamp", TimeText(notification.now));
    json.Field("level", LevelOf(message, notification));
    json.Key("message").BeginObject();
    json.Field("formatted", message.Text(options_.message, kMessage)).EndObject();
    json.Key("fingerprint").BeginArray().String("vigia").String(notification.group_key).EndArray();
    for (const auto& [key, text, limit] :
         {std::tuple("environment", &options_.environment, Limit{64}),
          std::tuple("release", &options_.release, kTag)}) {
      const auto value = Identifier(message.Text(*text, limit));
      if (!value.empty()) json.Field(key, value);
    }
    AppendTags(json, message, notification);
    json.Key("extra").BeginObject();
    json.Field("alerts", message.Fitted(R"({{ template "__text_groups" . }})", kMessage));
    json.Field("link", message.Link()).EndObject().EndObject();
  }

  void AppendTags(text::JsonWriter& json, const Message& message,
                  const Notification& notification) const {
    json.Key("tags").BeginObject().Field("status", message.status());
    std::size_t count = 1;
    const auto append = [&](std::string_view name, std::string value) {
      if (++count <= kMostTags) json.Field(name, OneLine(std::move(value)));
    };
    for (const auto& [name, text] : options_.tags) append(name, message.Text(text, kTag));
    for (const auto [name, value] : notification.common_labels) {
      const bool taken = options_.tags.contains(std::string(name)) || name == "status";
      if (!taken && IsTagName(name)) append(name, Cut(value, kTag));
    }
    json.EndObject();
  }

  const Options options_;
  // Wall time; read and written by attempts that are under way at once.
  mutable std::atomic<Timestamp> limited_until_{0};
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
  for (const auto& [name, text] : options.tags) {
    if (!IsTagName(name) || name == "status") {
      input.options.Fault("tags", "'" + name + "' is no name that Sentry would take");
    }
  }
  input.options.Finish();
  return std::make_unique<Sentry>(common, std::move(options));
}

}  // namespace vigia::alerting::deliver
