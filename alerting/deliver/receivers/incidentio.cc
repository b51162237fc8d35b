// incidentio_configs: an alert event of incident.io by an alert source for Alertmanager
// (docs.incident.io/api-reference, "Alert events").

#include <algorithm>

#include "alerting/deliver/http_receiver.h"
#include "alerting/deliver/webhook_body.h"

namespace vigia::alerting::deliver {
namespace {

struct Options {
  Secret url;
  Secret token;  // empty: credentials of http_config
  std::int64_t max_alerts = 0;
};

constexpr std::size_t kBody = 512 * 1024;

class IncidentIo final : public HttpReceiver {
 public:
  IncidentIo(const ReceiverOptions& common, Options options)
      : HttpReceiver(common), options_(std::move(options)) {}

  Pace pace() const override { return {.per_second = 2, .burst = 20}; }

 protected:
  Result<HttpRequest> Build(const Notification& notification) const override {
    const auto url = options_.url.Reveal();
    if (!url) return Fail(url.error());
    const Message message(notification, templates());
    auto request = Post(*url, Body(notification, message));
    if (options_.token.empty()) return request;
    const auto token = options_.token.Reveal();
    if (!token) return Fail(token.error());
    request.headers.emplace_back("Authorization", "Bearer " + *token);
    return request;
  }

 private:
  // With as many alerts as fit; each halving leaves out the least severe.
  std::string Body(const Notification& notification, const Message& message) const {
    std::size_t most = message.alerts().size();
    if (options_.max_alerts > 0) {
      most = std::min(most, static_cast<std::size_t>(options_.max_alerts));
    }
    auto body = WebhookBody(notification, message, most, "1");
    while (body.size() > kBody && most > 1) {
      most /= 2;
      body = WebhookBody(notification, message, most, "1");
    }
    return body;
  }

  const Options options_;
};

}  // namespace

std::unique_ptr<Receiver> MakeIncidentIo(const ReceiverInput& input) {
  ReceiverOptions common(input, true);
  Options options;
  if (!common.ReadSecret("url", options.url)) input.options.Require("url", "or url_file");
  const bool token = common.ReadSecret("alert_source_token", options.token);
  const bool credentials = !common.http.client.auth.credentials.empty();
  if (!token && !credentials) {
    input.options.Require("alert_source_token",
                          "or alert_source_token_file, or authorization in http_config");
  }
  if (token && credentials) {
    input.options.Fault("alert_source_token", "stands beside http_config's authorization");
  }
  input.options.Read("max_alerts", options.max_alerts, 0);
  common.ReadTimeout();
  input.options.Finish();
  return std::make_unique<IncidentIo>(common, std::move(options));
}

}  // namespace vigia::alerting::deliver
