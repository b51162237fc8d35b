// What receivers' options are refused for, and what of Alertmanager's is read.

#include <catch2/catch.hpp>

#include "alerting/deliver/receiver.h"
#include "core/config/yaml.h"
#include "tests/deliver/groups.h"

using namespace vigia;
using namespace vigia::alerting::deliver;

namespace {

// The faults of a receiver with this `global:`; empty if there are none.
std::string Faults(const std::string& yaml, const std::string& global_yaml = "{}") {
  config::Diagnostics diagnostics("alertmanager.yml");
  const auto node = config::ParseYaml(yaml, {}, diagnostics);
  const auto global = config::ParseYaml(global_yaml, {}, diagnostics);
  config::MapReader reader(node, diagnostics, "receivers");
  ReadReceiver(reader, global, ".", nullptr, SystemClock());
  reader.Finish();
  return diagnostics.ToString();
}

bool Has(const std::string& text, const std::string& part) {
  INFO(text);
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a kind that there is not is a fault with the nearest that there is", "[deliver]") {
  const auto faults = Faults("\nmsteam_configs: [{}]");
  CHECK(faults.starts_with("alertmanager.yml:2:1: "));
  CHECK(Has(faults, "msteams_configs"));
  CHECK(std::count(faults.begin(), faults.end(), '\n') == 1);
}

TEST_CASE("a URL that leads nowhere is a fault where it stands", "[deliver]") {
  for (const std::string url : {"hook", "ftp://host/x", "http://"}) {
    CHECK(Has(Faults("webhook_configs: [ { url: '" + url + "' } ]"),
              "alertmanager.yml:1:22: url: not a URL"));
  }
  CHECK(Has(Faults("slack_configs: [ { channel: c } ]", "slack_api_url: x"),
            "slack_api_url: not a URL"));
  // Only sending tells what a template or a file comes to.
  CHECK(Faults("webhook_configs: [ { url: '{{ .CommonLabels.hook }}' } ]") == "");
  CHECK(Faults("webhook_configs: [ { url_file: /run/secrets/hook } ]") == "");
  CHECK(Faults("webhook_configs: [ { url: 'http://u:p@host:80/x?y=z' } ]") == "");
}

TEST_CASE("every key of Alertmanager's loads", "[deliver]") {
  CHECK(Faults(R"(
slack_configs:
  - send_resolved: true
    app_token: t
    app_url: https://slack.example/api/chat.postMessage
    channel: c
    username: u
    color: good
    title: t
    title_link: l
    pretext: p
    text: x
    message_text: m
    fields: [{title: a, value: b, short: true}]
    short_fields: true
    footer: f
    fallback: f
    callback_id: c
    icon_emoji: e
    icon_url: i
    image_url: i
    thumb_url: t
    link_names: true
    mrkdwn_in: [text]
    actions: [{type: button, text: t, name: n, value: v, style: s, confirm: {text: a, title: b, ok_text: c, dismiss_text: d}}]
    update_message: true
    timeout: 10s
pagerduty_configs:
  - {routing_key: '{{ .GroupLabels.a }}', url: 'https://p.example', client: c, client_url: u, description: d,
     details: {a: {b: [c]}}, images: [{src: s, alt: a, href: h}], links: [{href: h, text: t}], source: s,
     severity: s, class: c, component: c, group: g, timeout: 0s}
  - {service_key_file: k}
webhook_configs:
  - {url: 'https://w.example/{{ .Status }}', max_alerts: 3, timeout: 0s, payload: {a: '{{ .Status }}'}}
opsgenie_configs:
  - {api_key: k, api_url: 'https://o.example', message: m, description: d, source: s, details: {a: b}, entity: e,
     responders: [{id: i, type: team}, {name: 'a,b', type: teams}, {username: u, type: user},
                  {name: n, type: '{{ .CommonLabels.kind }}'}], actions: 'a,b', tags: t, note: n, priority: P1,
     update_alerts: true}
telegram_configs:
  - {api_url: 'https://t.example', bot_token: t, chat_id: -100, message_thread_id: 4, message: m,
     disable_notifications: true, parse_mode: MarkdownV2}
  - {bot_token_file: b, chat_id_file: c, parse_mode: ''}
discord_configs:
  - {webhook_url: 'https://d.example', content: c, title: t, message: m, username: u, avatar_url: a}
msteamsv2_configs:
  - {webhook_url_file: f, title: t, text: x}
victorops_configs:
  - {api_key: k, api_url: 'https://v.example', routing_key: r, message_type: m, state_message: s,
     entity_display_name: e, monitoring_tool: t, custom_fields: {a: b}}
pushover_configs:
  - {user_key: u, token: t, title: t, message: m, url: u, url_title: t, device: d, sound: s, priority: '1',
     retry: 10s, expire: 4h, ttl: 1h, html: true}
incidentio_configs:
  - {url: 'https://i.example', alert_source_token: t, max_alerts: 3, timeout: 10s}
  - {url_file: u, http_config: {authorization: {credentials: c}}}
msteams_configs:
  - {webhook_url: 'https://t.example', title: t, summary: s, text: x}
  - {webhook_url_file: f, send_resolved: false}
rocketchat_configs:
  - {api_url: 'https://r.example/', channel: c, token: t, token_id_file: i, color: c, title: t, title_link: l, text: x,
     fields: [{title: a, value: b, short: true}], short_fields: true, emoji: e, icon_url: i, image_url: i, thumb_url: t,
     link_names: true, actions: [{type: button, text: t, url: u, msg: m}]}
wechat_configs:
  - {api_secret: s, corp_id: c, message: m, api_url: 'https://w.example/cgi-bin/', to_user: u, to_party: p, to_tag: t,
     agent_id: '1', message_type: markdown}
jira_configs:
  - {api_url: 'https://c.atlassian.net/rest/api/2/', project: P, summary: s, description: d, labels: [a, '{{ .Status }}'],
     priority: p, issue_type: Bug, resolve_transition: r, reopen_transition: o, wont_fix_resolution: w,
     reopen_duration: 1h, fields: {a: b, c: {d: e}, f: [{g: h}]}, http_config: {basic_auth: {username: u, password: p}}}
  - {api_url: 'https://j.example/rest/api/3', api_type: datacenter, project: P, issue_type: Bug,
     summary: {template: s, enable_update: true}, description: {template: d, enable_update: false}}
sns_configs:
  - {api_url: 'https://s.example', sigv4: {region: r, access_key: a, secret_key: s, profile: p, role_arn: x},
     topic_arn: t, subject: s, message: m, attributes: {a: b}}
  - {sigv4: {region: r}, phone_number: '+1'}
  - {sigv4: {}, target_arn: 'arn:aws:sns:eu-west-1:1:endpoint'}
webex_configs:
  - {room_id: r, message: m, api_url: 'https://w.example', http_config: {authorization: {credentials: c}}}
)") == "");
  CHECK(
      Faults("webhook_configs: [{url: 'http://a', http_config: {oauth2: {client_id: a, "
             "client_secret_file: s, scopes: [x], token_url: 'http://t', endpoint_params: {a: b}, "
             "tls_config: {insecure_skip_verify: true, min_version: TLS13}, proxy_url: 'http://p', "
             "no_proxy: localhost, proxy_connect_header: {A: [b]}}, "
             "tls_config: {ca_file: c, cert_file: c, key_file: k, server_name: n, "
             "min_version: TLS10, max_version: TLS12}, proxy_from_environment: true, "
             "proxy_connect_header: {A: [b, c]}, follow_redirects: false, enable_http2: false, "
             "http_headers: {X-A: {values: [a], secrets: [b], files: [c]}}}}]") == "");
}

TEST_CASE("http_config that contradicts itself is refused", "[deliver]") {
  const auto faults = [](const std::string& http) {
    return Faults("webhook_configs: [{url: 'http://a', http_config: {" + http + "}}]");
  };
  CHECK(Has(faults("basic_auth: {username: a}, oauth2: {client_id: a, token_url: 'http://t'}"),
            "oauth2: stands beside basic_auth"));
  CHECK(Has(faults("authorization: {credentials: a}, bearer_token: b"),
            "bearer_token: stands beside authorization"));
  CHECK(Has(faults("proxy_from_environment: true, proxy_url: 'http://p'"), "does not go together"));
  CHECK(Has(faults("no_proxy: a"), "means nothing without proxy_url"));
  CHECK(Has(faults("tls_config: {min_version: TLS9}"), "'TLS9' is not one of"));
  CHECK(
      Has(faults("tls_config: {min_version: TLS13, max_version: TLS12}"), "is below min_version"));
  CHECK(Has(faults("tls_config: {cert_file: a}"), "go together"));
  CHECK(Has(faults("http_headers: {Content-Type: {values: [a]}}"), "Content-Type is set by vigia"));
  CHECK(Has(faults("oauth2: {client_id: a}"), "the key 'token_url' is missing"));
}

TEST_CASE("options that the channel would refuse are refused at once", "[deliver]") {
  CHECK(Has(Faults("slack_configs: [{api_url: 'https://hooks.example/x', update_message: true}]"),
            "a webhook cannot change its messages"));
  CHECK(Has(Faults("slack_configs: [{app_token: a, http_config: {authorization: {credentials: "
                   "b}}}]"),
            "app_token: stands beside http_config's authorization"));
  CHECK(Has(Faults("slack_configs: [{api_url: 'http://a', actions: [{type: button, text: a}]}]"),
            "each has type, text, and url or name"));
  CHECK(Has(Faults("opsgenie_configs: [{api_key: k, responders: [{name: a, type: crew}]}]"),
            "team, teams, user, escalation or schedule"));
  CHECK(Has(Faults("pagerduty_configs: [{routing_key: '{{ .A '}]"), "routing_key: "));
  CHECK(Has(Faults("webhook_configs: [{url: 'http://a', payload: {a: [\"{{ end }}\"]}}]"),
            "alertmanager.yml:1:"));
  CHECK(Has(Faults("telegram_configs: [{bot_token: a, chat_id: 1, chat_id_file: b}]"),
            "chat_id_file: stands beside chat_id"));
  CHECK(Has(Faults("victorops_configs: [{api_key: k, routing_key: r, custom_fields: {entity_id: "
                   "a}}]"),
            "'entity_id' has a key of its own"));
  CHECK(Has(Faults("sentry_configs: [{dsn: 'https://k@s.example/1', tags: {'a b': c}}]"),
            "'a b' is no name"));
  CHECK(Has(Faults("jira_configs: [{api_url: 'http://j', project: P, issue_type: B, fields: "
                   "{summary: a}}]"),
            "alertmanager.yml:1:74: fields: 'summary' has a key of its own"));
  CHECK(
      Has(Faults("jira_configs: [{api_url: 'http://j', project: P}]"), "'issue_type' is missing"));
  CHECK(Has(Faults("jira_configs: [{project: P, issue_type: B}]"), "'api_url' is missing"));
  CHECK(Has(Faults("jira_configs: [{api_url: j, project: P, issue_type: B}]"), "not a URL"));
  CHECK(Has(Faults("sns_configs: [{sigv4: {region: r}}]"),
            "write one of topic_arn, target_arn and phone_number"));
  CHECK(Has(Faults("sns_configs: [{sigv4: {region: r}, topic_arn: a, phone_number: b}]"),
            "write one of topic_arn, target_arn and phone_number"));
  CHECK(Has(Faults("sns_configs: [{phone_number: '+1'}]"), "sigv4: has to have a region"));
  CHECK(Has(Faults("sns_configs: [{sigv4: {region: r, access_key: a}, topic_arn: t}]"),
            "access_key and secret_key go together"));
  CHECK(Has(Faults("incidentio_configs: [{url: 'http://i'}]"), "'alert_source_token' is missing"));
  CHECK(Has(Faults("rocketchat_configs: [{token: t}]"), "'token_id' is missing"));
  CHECK(Has(Faults("rocketchat_configs: [{token: t, token_id: i, api_url: chat}]"), "not a URL"));
  CHECK(Has(Faults("wechat_configs: [{corp_id: c}]"), "'api_secret' is missing"));
  CHECK(Has(Faults("wechat_configs: [{api_secret: s, corp_id: c, message_type: image}]"),
            "'image' is not one of"));
  CHECK(Has(Faults("msteams_configs: [{title: '{{ end }}'}]"), "'webhook_url' is missing"));
  CHECK(Has(Faults("slack_configs: [{api_url: 'http://a', fields: {title: a}}]"),
            "fields: has to be a list"));
}

TEST_CASE("global settings stand in where a receiver has none", "[deliver]") {
  CHECK(Faults("slack_configs: [{channel: c}]", "slack_app_token: t\nslack_app_url: 'http://a'") ==
        "");
  CHECK(Faults("opsgenie_configs: [{}]",
               "opsgenie_api_key_file: k\nopsgenie_api_url: 'http://o'") == "");
  CHECK(Faults("victorops_configs: [{routing_key: r}]", "victorops_api_key: k") == "");
  CHECK(Faults("telegram_configs: [{chat_id: 1}]", "telegram_bot_token: t") == "");
  CHECK(
      Faults("rocketchat_configs: [{channel: c}]",
             "rocketchat_token: t\nrocketchat_token_id_file: i\nrocketchat_api_url: 'http://r'") ==
      "");
  CHECK(Faults("wechat_configs: [{}]", "wechat_api_secret: s\nwechat_api_corp_id: c") == "");
  CHECK(Faults("jira_configs: [{project: P, issue_type: B}]", "jira_api_url: 'http://j'") == "");
  CHECK(Has(Faults("slack_configs: [{channel: c}]"), "slack_app_token"));
}
