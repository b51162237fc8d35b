// webex_configs: a message of a Webex bot, whose token stands in http_config.authorization.

#include "alerting/deliver/http_receiver.h"
#include "core/text/json.h"

namespace vigia::alerting::deliver {
namespace {

struct Options {
  std::string url = "https://webexapis.com/v1/messages";
  std::string room;
  std::string message = R"({{ template "webex.default.message" . }})";
};

constexpr Limit kMessage{7000, Unit::kBytes};

class Webex final : public HttpReceiver {
 public:
  Webex(const ReceiverOptions& common, Options options)
      : HttpReceiver(common), options_(std::move(options)) {}

  Pace pace() const override { return {.per_second = 2, .burst = 5}; }

 protected:
  Result<HttpRequest> Build(const Notification& notification) const override {
    const Message message(notification, templates(), EscapeMentions);
    std::string out;
    text::JsonWriter json(out);
    json.BeginObject().Field("roomId", message.Text(options_.room));
    json.Field("markdown", message.Fitted(options_.message, kMessage)).EndObject();
    return Post(options_.url, out);
  }

 private:
  const Options options_;
};

}  // namespace

std::unique_ptr<Receiver> MakeWebex(const ReceiverInput& input) {
  ReceiverOptions common(input, true);
  Options options;
  common.ReadGlobal("webex_api_url", options.url);
  input.options.Read("api_url", options.url);
  if (!input.options.Has("room_id")) input.options.Require("room_id", "where people read");
  common.ReadTemplate("room_id", options.room);
  common.ReadTemplate("message", options.message);
  if (common.http.client.auth.credentials.empty()) {
    input.options.Fault("http_config", "has to have authorization with the bot's token");
  }
  input.options.Finish();
  return std::make_unique<Webex>(common, std::move(options));
}

}  // namespace vigia::alerting::deliver
