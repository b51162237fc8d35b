#include "tests/deliver/channels.h"

#include <algorithm>

#include "alerting/deliver/message.h"

namespace vigia::test {

using alerting::deliver::Size;
using alerting::deliver::Unit;

std::size_t Runes(const nlohmann::json& text) {
  return Size(text.get_ref<const std::string&>(), Unit::kRunes);
}

namespace {

bool IsLine(const std::string& text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return c >= 0 && c < ' '; });
}

std::string JiraFault(const nlohmann::json& fields) {
  if (Runes(fields["summary"]) > 255 || !IsLine(fields["summary"])) return "summary";
  if (Runes(fields["description"]) > 32'767) return "description";
  for (const auto& label : fields["labels"]) {
    if (Runes(label) > 255 || label.get<std::string>().find(' ') != std::string::npos) {
      return "label";
    }
  }
  return "";
}

std::string SnsFault(const nlohmann::json& form) {
  const auto message = form["Message"].get<std::string>();
  if (message.empty() || message.size() > 256 * 1024) return "Message";
  const auto subject = form.value("Subject", "");
  return Runes(subject) > 99 || !IsLine(subject) ? "Subject" : "";
}

// "a=b%20c&d=e" as an object.
nlohmann::json FormAsJson(std::string_view form) {
  auto object = nlohmann::json::object();
  while (!form.empty()) {
    const auto one = form.substr(0, form.find('&'));
    const auto equal = one.find('=');
    std::string value;
    for (std::size_t i = equal + 1; i < one.size(); ++i) {
      if (one[i] == '%') {
        value += static_cast<char>(std::stoi(std::string(one.substr(i + 1, 2)), nullptr, 16));
        i += 2;
      } else {
        value += one[i] == '+' ? ' ' : one[i];
      }
    }
    object[std::string(one.substr(0, equal))] = value;
    form.remove_prefix(std::min(one.size() + 1, form.size()));
  }
  return object;
}

}  // namespace

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
  if (channel == "msteams") {
    for (const char* const key : {"@context", "@type", "summary", "text"}) {
      if (body.value(key, "").empty()) return key;
    }
    return bytes > 28 * 1024 ? "size" : "";
  }
  if (channel == "rocketchat") return Runes(body["attachments"][0]["text"]) > 5000 ? "text" : "";
  if (channel == "wechat") {
    if (body["touser"] == "" || body["agentid"] == "") return "nobody";
    const auto size = body["text"]["content"].get<std::string>().size();
    return size > 2048 || size == 0 ? "content" : "";
  }
  if (channel == "incidentio") {
    return bytes > 512 * 1024 ? "size" : body["version"] != "1" ? "version" : "";
  }
  if (channel == "jira") return JiraFault(body["fields"]);
  if (channel == "sns") return SnsFault(body);
  if (channel == "alertmanager") return body.is_array() && !body.empty() ? "" : "shape";
  return "";
}

std::string TakenBody(const std::string& channel) {
  if (channel == "msteams") return "1";
  if (channel == "rocketchat") return R"({"success":true,"channel":"ops"})";
  if (channel == "wechat") return R"({"errcode":0,"errmsg":"ok"})";
  if (channel == "jira") return R"({"id":"1","key":"OPS-1"})";
  if (channel == "sns") return "<PublishResponse/>";
  return "ok";
}

void AnswerBeside(const std::string& channel, HttpStub& stub) {
  if (channel == "wechat") {
    stub.Answer("/x/gettoken",
                {.body = R"({"errcode":0,"errmsg":"ok","access_token":"t","expires_in":7200})"});
  }
  if (channel == "jira") stub.Answer("/x/search", {.body = R"({"issues":[]})"});
}

std::string PathOf(const std::string& channel) {
  if (channel == "rocketchat") return "/x/api/v1/chat.postMessage";
  if (channel == "wechat") return "/x/message/send";
  if (channel == "jira") return "/x/issue";
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
  if (channel == "msteams") return "msteams_configs: [{webhook_url: '" + url + "'}]";
  if (channel == "rocketchat") {
    return "rocketchat_configs: [{send_resolved: true, api_url: '" + url +
           "/', token: t, token_id: u, channel: ops}]";
  }
  if (channel == "wechat") {
    return "wechat_configs: [{send_resolved: true, api_url: '" + url +
           "', api_secret: s, corp_id: c, to_user: '@all', agent_id: '1'}]";
  }
  if (channel == "jira") {
    return "jira_configs: [{api_url: '" + url +
           "', project: OPS, issue_type: Bug, labels: ['a b', '{{ .CommonLabels.alertname }}']}]";
  }
  if (channel == "incidentio") {
    return "incidentio_configs: [{url: '" + url + "', alert_source_token: t}]";
  }
  if (channel == "sns") {
    return "sns_configs: [{api_url: '" + url +
           "', sigv4: {region: eu-west-1, access_key: AKID, secret_key: s3cret}, topic_arn: "
           "'arn:aws:sns:eu-west-1:1:ops'}]";
  }
  if (channel == "alertmanager") return "alertmanager_configs: [{urls: ['" + url + "']}]";
  return "webhook_configs: [{url: '" + url + "'}]";
}

nlohmann::json BodyOf(const std::string& channel, const std::string& body) {
  if (channel == "sns") return FormAsJson(body);
  return nlohmann::json::parse(
      channel == "sentry" ? body.substr(body.rfind('\n', body.size() - 2) + 1) : body);
}

}  // namespace vigia::test
