// ntfy_configs: a push message by ntfy (https://docs.ntfy.sh/publish/).

#include "alerting/deliver/http_receiver.h"
#include "core/text/json.h"

namespace vigia::alerting::deliver {
namespace {

struct Options {
  std::string url = "https://ntfy.sh";
  std::string topic;
  Secret token;
  std::string title = R"({{ template "ntfy.default.title" . }})";
  std::string message = R"({{ template "ntfy.default.message" . }})";
  std::string priority;  // 1 to 5; empty: by severity
  std::vector<std::string> tags;
  std::string click;  // empty: vigia's page
  std::string icon;
  std::vector<Texts> actions;
  bool markdown = false;
};

constexpr Limit kTitle{1000, Unit::kBytes};
constexpr Limit kMessage{4000, Unit::kBytes};
constexpr Limit kTag{90, Unit::kBytes};  // five make 512 bytes, with commas

int PriorityOf(const Message& message, const Notification& notification) {
  if (!message.firing()) return 3;
  const auto severity = WorstSeverity(notification);
  if (severity == "critical") return 5;
  return severity == "error" ? 4 : severity == "warning" ? 3 : 2;
}

class Ntfy final : public HttpReceiver {
 public:
  Ntfy(const ReceiverOptions& common, Options options)
      : HttpReceiver(common), options_(std::move(options)) {}

  Pace pace() const override { return {.per_second = 0.2, .burst = 60}; }

 protected:
  Result<HttpRequest> Build(const Notification& notification) const override {
    const Message message(notification, templates());
    std::string out;
    text::JsonWriter json(out);
    json.BeginObject().Field("topic", message.Text(options_.topic));
    json.Field("title", message.Text(options_.title, kTitle));
    json.Field("message", message.Fitted(options_.message, kMessage));
    json.Key("priority").Integer(Priority(message, notification));
    json.Key("tags").BeginArray();
    for (const auto& tag : options_.tags) json.String(message.Text(tag, kTag));
    if (options_.tags.empty()) {
      json.String(message.firing() ? "rotating_light" : "white_check_mark");
    }
    json.EndArray();
    json.Field("click", options_.click.empty() ? message.Link() : message.Text(options_.click));
    if (const auto icon = message.Text(options_.icon); !icon.empty()) json.Field("icon", icon);
    if (options_.markdown) json.Key("markdown").Bool(true);
    AppendTextMaps(json, "actions", options_.actions, message);
    json.EndObject();
    auto request = Post(options_.url, out);
    if (options_.token.empty()) return request;
    const auto token = options_.token.Reveal();
    if (!token) return Fail(token.error());
    request.headers.emplace_back("Authorization", "Bearer " + *token);
    return request;
  }

 private:
  int Priority(const Message& message, const Notification& notification) const {
    const auto given = message.Text(options_.priority);
    if (given.size() == 1 && given[0] >= '1' && given[0] <= '5') return given[0] - '0';
    return PriorityOf(message, notification);
  }

  const Options options_;
};

}  // namespace

std::unique_ptr<Receiver> MakeNtfy(const ReceiverInput& input) {
  ReceiverOptions common(input, true);
  Options options;
  input.options.Read("url", options.url);
  if (!input.options.Has("topic")) input.options.Require("topic", "where people listen");
  common.ReadTemplate("topic", options.topic);
  common.ReadSecret("token", options.token);
  common.ReadTemplate("title", options.title);
  common.ReadTemplate("message", options.message);
  common.ReadTemplate("priority", options.priority);
  common.ReadTemplates("tags", options.tags);
  if (options.tags.size() > 5) input.options.Fault("tags", "has to have five at most");
  common.ReadTemplate("click", options.click);
  common.ReadTemplate("icon", options.icon);
  input.options.Read("markdown", options.markdown);
  constexpr std::size_t kActions = 3;  // ntfy takes no more
  common.ReadTextMaps("actions", {"action", "label", "url", "method", "body"}, kActions,
                      options.actions);
  input.options.Finish();
  return std::make_unique<Ntfy>(common, std::move(options));
}

}  // namespace vigia::alerting::deliver
