// rocketchat_configs: a message with an attachment by Rocket.Chat's REST API
// (developer.rocket.chat, "Post message").

#include <algorithm>

#include "alerting/deliver/http_receiver.h"
#include "core/number.h"
#include "core/text/json.h"

namespace vigia::alerting::deliver {
namespace {

// Keys of the message and of its attachment that are templates, under Rocket.Chat's names.
struct Part {
  const char* key;   // ours, and Alertmanager's
  const char* name;  // Rocket.Chat's
};
constexpr std::array kPlace{Part{"channel", "channel"}, Part{"emoji", "emoji"},
                            Part{"icon_url", "avatar"}};
constexpr std::array kParts{Part{"title", "title"}, Part{"title_link", "title_link"},
                            Part{"color", "color"}, Part{"image_url", "image_url"},
                            Part{"thumb_url", "thumb_url"}};

constexpr Limit kPart{1024};
// Message_MaxAllowedSize is 5,000 characters unless it was changed.
constexpr Limit kText{4000};
constexpr std::size_t kFields = 20;
constexpr std::size_t kActions = 5;

struct Options {
  std::string api_url = "https://open.rocket.chat";
  Secret token;
  Secret token_id;
  Texts texts{{"emoji", R"({{ template "rocketchat.default.emoji" . }})"},
              {"icon_url", R"({{ template "rocketchat.default.iconurl" . }})"},
              {"title", R"({{ template "rocketchat.default.title" . }})"},
              {"title_link", R"({{ template "rocketchat.default.titlelink" . }})"},
              {"color", R"({{ if eq .Status "firing" }}red{{ else }}green{{ end }})"}};
  std::string text = R"({{ template "rocketchat.default.text" . }})";
  std::vector<Texts> fields;
  std::vector<Texts> actions;
  bool short_fields = false;
  bool link_names = false;

  std::string_view Of(std::string_view key) const {
    for (const auto& one : texts) {
      if (one.first == key) return one.second;
    }
    return {};
  }
};

class RocketChat final : public HttpReceiver {
 public:
  RocketChat(const ReceiverOptions& common, Options options)
      : HttpReceiver(common), options_(std::move(options)) {}

  // Ten calls of the API in a minute, unless its administrator allows more.
  Pace pace() const override { return {.per_second = 1.0 / 6, .burst = 5}; }

 protected:
  Result<HttpRequest> Build(const Notification& notification) const override {
    const auto token = options_.token.Reveal();
    if (!token) return Fail(token.error());
    const auto token_id = options_.token_id.Reveal();
    if (!token_id) return Fail(token_id.error());
    const Message message(notification, templates(), EscapeMentions);
    std::string out;
    text::JsonWriter json(out);
    json.BeginObject();
    Append(json, kPlace, message);
    if (options_.link_names) json.Key("parseUrls").Bool(true);
    json.Key("attachments").BeginArray().BeginObject();
    Append(json, kParts, message);
    json.Field("text", message.Fitted(options_.text, kText));
    AppendTextMaps(json, "fields", options_.fields, message);
    AppendTextMaps(json, "actions", options_.actions, message);
    json.EndObject().EndArray().EndObject();
    auto request = Post(options_.api_url + "/api/v1/chat.postMessage", out);
    request.headers.emplace_back("X-Auth-Token", *token);
    request.headers.emplace_back("X-User-Id", *token_id);
    return request;
  }

  Outcome Read(const Result<HttpResponse>& response, const Notification&) const override {
    auto outcome = ReadAnswer(response, Now());
    if (!response) return outcome;
    if (response->status == 429 && !outcome.retry_after) outcome.retry_after = ResetOf(*response);
    if (outcome.kind != Outcome::Kind::kDelivered) return outcome;
    const auto success = BoolInJson(response->body, "success");
    if (success == true) return outcome;
    if (success == false) {
      const auto error = TextInJson(response->body, "error");
      return Rejected(error.empty() ? "no reason given" : error);
    }
    return {.kind = Outcome::Kind::kRetry, .message = "an answer that is not Rocket.Chat's"};
  }

 private:
  template <std::size_t size>
  void Append(text::JsonWriter& json, const std::array<Part, size>& parts,
              const Message& message) const {
    for (const auto& part : parts) {
      const auto value = message.Text(options_.Of(part.key), kPart);
      if (!value.empty()) json.Field(part.name, value);
    }
  }

  // When calls are taken again, in Unix milliseconds.
  std::optional<Milliseconds> ResetOf(const HttpResponse& response) const {
    const auto at = ParseInt(response.Header("x-ratelimit-reset"));
    if (!at) return std::nullopt;
    return std::clamp(Milliseconds(*at - Now()), Milliseconds(0), Milliseconds(1h));
  }

  const Options options_;
};

void ReadWay(ReceiverOptions& common, Options& options) {
  config::MapReader& reader = common.reader();
  common.ReadGlobal("rocketchat_api_url", options.api_url);
  reader.Read("api_url", options.api_url);
  while (options.api_url.ends_with('/')) options.api_url.pop_back();
  if (const auto url = ParseHttpUrl(options.api_url); !url) {
    reader.Fault("api_url", url.error().message());
  }
  if (!common.ReadSecret("token", options.token, "rocketchat_token")) {
    reader.Require("token", "or token_file, or rocketchat_token in global");
  }
  if (!common.ReadSecret("token_id", options.token_id, "rocketchat_token_id")) {
    reader.Require("token_id", "or token_id_file, or rocketchat_token_id in global");
  }
}

void ReadTemplates(ReceiverOptions& common, Options& options) {
  for (const auto* const parts : {kPlace.data(), kParts.data()}) {
    const std::size_t size = parts == kPlace.data() ? kPlace.size() : kParts.size();
    for (const auto& part : std::span(parts, size)) {
      std::string text;
      common.ReadTemplate(part.key, text);
      if (!common.reader().Has(part.key)) continue;
      std::erase_if(options.texts, [&](const auto& one) { return one.first == part.key; });
      options.texts.emplace_back(part.key, std::move(text));
    }
  }
  common.ReadTemplate("text", options.text);
}

// "short" of all fields, and the one type of action that there is.
void Complete(Options& options) {
  for (auto& field : options.fields) {
    const bool given = std::any_of(field.begin(), field.end(),
                                   [](const auto& text) { return text.first == "short"; });
    if (!given) field.emplace_back("short", options.short_fields ? "true" : "false");
  }
  for (auto& action : options.actions) {
    std::erase_if(action, [](const auto& text) { return text.first == "type"; });
    action.emplace(action.begin(), "type", "button");
  }
}

}  // namespace

std::unique_ptr<Receiver> MakeRocketChat(const ReceiverInput& input) {
  ReceiverOptions common(input, false);
  Options options;
  ReadWay(common, options);
  ReadTemplates(common, options);
  input.options.Read("short_fields", options.short_fields);
  input.options.Read("link_names", options.link_names);
  common.ReadTextMaps("fields", {"title", "value", "short"}, kFields, options.fields);
  common.ReadTextMaps("actions", {"type", "text", "url", "msg"}, kActions, options.actions);
  Complete(options);
  input.options.Finish();
  return std::make_unique<RocketChat>(common, std::move(options));
}

}  // namespace vigia::alerting::deliver
