#include "alerting/deliver/http_receiver.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "core/http_client.h"
#include "core/redact.h"

namespace vigia::alerting::deliver {
namespace {

// A quoted string, or what follows the name of a header or of a form's field, up to its end.
bool IsWholeValue(std::string_view text, std::size_t at, std::size_t size) {
  const auto before = text.substr(0, at);
  const auto after = text.substr(at + size);
  return (before.ends_with('"') || before.ends_with('=') || before.ends_with(": ")) &&
         (after.empty() || after.front() == '\n' ||
          (after.front() == '"' && !after.starts_with("\":")));
}

// A short secret occurs by chance in any text: it is hidden only where it is all of a value.
void Hide(const Secret& secret, std::string& text) {
  constexpr std::size_t kLong = 6;
  const auto value = secret.Reveal();
  if (!value || value->empty()) return;
  for (auto at = text.find(*value); at != text.npos; at = text.find(*value, at)) {
    if (value->size() < kLong && !IsWholeValue(text, at, value->size())) {
      ++at;
      continue;
    }
    text.replace(at, value->size(), kRedacted);
    at += kRedacted.size();
  }
}

std::optional<char> ParseHexByte(std::string_view digits) {
  int value = 0;
  const auto end = digits.data() + digits.size();
  const auto parsed = std::from_chars(digits.data(), end, value, 16);
  if (digits.size() != 2 || parsed.ptr != end) return std::nullopt;
  return static_cast<char>(value);
}

// "a=b+c&d=%20" as lines, for people.
std::string FormLines(std::string_view form) {
  std::string out;
  for (std::size_t i = 0; i < form.size(); ++i) {
    const char c = form[i];
    const auto byte = c == '%' ? ParseHexByte(form.substr(i + 1, 2)) : std::nullopt;
    if (byte) i += 2;
    out += byte ? *byte : c == '&' ? '\n' : c == '+' ? ' ' : c;
  }
  return out;
}

bool IsForm(const HttpFields& headers) {
  return std::any_of(headers.begin(), headers.end(), [](const auto& header) {
    return header.second == "application/x-www-form-urlencoded";
  });
}

// The texts of `map` whose names begin with `prefix`: "confirm.", or nothing.
void ReadTexts(config::MapReader& map, std::initializer_list<const char*> names,
               const templates::TemplateSet& templates, const std::string& prefix, Texts& texts) {
  std::string_view inner;
  for (const std::string_view name : names) {
    if (!name.starts_with(prefix)) continue;
    const auto key = name.substr(prefix.size());
    if (const auto dot = key.find('.'); dot != key.npos) {
      const auto* const node =
          key.substr(0, dot) == inner ? nullptr : map.Child(key.substr(0, dot));
      inner = key.substr(0, dot);
      if (!node) continue;
      config::MapReader nested(*node, map.diagnostics(), std::string(inner));
      ReadTexts(nested, names, templates, prefix + std::string(inner) + ".", texts);
      nested.Finish();
      continue;
    }
    std::string text;
    if (!map.Read(key, text)) continue;
    if (auto status = templates.Check(text); !status) map.Fault(key, status.error().message());
    texts.emplace_back(name, std::move(text));
  }
}

void AppendTexts(text::JsonWriter& json, const Texts& texts, const Message& message) {
  constexpr Limit kText{2000};
  std::string open;  // the map that is being written within this one
  json.BeginObject();
  for (const auto& [name, text] : texts) {
    const auto dot = name.find('.');
    const auto map = dot == name.npos ? std::string() : name.substr(0, dot);
    if (map != open && !open.empty()) json.EndObject();
    if (map != open && !map.empty()) json.Key(map).BeginObject();
    open = map;
    const auto key = dot == name.npos ? name : name.substr(dot + 1);
    if (key == "short") {
      json.Key(key).Bool(text == "true");
    } else if (const auto value = message.Text(text, kText); !value.empty()) {
      json.Field(key, value);
    }
  }
  if (!open.empty()) json.EndObject();
  json.EndObject();
}

}  // namespace

ReceiverOptions::ReceiverOptions(const ReceiverInput& input, bool send, bool over_http)
    : send_resolved(send), input_(input) {
  reader().Read("send_resolved", send_resolved);
  if (over_http) http = ReadHttpConfig(reader(), input.global, input.folder);
}

void ReceiverOptions::Check(std::string_view key, const std::string& text) {
  if (auto status = input_.templates->Check(text); !status) {
    reader().Fault(key, status.error().message());
  }
}

void ReceiverOptions::ReadTemplate(std::string_view key, std::string& text) {
  if (reader().Read(key, text)) Check(key, text);
}

void ReceiverOptions::ReadTemplates(std::string_view key, std::vector<std::string>& texts) {
  if (!reader().Read(key, texts)) return;
  for (const auto& text : texts) Check(key, text);
}

void ReceiverOptions::ReadTemplates(std::string_view key,
                                    std::map<std::string, std::string>& texts) {
  std::map<std::string, std::string> given;
  if (!reader().Read(key, given)) return;
  for (auto& [name, text] : given) {
    Check(key, text);
    texts[name] = text;
  }
}

void ReceiverOptions::ReadTextMaps(config::MapReader& from, std::string_view key,
                                   std::initializer_list<const char*> names, std::size_t most,
                                   std::vector<Texts>& list) {
  const config::Node* const node = from.Child(key);
  if (!node || node->IsNull()) return;
  if (!node->IsList()) return from.Fault(key, "has to be a list");
  for (const auto& item : node->items) {
    config::MapReader map(item, from.diagnostics(), std::string(key));
    Texts texts;
    ReadTexts(map, names, *input_.templates, {}, texts);
    map.Finish();
    list.push_back(std::move(texts));
  }
  if (list.size() > most) {
    from.Fault(key, "has more than " + std::to_string(most) + " entries");
  }
}

namespace {

// Of a URL that stands in place; what it comes to where it is a template only sending tells.
void CheckUrl(config::MapReader& reader, std::string_view key, const Secret& secret) {
  if (!key.ends_with("url") || !reader.Has(key)) return;
  const auto text = secret.Reveal();
  if (!text || text->empty() || text->find("{{") != text->npos) return;
  if (const auto url = ParseHttpUrl(*text); !url) reader.Fault(key, url.error().message());
}

}  // namespace

bool ReceiverOptions::ReadSecret(std::string_view key, Secret& secret,
                                 std::string_view global_key) {
  config::MapReader global(input_.global, reader().diagnostics(), "global");
  bool found = ReadSecretIn(reader(), key, input_.folder, secret);
  CheckUrl(reader(), key, secret);
  if (!found && !global_key.empty()) {
    found = ReadSecretIn(global, global_key, input_.folder, secret);
    CheckUrl(global, global_key, secret);
  }
  if (found) secrets_.push_back(secret);
  return found;
}

bool ReceiverOptions::ReadSecretTemplate(std::string_view key, Secret& secret) {
  const bool found = ReadSecret(key, secret);
  if (const auto text = secret.Reveal(); reader().Has(key) && text) Check(key, *text);
  return found;
}

void ReceiverOptions::ReadTimeout() {
  const config::Node* const node = reader().Child("timeout");
  if (node && node->IsScalar() && (node->text == "0" || node->text == "0s")) return;
  reader().Read("timeout", timeout);
}

void ReceiverOptions::ReadGlobal(std::string_view global_key, std::string& text) {
  config::MapReader global(input_.global, reader().diagnostics(), "global");
  global.Read(global_key, text);
}

HttpReceiver::HttpReceiver(const ReceiverOptions& options)
    : send_resolved_(options.send_resolved),
      timeout_(options.timeout),
      secrets_(options.secrets()),
      templates_(options.input().templates),
      clock_(options.input().clock),
      sender_(options.http, options.input().clock) {}

void HttpReceiver::AppendTextMaps(text::JsonWriter& json, std::string_view key,
                                  const std::vector<Texts>& list, const Message& message) {
  if (list.empty()) return;
  json.Key(key).BeginArray();
  for (const auto& texts : list) AppendTexts(json, texts, message);
  json.EndArray();
}

HttpRequest HttpReceiver::Post(std::string url, std::string json) {
  return {.method = "POST",
          .url = std::move(url),
          .headers = {{"Content-Type", "application/json"}, {"User-Agent", "vigia"}},
          .body = std::move(json)};
}

Outcome HttpReceiver::Deliver(const Notification& notification, Deadline deadline) {
  if (!send_resolved_) {
    const auto firing = WithoutResolved(notification);
    if (firing.alerts.empty()) return {.message = "only resolved alerts, which are not wanted"};
    if (firing.alerts.size() < notification.alerts.size()) return Deliver(firing, deadline);
  }
  if (timeout_.count() > 0) {
    const auto own = Deadline::After(deadline.clock(), timeout_);
    if (own.at() < deadline.at()) deadline = own;
  }
  auto request = Build(notification);
  if (!request) {
    const bool invalid = request.error().code() == ErrorCode::kInvalid;
    return {.kind = invalid ? Outcome::Kind::kRejected : Outcome::Kind::kRetry,
            .message = Redact(request.error().message())};
  }
  return Read(sender_.Send(*std::move(request), deadline), notification);
}

Outcome HttpReceiver::Read(const Result<HttpResponse>& response, const Notification&) const {
  return ReadAnswer(response, Now());
}

Result<std::string> HttpReceiver::Render(const Notification& notification) {
  const auto told = send_resolved_ ? notification : WithoutResolved(notification);
  const auto request = Build(told);
  if (!request) return Fail(request.error());
  // A URL is the secret itself for most channels: only its host is shown.
  const auto url = ParseHttpUrl(request->url);
  std::string out = request->method + " ";
  out += url ? url->scheme + "://" + url->host + "/..." : "(no URL)";
  out += '\n';
  for (const auto& [name, value] : request->headers) {
    const bool secret = name == "Authorization" || name == "X-Sentry-Auth";
    out += name + ": " + (secret ? "***" : value) + "\n";
  }
  out += "\n" + (IsForm(request->headers) ? FormLines(request->body) : request->body) + "\n";
  for (const auto& secret : secrets_) Hide(secret, out);
  return out;
}

Notification WithoutResolved(const Notification& notification) {
  Notification firing = notification;
  std::erase_if(firing.alerts,
                [&](const Alert& alert) { return alert.ResolvedAt(notification.now); });
  return firing;
}

}  // namespace vigia::alerting::deliver
