// telegram_configs: a message of a bot.

#include <array>

#include "alerting/deliver/http_receiver.h"
#include "core/text/json.h"

namespace vigia::alerting::deliver {
namespace {

constexpr std::array<std::string_view, 4> kModes{"HTML", "Markdown", "MarkdownV2", ""};
constexpr std::size_t kPlain = 3;

struct Options {
  std::string api_url = "https://api.telegram.org";
  Secret token;
  std::string chat_id;
  Secret chat_id_file;
  std::int64_t thread = 0;
  bool silent = false;
  std::string message = R"({{ template "telegram.default.message" . }})";
  std::size_t mode = 0;
};

class Telegram final : public HttpReceiver {
 public:
  Telegram(const ReceiverOptions& common, Options options)
      : HttpReceiver(common), options_(std::move(options)) {}

  Pace pace() const override { return {.per_second = 0.33, .burst = 3}; }

  // Markup that Telegram cannot read, of a template or cut off in the middle, would lose the
  // message: it is told as plain text then.
  Outcome Deliver(const Notification& notification, Deadline deadline) override {
    auto outcome = HttpReceiver::Deliver(notification, deadline);
    const bool unread = outcome.kind == Outcome::Kind::kRejected &&
                        outcome.message.find("can't parse entities") != std::string::npos;
    if (!unread || options_.mode == kPlain) return outcome;
    const auto told = send_resolved() ? notification : WithoutResolved(notification);
    auto request = Request(told, kPlain);
    if (!request) return outcome;
    return Read(sender().Send(*std::move(request), deadline), told);
  }

 protected:
  Result<HttpRequest> Build(const Notification& notification) const override {
    return Request(notification, options_.mode);
  }

  Outcome Read(const Result<HttpResponse>& response, const Notification&) const override {
    auto outcome = ReadAnswer(response, Now());
    if (response && response->status == 429) {
      if (const auto wait = SecondsInJson(response->body, "parameters.retry_after")) {
        outcome.retry_after = wait;
      }
    }
    return outcome;
  }

 private:
  Result<HttpRequest> Request(const Notification& notification, std::size_t mode) const {
    const auto token = options_.token.Reveal();
    if (!token) return Fail(token.error());
    const auto chat = options_.chat_id.empty() ? options_.chat_id_file.Reveal()
                                               : Result<std::string>(options_.chat_id);
    if (!chat) return Fail(chat.error());
    const bool html = mode == 0;
    const Message message(notification, templates());
    std::string out;
    text::JsonWriter json(out);
    json.BeginObject().Field("chat_id", *chat);
    if (options_.thread != 0) json.Key("message_thread_id").Integer(options_.thread);
    json.Field("text", message.Fitted(options_.message, {4096}, html));
    if (mode != kPlain) json.Field("parse_mode", kModes[mode]);
    json.Key("disable_notification").Bool(options_.silent);
    json.Key("disable_web_page_preview").Bool(true).EndObject();
    return Post(options_.api_url + "/bot" + *token + "/sendMessage", out);
  }

  const Options options_;
};

}  // namespace

std::unique_ptr<Receiver> MakeTelegram(const ReceiverInput& input) {
  ReceiverOptions common(input, true);
  Options options;
  common.ReadGlobal("telegram_api_url", options.api_url);
  input.options.Read("api_url", options.api_url);
  if (!common.ReadSecret("bot_token", options.token, "telegram_bot_token")) {
    input.options.Require("bot_token", "or bot_token_file");
  }
  std::filesystem::path chat_file;
  if (input.options.Read("chat_id_file", chat_file)) {
    if (input.options.Has("chat_id")) input.options.Fault("chat_id_file", "stands beside chat_id");
    options.chat_id_file =
        Secret::FromFile(chat_file.is_absolute() ? chat_file : input.folder / chat_file);
  } else if (!input.options.Has("chat_id")) {
    input.options.Require("chat_id", "or chat_id_file");
  }
  input.options.Read("chat_id", options.chat_id);
  input.options.Read("message_thread_id", options.thread);
  input.options.Read("disable_notifications", options.silent);
  common.ReadTemplate("message", options.message);
  options.mode = input.options.ReadChoice("parse_mode", kModes, 0);
  input.options.Finish();
  return std::make_unique<Telegram>(common, std::move(options));
}

}  // namespace vigia::alerting::deliver
