// pagerduty_configs: events of PagerDuty's Events API v2. One incident per group: its key is made
// of the group's, so that the resolve meets the trigger.

#include "alerting/deliver/http_receiver.h"
#include "alerting/deliver/signature.h"
#include "core/text/json.h"

namespace vigia::alerting::deliver {
namespace {

struct Options {
  Secret key;
  std::string url = "https://events.pagerduty.com/v2/enqueue";
  std::string client = R"({{ template "pagerduty.default.client" . }})";
  std::string client_url = R"({{ template "pagerduty.default.clientURL" . }})";
  std::string description = R"({{ template "pagerduty.default.description" . }})";
  std::string source;
  std::string severity;
  std::string classification;
  std::string component;
  std::string group;
  std::map<std::string, std::string> details{
      {"firing", R"({{ template "pagerduty.default.instances" .Alerts.Firing }})"},
      {"resolved", R"({{ template "pagerduty.default.instances" .Alerts.Resolved }})"},
      {"num_firing", "{{ .Alerts.Firing | len }}"},
      {"num_resolved", "{{ .Alerts.Resolved | len }}"}};
};

constexpr Limit kSummary{1024};
// An event has 512 KB; each detail has a part of that whatever JSON makes of its characters.
constexpr Limit kDetail{20'000, Unit::kBytes};

class PagerDuty final : public HttpReceiver {
 public:
  PagerDuty(const ReceiverOptions& common, Options options)
      : HttpReceiver(common), options_(std::move(options)) {}

 protected:
  Result<HttpRequest> Build(const Notification& notification) const override {
    const auto key = options_.key.Reveal();
    if (!key) return Fail(key.error());
    const Message message(notification, templates());
    std::string out;
    text::JsonWriter json(out);
    json.BeginObject().Field("routing_key", *key);
    json.Field("event_action", message.firing() ? "trigger" : "resolve");
    json.Field("dedup_key", Hex(HmacSha256("vigia", notification.group_key)));
    json.Field("client", message.Text(options_.client, {255}));
    json.Field("client_url", message.Text(options_.client_url));
    json.Key("payload").BeginObject();
    AppendPayload(json, message, notification);
    json.EndObject().EndObject();
    return Post(options_.url, out);
  }

 private:
  void AppendPayload(text::JsonWriter& json, const Message& message,
                     const Notification& notification) const {
    json.Field("summary", message.Text(options_.description, kSummary));
    json.Field("source",
               message.Text(options_.source.empty() ? options_.client : options_.source, {255}));
    json.Field("severity", options_.severity.empty() ? std::string(WorstSeverity(notification))
                                                     : message.Text(options_.severity));
    for (const auto& [name, text] :
         {std::pair("class", &options_.classification), std::pair("component", &options_.component),
          std::pair("group", &options_.group)}) {
      if (!text->empty()) json.Field(name, message.Text(*text, {255}));
    }
    json.Key("custom_details").BeginObject();
    for (const auto& [name, text] : options_.details) {
      json.Field(name, message.Fitted(text, kDetail));
    }
    json.EndObject();
  }

  const Options options_;
};

}  // namespace

std::unique_ptr<Receiver> MakePagerDuty(const ReceiverInput& input) {
  ReceiverOptions common(input, true);
  Options options;
  if (!common.ReadSecret("routing_key", options.key)) {
    input.options.Require("routing_key", "or routing_key_file");
  }
  common.ReadGlobal("pagerduty_url", options.url);
  input.options.Read("url", options.url);
  for (const auto& [key, text] :
       {std::pair("client", &options.client), std::pair("client_url", &options.client_url),
        std::pair("description", &options.description), std::pair("source", &options.source),
        std::pair("severity", &options.severity), std::pair("class", &options.classification),
        std::pair("component", &options.component), std::pair("group", &options.group)}) {
    common.ReadTemplate(key, *text);
  }
  common.ReadTemplates("details", options.details);
  input.options.Finish();
  return std::make_unique<PagerDuty>(common, std::move(options));
}

}  // namespace vigia::alerting::deliver
