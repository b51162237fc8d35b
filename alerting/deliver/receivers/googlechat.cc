// googlechat_configs: a message by a webhook of a Google Chat space; a group's messages are one
// thread.

#include "alerting/deliver/http_receiver.h"
#include "alerting/deliver/signature.h"
#include "core/text/json.h"

namespace vigia::alerting::deliver {
namespace {

struct Options {
  Secret url;
  std::string title = R"({{ template "googlechat.default.title" . }})";
  std::string text = R"({{ template "googlechat.default.text" . }})";
  bool threads = true;
};

constexpr Limit kTitle{1000, Unit::kBytes};
// A message has 32,000 bytes, JSON's escapes included.
constexpr Limit kText{14'000, Unit::kBytes};

class GoogleChat final : public HttpReceiver {
 public:
  GoogleChat(const ReceiverOptions& common, Options options)
      : HttpReceiver(common), options_(std::move(options)) {}

  Pace pace() const override { return {.per_second = 1, .burst = 1}; }

 protected:
  Result<HttpRequest> Build(const Notification& notification) const override {
    auto url = options_.url.Reveal();
    if (!url) return Fail(url.error());
    const Message message(notification, templates(), EscapeMentions);
    std::string out;
    text::JsonWriter json(out);
    json.BeginObject();
    json.Field("text", "*" + message.Text(options_.title, kTitle) + "*\n" +
                           message.Fitted(options_.text, kText) + "\n<" + message.Link() +
                           "|View in vigia>");
    // The same id in every attempt: a message that arrived is not made twice.
    HttpFields parameters{{"requestId", notification.delivery_id}};
    if (options_.threads) {
      json.Key("thread").BeginObject();
      json.Field("threadKey", Hex(HmacSha256("vigia", notification.group_key)).substr(0, 32));
      json.EndObject();
      parameters.emplace_back("messageReplyOption", "REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD");
    }
    json.EndObject();
    url = AddUrlParameters(*url, parameters);
    if (!url) return Fail(url.error());
    return Post(*url, out);
  }

 private:
  const Options options_;
};

}  // namespace

std::unique_ptr<Receiver> MakeGoogleChat(const ReceiverInput& input) {
  ReceiverOptions common(input, true);
  Options options;
  if (!common.ReadSecret("webhook_url", options.url)) {
    input.options.Require("webhook_url", "or webhook_url_file");
  }
  common.ReadTemplate("title", options.title);
  common.ReadTemplate("text", options.text);
  input.options.Read("threads", options.threads);
  input.options.Finish();
  return std::make_unique<GoogleChat>(common, std::move(options));
}

}  // namespace vigia::alerting::deliver
