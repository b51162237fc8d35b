// pushover_configs: a push message by Pushover (https://pushover.net/api).

#include "alerting/deliver/http_receiver.h"
#include "core/number.h"
#include "core/text/json.h"

namespace vigia::alerting::deliver {
namespace {

struct Options {
  Secret user;
  Secret token;
  std::string url = "https://api.pushover.net/1/messages.json";
  std::string title = R"({{ template "pushover.default.title" . }})";
  std::string message = R"({{ template "pushover.default.message" . }})";
  std::string link = R"({{ template "pushover.default.url" . }})";
  std::string link_title;
  std::string device;
  std::string sound;
  std::string priority = R"({{ if eq .Status "firing" }}2{{ else }}0{{ end }})";
  Milliseconds retry = std::chrono::minutes(1);
  Milliseconds expire = std::chrono::hours(1);
  Milliseconds ttl{0};
  bool html = false;
  bool monospace = false;
};

// Emergencies are repeated every 30 s at most, for three hours at most.
constexpr auto kLeastRetry = Milliseconds(30s);
constexpr auto kMostExpire = Milliseconds(std::chrono::hours(3));
constexpr int kNormal = 0;

// -2 to 2; what a template makes of it may be anything.
int Priority(std::string_view text) {
  const auto value = ParseInt(text);
  return value && *value >= -2 && *value <= 2 ? static_cast<int>(*value) : kNormal;
}

class Pushover final : public HttpReceiver {
 public:
  Pushover(const ReceiverOptions& common, Options options)
      : HttpReceiver(common), options_(std::move(options)) {}

  Pace pace() const override { return {.per_second = 1, .burst = 5}; }

 protected:
  Result<HttpRequest> Build(const Notification& notification) const override {
    const auto user = options_.user.Reveal();
    if (!user) return Fail(user.error());
    const auto token = options_.token.Reveal();
    if (!token) return Fail(token.error());
    const Message message(notification, templates());
    std::string out;
    text::JsonWriter json(out);
    json.BeginObject().Field("token", message.Text(*token)).Field("user", message.Text(*user));
    json.Field("title", message.Text(options_.title, {250}));
    auto text = message.Fitted(options_.message, {1024}, options_.html);
    // An empty message is refused.
    json.Field("message", text.empty() ? "(no details)" : text);
    for (const auto& [key, template_text, limit] :
         {std::tuple("url", &options_.link, 512),
          std::tuple("url_title", &options_.link_title, 100),
          std::tuple("device", &options_.device, 250), std::tuple("sound", &options_.sound, 100)}) {
      const auto value = message.Text(*template_text, {static_cast<std::size_t>(limit)});
      if (!value.empty()) json.Field(key, value);
    }
    const auto seconds = [](Milliseconds time) { return time.count() / 1000; };
    json.Key("priority").Integer(Priority(message.Text(options_.priority)));
    json.Key("retry").Integer(seconds(options_.retry));
    json.Key("expire").Integer(seconds(options_.expire));
    if (options_.ttl.count() > 0) json.Key("ttl").Integer(seconds(options_.ttl));
    if (options_.html) json.Key("html").Integer(1);
    if (options_.monospace) json.Key("monospace").Integer(1);
    json.Key("timestamp").Integer(notification.now / 1000).EndObject();
    return Post(options_.url, out);
  }

 private:
  const Options options_;
};

}  // namespace

std::unique_ptr<Receiver> MakePushover(const ReceiverInput& input) {
  ReceiverOptions common(input, true);
  Options options;
  if (!common.ReadSecretTemplate("user_key", options.user)) {
    input.options.Require("user_key", "or user_key_file");
  }
  if (!common.ReadSecretTemplate("token", options.token))
    input.options.Require("token", "or token_file");
  input.options.Read("api_url", options.url);
  for (const auto& [key, text] :
       {std::pair("title", &options.title), std::pair("message", &options.message),
        std::pair("url", &options.link), std::pair("url_title", &options.link_title),
        std::pair("device", &options.device), std::pair("sound", &options.sound),
        std::pair("priority", &options.priority)}) {
    common.ReadTemplate(key, *text);
  }
  input.options.Read("retry", options.retry);
  input.options.Read("expire", options.expire);
  options.retry = std::max(options.retry, kLeastRetry);
  options.expire = std::min(options.expire, kMostExpire);
  input.options.Read("ttl", options.ttl);
  input.options.Read("html", options.html);
  input.options.Read("monospace", options.monospace);
  if (options.html && options.monospace) {
    input.options.Fault("monospace", "does not go together with html");
  }
  input.options.Finish();
  return std::make_unique<Pushover>(common, std::move(options));
}

}  // namespace vigia::alerting::deliver
