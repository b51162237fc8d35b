// pagerduty_configs: events of PagerDuty's Events API v2, or of v1 where the key is an old
// integration's (`service_key`). One incident per group: its key is made
// of the group's, so that the resolve meets the trigger.

#include "alerting/deliver/http_receiver.h"
#include "alerting/deliver/signature.h"
#include "core/text/json.h"

namespace vigia::alerting::deliver {
namespace {

constexpr const char* kV1Url = "https://events.pagerduty.com/generic/2010-04-15/create_event.json";

struct Options {
  Secret key;
  bool v1 = false;
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
  std::vector<Texts> images;
  std::vector<Texts> links;
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
    if (options_.v1) {
      AppendV1(json, *key, message, notification);
      return Post(options_.url, out);
    }
    json.BeginObject().Field("routing_key", *key);
    json.Field("event_action", message.firing() ? "trigger" : "resolve");
    json.Field("dedup_key", Hex(HmacSha256("vigia", notification.group_key)));
    json.Field("client", message.Text(options_.client, {255}));
    json.Field("client_url", message.Text(options_.client_url));
    json.Key("payload").BeginObject();
    AppendPayload(json, message, notification);
    json.EndObject();
    AppendTextMaps(json, "images", options_.images, message);
    AppendTextMaps(json, "links", options_.links, message);
    json.EndObject();
    return Post(options_.url, out);
  }

 private:
  void AppendV1(text::JsonWriter& json, const std::string& key, const Message& message,
                const Notification& notification) const {
    json.BeginObject().Field("service_key", key);
    json.Field("event_type", message.firing() ? "trigger" : "resolve");
    json.Field("incident_key", Hex(HmacSha256("vigia", notification.group_key)));
    json.Field("description", message.Text(options_.description, kSummary));
    json.Field("client", message.Text(options_.client, {255}));
    json.Field("client_url", message.Text(options_.client_url));
    AppendDetails(json, "details", message);
    json.EndObject();
  }

  void AppendDetails(text::JsonWriter& json, std::string_view key, const Message& message) const {
    json.Key(key).BeginObject();
    for (const auto& [name, text] : options_.details) {
      json.Field(name, message.Fitted(text, kDetail));
    }
    json.EndObject();
  }

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
    AppendDetails(json, "custom_details", message);
  }

  const Options options_;
};

}  // namespace

std::unique_ptr<Receiver> MakePagerDuty(const ReceiverInput& input) {
  ReceiverOptions common(input, true);
  Options options;
  options.v1 = common.ReadSecret("service_key", options.key);
  if (common.ReadSecret("routing_key", options.key) == options.v1) {
    input.options.Fault("routing_key",
                        "write one of routing_key and service_key, or one of them as a file");
  }
  if (options.v1) options.url = kV1Url;
  if (!options.v1) common.ReadGlobal("pagerduty_url", options.url);
  input.options.Read("url", options.url);
  for (const auto& [key, text] :
       {std::pair("client", &options.client), std::pair("client_url", &options.client_url),
        std::pair("description", &options.description), std::pair("source", &options.source),
        std::pair("severity", &options.severity), std::pair("class", &options.classification),
        std::pair("component", &options.component), std::pair("group", &options.group)}) {
    common.ReadTemplate(key, *text);
  }
  common.ReadTemplates("details", options.details);
  constexpr std::size_t kMany = 50;
  common.ReadTextMaps("images", {"href", "src", "alt"}, kMany, options.images);
  common.ReadTextMaps("links", {"href", "text"}, kMany, options.links);
  input.options.Finish();
  return std::make_unique<PagerDuty>(common, std::move(options));
}

}  // namespace vigia::alerting::deliver
