#include "tests/deliver/channels.h"

#include "alerting/deliver/message.h"

namespace vigia::test {

using alerting::deliver::Size;
using alerting::deliver::Unit;

std::size_t Runes(const nlohmann::json& text) {
  return Size(text.get_ref<const std::string&>(), Unit::kRunes);
}

std::string Fault(const std::string& channel, const nlohmann::json& body, std::size_t bytes) {
  if (channel == "discord") {
    const auto& embed = body["embeds"][0];
    if (Runes(embed["title"]) > 256) return "title";
    if (Runes(embed["description"]) > 4096) return "description";
    return Runes(embed["title"]) + Runes(embed["description"]) > 6000 ? "embed" : "";
  }
  if (channel == "slack") return Runes(body["attachments"][0]["text"]) > 3000 ? "text" : "";
  if (channel == "telegram") return Runes(body["text"]) > 4096 ? "text" : "";
  if (channel == "msteamsv2") return bytes > 28 * 1024 ? "size" : "";
  if (channel == "pagerduty") {
    if (bytes > 512 * 1024) return "size";
    if (body["dedup_key"].get<std::string>().size() > 255) return "dedup_key";
    return Runes(body["payload"]["summary"]) > 1024 ? "summary" : "";
  }
  if (channel == "mattermost") {
    return Runes(body["attachments"][0]["text"]) > 16'000 || bytes > 60'000 ? "text" : "";
  }
  if (channel == "googlechat") return bytes > 32'000 ? "size" : "";
  if (channel == "ntfy") {
    if (body["title"].get<std::string>().size() > 1024) return "title";
    return body["message"].get<std::string>().size() > 4096 ? "message" : "";
  }
  if (channel == "opsgenie") {
    if (Runes(body["message"]) > 130) return "message";
    if (Runes(body["alias"]) > 512) return "alias";
    return Runes(body["description"]) > 15'000 ? "description" : "";
  }
  if (channel == "pushover") {
    if (Runes(body["title"]) > 250) return "title";
    return Runes(body["message"]) > 1024 || Runes(body["message"]) == 0 ? "message" : "";
  }
  if (channel == "victorops") {
    return body["state_message"].get<std::string>().size() > 20'480 ? "state_message" : "";
  }
  if (channel == "webex")
    return body["markdown"].get<std::string>().size() > 7439 ? "markdown" : "";
  if (channel == "sentry") {
    if (Runes(body["message"]["formatted"]) > 8192) return "message";
    return body["tags"].size() > 50 ? "tags" : bytes > 200'000 ? "size" : "";
  }
  if (channel == "alertmanager") return body.is_array() && !body.empty() ? "" : "shape";
  return "";
}

std::string PathOf(const std::string& channel) {
  if (channel == "telegram") return "/x/bott/sendMessage";
  if (channel == "opsgenie") return "/x/v2/alerts";
  if (channel == "victorops") return "/x/k/r";
  if (channel == "sentry") return "/x/api/7/envelope/";
  if (channel == "alertmanager") return "/x/api/v2/alerts";
  return "/x";
}

std::string Yaml(const std::string& channel, const std::string& url) {
  if (channel == "discord" || channel == "msteamsv2") {
    return channel + "_configs: [{webhook_url: '" + url + "', http_config: {}}]";
  }
  if (channel == "slack") {
    return "slack_configs: [{api_url: '" + url +
           "', text: '{{ range .Alerts }}{{ .Annotations.description }}{{ end }}'}]";
  }
  if (channel == "telegram")
    return "telegram_configs: [{api_url: '" + url + "', bot_token: t, chat_id: 1}]";
  if (channel == "pagerduty") return "pagerduty_configs: [{url: '" + url + "', routing_key: k}]";
  if (channel == "mattermost") {
    return "mattermost_configs: [{webhook_url: '" + url +
           "', text: '{{ range .Alerts }}{{ .Annotations.description }}{{ end }}'}]";
  }
  if (channel == "googlechat") {
    return "googlechat_configs: [{webhook_url: '" + url +
           "', threads: false, text: '{{ range .Alerts }}{{ .Annotations.description }}{{ end "
           "}}'}]";
  }
  if (channel == "ntfy") return "ntfy_configs: [{url: '" + url + "', topic: ops}]";
  if (channel == "opsgenie") {
    return "opsgenie_configs: [{api_url: '" + url +
           "', api_key: k, description: '{{ range .Alerts }}{{ .Annotations.description }}{{ end "
           "}}'}]";
  }
  if (channel == "pushover")
    return "pushover_configs: [{api_url: '" + url + "', token: t, user_key: u}]";
  if (channel == "victorops") {
    return "victorops_configs: [{api_url: '" + url + "', api_key: k, routing_key: r}]";
  }
  if (channel == "webex") {
    return "webex_configs: [{api_url: '" + url +
           "', room_id: r, http_config: {authorization: {credentials: t}}}]";
  }
  if (channel == "sentry") {
    return "sentry_configs: [{dsn: '" + std::string(url).insert(url.find("://") + 3, "key@") +
           "/7'}]";
  }
  if (channel == "alertmanager") return "alertmanager_configs: [{urls: ['" + url + "']}]";
  return "webhook_configs: [{url: '" + url + "'}]";
}

nlohmann::json BodyOf(const std::string& channel, const std::string& body) {
  return nlohmann::json::parse(
      channel == "sentry" ? body.substr(body.rfind('\n', body.size() - 2) + 1) : body);
}

}  // namespace vigia::test
