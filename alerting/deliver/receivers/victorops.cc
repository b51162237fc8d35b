// victorops_configs: an alert of Splunk On-Call by its REST endpoint.

#include <algorithm>
#include <array>

#include "alerting/deliver/http_receiver.h"
#include "alerting/deliver/signature.h"
#include "core/text/json.h"

namespace vigia::alerting::deliver {
namespace {

struct Options {
  Secret key;
  std::string url = "https://alert.victorops.com/integrations/generic/20131114/alert/";
  std::string routing_key;
  std::string message_type = "CRITICAL";
  std::string entity = R"({{ template "victorops.default.entity_display_name" . }})";
  std::string text = R"({{ template "victorops.default.state_message" . }})";
  std::string tool = R"({{ template "victorops.default.monitoring_tool" . }})";
  std::map<std::string, std::string> fields;
};

constexpr Limit kText{20'000, Unit::kBytes};

class VictorOps final : public HttpReceiver {
 public:
  VictorOps(const ReceiverOptions& common, Options options)
      : HttpReceiver(common), options_(std::move(options)) {}

 protected:
  Result<HttpRequest> Build(const Notification& notification) const override {
    const auto key = options_.key.Reveal();
    if (!key) return Fail(key.error());
    const Message message(notification, templates());
    std::string out;
    text::JsonWriter json(out);
    json.BeginObject();
    json.Field("message_type",
               message.firing() ? message.Text(options_.message_type) : std::string("RECOVERY"));
    json.Field("entity_id", Hex(Sha256(notification.group_key)));
    json.Field("entity_display_name", message.Text(options_.entity, {1000}));
    json.Field("state_message", message.Fitted(options_.text, kText));
    json.Field("monitoring_tool", message.Text(options_.tool, {100}));
    for (const auto& [name, text] : options_.fields) json.Field(name, message.Text(text, kText));
    json.EndObject();
    return Post(options_.url + *key + "/" + message.Text(options_.routing_key), out);
  }

 private:
  const Options options_;
};

}  // namespace

std::unique_ptr<Receiver> MakeVictorOps(const ReceiverInput& input) {
  ReceiverOptions common(input, true);
  Options options;
  if (!common.ReadSecret("api_key", options.key, "victorops_api_key")) {
    input.options.Fault("api_key",
                        "is missing: write api_key or api_key_file, here or in global as "
                        "victorops_api_key");
  }
  common.ReadGlobal("victorops_api_url", options.url);
  input.options.Read("api_url", options.url);
  if (!options.url.ends_with('/')) options.url += '/';
  if (!input.options.Has("routing_key")) input.options.Require("routing_key", "who is told");
  for (const auto& [key, text] :
       {std::pair("routing_key", &options.routing_key),
        std::pair("message_type", &options.message_type),
        std::pair("entity_display_name", &options.entity),
        std::pair("state_message", &options.text), std::pair("monitoring_tool", &options.tool)}) {
    common.ReadTemplate(key, *text);
  }
  common.ReadTemplates("custom_fields", options.fields);
  for (const auto& [name, text] : options.fields) {
    constexpr std::array<std::string_view, 7> kTaken{
        "routing_key",     "message_type", "state_message", "entity_display_name",
        "monitoring_tool", "entity_id",    "entity_state"};
    if (std::find(kTaken.begin(), kTaken.end(), name) != kTaken.end()) {
      input.options.Fault("custom_fields", "'" + name + "' has a key of its own");
    }
  }
  input.options.Finish();
  return std::make_unique<VictorOps>(common, std::move(options));
}

}  // namespace vigia::alerting::deliver
