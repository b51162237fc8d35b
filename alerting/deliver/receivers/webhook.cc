// webhook_configs: Alertmanager's webhook body, version "4", signed where keys are given
// (`signing_key`, and `previous_signing_key` while keys change), or a body of the user's own
// (`payload`: a template, or a value of any shape whose texts are templates).

#include "alerting/deliver/http_receiver.h"
#include "alerting/deliver/signature.h"
#include "alerting/deliver/structure.h"
#include "alerting/deliver/webhook_body.h"
#include "core/text/json.h"

namespace vigia::alerting::deliver {
namespace {

struct Options {
  Secret url;
  std::int64_t max_alerts = 0;
  config::Node payload;
  std::vector<Secret> keys;
};

class Webhook final : public HttpReceiver {
 public:
  Webhook(const ReceiverOptions& common, Options options)
      : HttpReceiver(common), options_(std::move(options)) {}

  // No limit of its own, as with Alertmanager: a storm is told at once. 429 is obeyed.
  Pace pace() const override { return {.per_second = 0, .burst = 1}; }

 protected:
  Result<HttpRequest> Build(const Notification& notification) const override {
    const auto url = options_.url.Reveal();
    if (!url) return Fail(url.error());
    const Message message(notification, templates());
    auto request = Post(message.Text(*url), Body(notification, message));
    auto headers = Sign(options_.keys, notification.delivery_id, Now() / 1000, request.body);
    if (!headers) return Fail(headers.error());
    for (auto& header : *headers) request.headers.push_back(std::move(header));
    if (options_.keys.empty()) request.headers.emplace_back("webhook-id", notification.delivery_id);
    // The same id by the name that proxies and frameworks know.
    request.headers.emplace_back("idempotency-key", notification.delivery_id);
    return request;
  }

 private:
  std::string OwnBody(const Message& message) const {
    if (options_.payload.IsScalar()) return message.Text(options_.payload.text);
    std::string out;
    text::JsonWriter json(out);
    AppendStructure(json, options_.payload,
                    [&](const std::string& text) { return message.Text(text); });
    return out;
  }

  std::string Body(const Notification& notification, const Message& message) const {
    if (!options_.payload.IsNull()) return OwnBody(message);
    std::size_t told = message.alerts().size();
    if (options_.max_alerts > 0) {
      told = std::min(told, static_cast<std::size_t>(options_.max_alerts));
    }
    return WebhookBody(notification, message, told, "4");
  }

  const Options options_;
};

}  // namespace

std::unique_ptr<Receiver> MakeWebhook(const ReceiverInput& input) {
  ReceiverOptions common(input, true);
  Options options;
  if (!common.ReadSecretTemplate("url", options.url)) common.reader().Require("url", "or url_file");
  input.options.Read("max_alerts", options.max_alerts, 0);
  if (const auto* const payload = input.options.Child("payload")) {
    options.payload = *payload;
    CheckStructure(*payload, *input.templates, input.options.diagnostics());
  }
  common.ReadTimeout();
  for (const auto* const key : {"signing_key", "previous_signing_key"}) {
    Secret secret;
    if (common.ReadSecret(key, secret)) options.keys.push_back(secret);
  }
  input.options.Finish();
  return std::make_unique<Webhook>(common, std::move(options));
}

}  // namespace vigia::alerting::deliver
