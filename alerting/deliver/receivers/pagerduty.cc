// pagerduty_configs: events of PagerDuty's Events API v2, or of v1 where the key is an old
// integration's (`service_key`). One incident per group: its key is made
// of the group's, so that the resolve meets the trigger.

#include "alerting/deliver/http_receiver.h"
#include "alerting/deliver/signature.h"
#include "alerting/deliver/structure.h"
#include "core/text/json.h"

namespace vigia::alerting::deliver {
namespace {

constexpr const char* kV1Url = "https://events.pagerduty.com/generic/2010-04-15/create_event.json";

config::Node TextNode(std::string text) {
  config::Node node;
  node.kind = config::Node::Kind::kScalar;
  node.text = std::move(text);
  node.quoted = true;
  return node;
}

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
  std::map<std::string, config::Node> details{
      {"firing", TextNode(R"({{ template "pagerduty.default.instances" .Alerts.Firing }})")},
      {"resolved", TextNode(R"({{ template "pagerduty.default.instances" .Alerts.Resolved }})")},
      {"num_firing", TextNode("{{ .Alerts.Firing | len }}")},
      {"num_resolved", TextNode("{{ .Alerts.Resolved | len }}")}};
  std::vector<Texts> images;
  std::vector<Texts> links;
};

constexpr Limit kSummary{1024};
// An event has 512 KB, JSON's escapes included: what each detail may have is tried from the top.
constexpr std::size_t kEvent = 512'000;
constexpr std::array<std::size_t, 4> kDetails{20'000, 4'000, 500, 50};

class PagerDuty final : public HttpReceiver {
 public:
  PagerDuty(const ReceiverOptions& common, Options options)
      : HttpReceiver(common), options_(std::move(options)) {}

 protected:
  Result<HttpRequest> Build(const Notification& notification) const override {
    const auto secret = options_.key.Reveal();
    if (!secret) return Fail(secret.error());
    const Message message(notification, templates());
    const auto key = message.Text(*secret);
    std::string out;
    for (const std::size_t detail : kDetails) {
      out = options_.v1 ? V1(key, message, notification, detail)
                        : V2(key, message, notification, detail);
      if (out.size() <= kEvent) break;
    }
    return Post(options_.url, out);
  }

 private:
  std::string V2(const std::string& key, const Message& message, const Notification& notification,
                 std::size_t detail) const {
    std::string out;
    text::JsonWriter json(out);
    json.BeginObject().Field("routing_key", key);
    json.Field("event_action", message.firing() ? "trigger" : "resolve");
    json.Field("dedup_key", Hex(Sha256(notification.group_key)));
    json.Field("client", message.Text(options_.client, {255}));
    json.Field("client_url", message.Text(options_.client_url));
    json.Key("payload").BeginObject();
    AppendPayload(json, message, notification, detail);
    json.EndObject();
    AppendTextMaps(json, "images", options_.images, message);
    AppendTextMaps(json, "links", options_.links, message);
    json.EndObject();
    return out;
  }

  std::string V1(const std::string& key, const Message& message, const Notification& notification,
                 std::size_t detail) const {
    std::string out;
    text::JsonWriter json(out);
    json.BeginObject().Field("service_key", key);
    json.Field("event_type", message.firing() ? "trigger" : "resolve");
    json.Field("incident_key", Hex(Sha256(notification.group_key)));
    json.Field("description", message.Text(options_.description, kSummary));
    json.Field("client", message.Text(options_.client, {255}));
    json.Field("client_url", message.Text(options_.client_url));
    AppendDetails(json, "details", message, detail);
    json.EndObject();
    return out;
  }

  void AppendDetails(text::JsonWriter& json, std::string_view key, const Message& message,
                     std::size_t most) const {
    const Limit limit{most, Unit::kBytes};
    json.Key(key).BeginObject();
    for (const auto& [name, value] : options_.details) {
      json.Key(name);
      AppendStructure(json, value,
                      [&](const std::string& text) { return message.Fitted(text, limit); });
    }
    json.EndObject();
  }

  void AppendPayload(text::JsonWriter& json, const Message& message,
                     const Notification& notification, std::size_t detail) const {
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
    AppendDetails(json, "custom_details", message, detail);
  }

  const Options options_;
};

void ReadDetails(const ReceiverInput& input, std::map<std::string, config::Node>& details) {
  const config::Node* const node = input.options.Child("details");
  if (!node || node->IsNull()) return;
  if (!node->IsMap()) input.options.Fault("details", "has to be a map");
  for (const auto& [name, value] : node->entries) {
    CheckStructure(value, *input.templates, input.options.diagnostics());
    details[name.text] = value;
  }
}

}  // namespace

std::unique_ptr<Receiver> MakePagerDuty(const ReceiverInput& input) {
  ReceiverOptions common(input, true);
  Options options;
  options.v1 = common.ReadSecretTemplate("service_key", options.key);
  if (common.ReadSecretTemplate("routing_key", options.key) == options.v1) {
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
  ReadDetails(input, options.details);
  common.ReadTimeout();
  constexpr std::size_t kMany = 50;
  common.ReadTextMaps("images", {"href", "src", "alt"}, kMany, options.images);
  common.ReadTextMaps("links", {"href", "text"}, kMany, options.links);
  input.options.Finish();
  return std::make_unique<PagerDuty>(common, std::move(options));
}

}  // namespace vigia::alerting::deliver
