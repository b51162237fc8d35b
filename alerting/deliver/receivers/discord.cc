// discord_configs: an embed by a Discord webhook. Nobody is mentioned by what alerts contain.

#include "alerting/deliver/http_receiver.h"
#include "core/text/json.h"

namespace vigia::alerting::deliver {
namespace {

struct Options {
  Secret url;
  std::string title = R"({{ template "discord.default.title" . }})";
  std::string message = R"({{ template "discord.default.message" . }})";
  std::string content;
  std::string username;
  std::string avatar_url;
};

constexpr Limit kContent{2000};
constexpr Limit kTitle{256};
constexpr Limit kDescription{4096};

class Discord final : public HttpReceiver {
 public:
  Discord(const ReceiverOptions& common, Options options)
      : HttpReceiver(common), options_(std::move(options)) {}

  Pace pace() const override { return {.per_second = 0.5, .burst = 5}; }

 protected:
  Result<HttpRequest> Build(const Notification& notification) const override {
    const auto url = options_.url.Reveal();
    if (!url) return Fail(url.error());
    const Message message(notification, templates(), EscapeMentions);
    std::string out;
    text::JsonWriter json(out);
    json.BeginObject().Field("content", message.Text(options_.content, kContent));
    if (!options_.username.empty()) json.Field("username", message.Text(options_.username, {80}));
    if (!options_.avatar_url.empty()) json.Field("avatar_url", options_.avatar_url);
    json.Key("embeds").BeginArray().BeginObject();
    json.Field("title", message.Text(options_.title, kTitle)).Field("url", message.Link());
    json.Field("description", message.Fitted(options_.message, kDescription));
    json.Key("color").Integer(message.firing() ? 0x992D22 : 0x2ECC71);
    json.EndObject().EndArray();
    json.Key("allowed_mentions").BeginObject().Key("parse").BeginArray().EndArray().EndObject();
    json.EndObject();
    return Post(*url, out);
  }

  Outcome Read(const Result<HttpResponse>& response, const Notification&) const override {
    auto outcome = ReadAnswer(response, Now());
    if (response && response->status == 429) {
      if (const auto wait = SecondsInJson(response->body, "retry_after")) {
        outcome.retry_after = wait;
      }
    }
    return outcome;
  }

 private:
  const Options options_;
};

}  // namespace

std::unique_ptr<Receiver> MakeDiscord(const ReceiverInput& input) {
  ReceiverOptions common(input, true);
  Options options;
  if (!common.ReadSecret("webhook_url", options.url)) {
    input.options.Require("webhook_url", "or webhook_url_file");
  }
  common.ReadTemplate("title", options.title);
  common.ReadTemplate("message", options.message);
  common.ReadTemplate("content", options.content);
  common.ReadTemplate("username", options.username);
  input.options.Read("avatar_url", options.avatar_url);
  input.options.Finish();
  return std::make_unique<Discord>(common, std::move(options));
}

}  // namespace vigia::alerting::deliver
