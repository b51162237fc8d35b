// slack_configs: an attachment by an incoming webhook, or by the Web API with a bot's token (here
// or in http_config), which can then change its message when the state changes
// (`update_message`).

#include <algorithm>
#include <array>

#include "alerting/deliver/http_receiver.h"
#include "core/text/json.h"

namespace vigia::alerting::deliver {
namespace {

struct Options {
  Secret url;
  Secret token;
  std::string app_url = "https://slack.com/api/chat.postMessage";  // for the token, without url
  bool update = false;
  std::string channel;
  std::string username = R"({{ template "slack.default.username" . }})";
  std::string color = R"({{ if eq .Status "firing" }}danger{{ else }}good{{ end }})";
  std::string title = R"({{ template "slack.default.title" . }})";
  std::string title_link = R"({{ template "slack.default.titlelink" . }})";
  std::string pretext = R"({{ template "slack.default.pretext" . }})";
  std::string text = R"({{ template "slack.default.text" . }})";
  std::string fallback = R"({{ template "slack.default.fallback" . }})";
  std::string footer = R"({{ template "slack.default.footer" . }})";
  std::string icon_emoji = R"({{ template "slack.default.iconemoji" . }})";
  std::string icon_url = R"({{ template "slack.default.iconurl" . }})";
  std::string callback_id = R"({{ template "slack.default.callbackid" . }})";
  std::string image_url;
  std::string thumb_url;
  std::string message_text;
  bool link_names = false;
  bool short_fields = false;
  std::vector<std::string> mrkdwn_in{"fallback", "pretext", "text"};
  std::vector<Texts> fields;
  std::vector<Texts> actions;
};

constexpr Limit kTitle{1024};
constexpr Limit kText{3000};

// The Web API says 200 whatever happened; what happened stands in the body (docs.slack.dev). These
// may pass.
constexpr std::array<std::string_view, 7> kPassing{
    "ratelimited",         "rate_limited",    "internal_error",   "fatal_error",
    "service_unavailable", "request_timeout", "team_added_to_org"};
// The message that an update would change is gone, or too old.
constexpr std::array<std::string_view, 4> kGone{"message_not_found", "cant_update_message",
                                                "edit_window_closed", "msg_too_old"};

template <std::size_t size>
bool IsOneOf(const std::array<std::string_view, size>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

class Slack final : public HttpReceiver {
 public:
  Slack(const ReceiverOptions& common, Options options)
      : HttpReceiver(common), options_(std::move(options)) {}

  Pace pace() const override { return {.per_second = 1, .burst = 5}; }

  Outcome Deliver(const Notification& notification, Deadline deadline) override {
    auto outcome = HttpReceiver::Deliver(notification, deadline);
    const bool gone = outcome.kind == Outcome::Kind::kRejected && IsOneOf(kGone, outcome.message);
    if (!gone || notification.handle.empty()) return outcome;
    auto anew = notification;
    anew.handle.clear();
    return HttpReceiver::Deliver(anew, deadline);
  }

 protected:
  Result<HttpRequest> Build(const Notification& notification) const override {
    const auto url =
        options_.url.empty() ? Result<std::string>(options_.app_url) : options_.url.Reveal();
    if (!url) return Fail(url.error());
    const bool update = options_.update && !notification.handle.empty();
    auto request = Post(update ? UpdateUrl(*url) : *url, Body(notification, update));
    if (options_.token.empty()) return request;
    const auto token = options_.token.Reveal();
    if (!token) return Fail(token.error());
    request.headers.emplace_back("Authorization", "Bearer " + *token);
    return request;
  }

  // A webhook says "ok" or has another status.
  Outcome Read(const Result<HttpResponse>& response,
               const Notification& notification) const override {
    auto outcome = ReadAnswer(response, Now());
    if (outcome.kind != Outcome::Kind::kDelivered) return outcome;
    const auto ok = BoolInJson(response->body, "ok");
    if (ok == false) return ReadFailure(*response);
    const bool web_api = !options_.token.empty() || response->url.ends_with("chat.postMessage") ||
                         response->url.ends_with("chat.update");
    if (web_api && !ok) {
      return {.kind = Outcome::Kind::kRetry, .message = "an answer that is not Slack's"};
    }
    const auto channel = TextInJson(response->body, "channel");
    const auto ts = TextInJson(response->body, "ts");
    // People are told of what comes after a resolve: a message that is changed makes no sound.
    const bool goes_on = options_.update && notification.Firing();
    if (goes_on && !ts.empty()) outcome.handle = channel + " " + ts;
    return outcome;
  }

 private:
  Outcome ReadFailure(const HttpResponse& response) const {
    const auto error = TextInJson(response.body, "error");
    if (!IsOneOf(kPassing, error)) return Rejected(error.empty() ? "no reason given" : error);
    return {.kind = Outcome::Kind::kRetry,
            .message = error,
            .retry_after = ParseRetryAfter(response.Header("retry-after"), Now())};
  }

  static std::string UpdateUrl(std::string url) {
    const auto at = url.rfind("chat.postMessage");
    return at == url.npos ? url : url.replace(at, url.npos, "chat.update");
  }

  std::string Body(const Notification& notification, bool update) const {
    const Message message(notification, templates(), EscapeSlack);
    std::string out;
    text::JsonWriter json(out);
    json.BeginObject();
    AppendPlace(json, message, notification, update);
    json.Key("attachments").BeginArray().BeginObject();
    json.Field("title", message.Text(options_.title, kTitle));
    json.Field("title_link", message.Text(options_.title_link));
    json.Field("pretext", message.Text(options_.pretext, kText));
    json.Field("text", message.Fitted(options_.text, kText));
    json.Field("fallback", message.Text(options_.fallback, kText));
    json.Field("footer", message.Text(options_.footer, {300}));
    json.Field("color", message.Text(options_.color));
    for (const auto& [key, text] : {std::pair("callback_id", &options_.callback_id),
                                    std::pair("image_url", &options_.image_url),
                                    std::pair("thumb_url", &options_.thumb_url)}) {
      if (const auto value = message.Text(*text); !value.empty()) json.Field(key, value);
    }
    AppendTextMaps(json, "fields", options_.fields, message);
    AppendTextMaps(json, "actions", options_.actions, message);
    json.Key("mrkdwn_in").BeginArray();
    for (const auto& part : options_.mrkdwn_in) json.String(part);
    json.EndArray().EndObject().EndArray();
    if (const auto text = message.Text(options_.message_text, kText); !text.empty()) {
      json.Field("text", text);
    }
    if (options_.link_names) json.Key("link_names").Bool(true);
    json.EndObject();
    return out;
  }

  void AppendPlace(text::JsonWriter& json, const Message& message, const Notification& notification,
                   bool update) const {
    if (update) {
      const auto space = notification.handle.find(' ');
      json.Field("channel", notification.handle.substr(0, space));
      json.Field("ts", notification.handle.substr(space + 1));
      return;
    }
    for (const auto& [key, text] :
         {std::pair("channel", &options_.channel), std::pair("username", &options_.username),
          std::pair("icon_emoji", &options_.icon_emoji),
          std::pair("icon_url", &options_.icon_url)}) {
      const auto value = message.Text(*text);
      if (!value.empty()) json.Field(key, value);
    }
  }

  const Options options_;
};

// A token of `global:` is for receivers that have no way of their own.
void ReadWay(ReceiverOptions& common, Options& options) {
  config::MapReader& reader = common.reader();
  const bool own_url = reader.Has("api_url") || reader.Has("api_url_file");
  const bool own_auth = !common.http.client.auth.credentials.empty();
  const bool token =
      common.ReadSecret("app_token", options.token, own_url || own_auth ? "" : "slack_app_token");
  const bool url = common.ReadSecret("api_url", options.url, token ? "" : "slack_api_url");
  if (token && own_auth) reader.Fault("app_token", "stands beside http_config's authorization");
  if (!url && !token) {
    reader.Fault("api_url",
                 "is missing: write api_url, api_url_file or app_token, here or in global as "
                 "slack_api_url or slack_app_token");
  }
  common.ReadGlobal("slack_app_url", options.app_url);
  reader.Read("app_url", options.app_url);
  reader.Read("update_message", options.update);
  const auto text = options.url.Reveal();
  if (options.update && !token && text && !text->ends_with("chat.postMessage")) {
    reader.Fault("update_message", "takes a bot's token: a webhook cannot change its messages");
  }
}

// Slack shows nothing of a message with an action that it does not understand.
void CheckActions(ReceiverOptions& common, std::vector<Texts>& actions) {
  for (auto& action : actions) {
    const auto has = [&](std::string_view key) {
      return std::any_of(action.begin(), action.end(), [&](const auto& text) {
        return text.first == key && !text.second.empty();
      });
    };
    if (!has("type") || !has("text") || (!has("url") && !has("name"))) {
      common.reader().Fault("actions", "each has type, text, and url or name");
    }
    if (!has("url")) continue;
    std::erase_if(action, [](const auto& text) {
      return text.first == "name" || text.first == "value" || text.first.starts_with("confirm.");
    });
  }
}

}  // namespace

std::unique_ptr<Receiver> MakeSlack(const ReceiverInput& input) {
  ReceiverOptions common(input, false);
  Options options;
  ReadWay(common, options);
  common.ReadTimeout();
  for (const auto& [key, text] :
       {std::pair("channel", &options.channel), std::pair("username", &options.username),
        std::pair("color", &options.color), std::pair("title", &options.title),
        std::pair("title_link", &options.title_link), std::pair("pretext", &options.pretext),
        std::pair("text", &options.text), std::pair("fallback", &options.fallback),
        std::pair("footer", &options.footer), std::pair("icon_emoji", &options.icon_emoji),
        std::pair("icon_url", &options.icon_url), std::pair("callback_id", &options.callback_id),
        std::pair("image_url", &options.image_url), std::pair("thumb_url", &options.thumb_url),
        std::pair("message_text", &options.message_text)}) {
    common.ReadTemplate(key, *text);
  }
  input.options.Read("link_names", options.link_names);
  input.options.Read("short_fields", options.short_fields);
  input.options.Read("mrkdwn_in", options.mrkdwn_in);
  // Slack takes no more.
  constexpr std::size_t kFields = 10;
  constexpr std::size_t kActions = 5;
  common.ReadTextMaps("fields", {"title", "value", "short"}, kFields, options.fields);
  common.ReadTextMaps("actions",
                      {"type", "text", "url", "style", "name", "value", "confirm.text",
                       "confirm.title", "confirm.ok_text", "confirm.dismiss_text"},
                      kActions, options.actions);
  CheckActions(common, options.actions);
  for (auto& field : options.fields) {
    const bool given = std::any_of(field.begin(), field.end(),
                                   [](const auto& text) { return text.first == "short"; });
    if (!given) field.emplace_back("short", options.short_fields ? "true" : "false");
  }
  input.options.Finish();
  return std::make_unique<Slack>(common, std::move(options));
}

}  // namespace vigia::alerting::deliver
