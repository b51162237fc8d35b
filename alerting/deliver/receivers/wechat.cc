// wechat_configs: a message of an application of WeCom (WeChat Work), by a token that is fetched
// (developer.work.weixin.qq.com, "gettoken" and "message/send").

#include <algorithm>
#include <array>
#include <mutex>

#include "alerting/deliver/http_receiver.h"
#include "core/redact.h"
#include "core/text/json.h"

namespace vigia::alerting::deliver {
namespace {

constexpr std::array<std::string_view, 2> kTypes{"text", "markdown"};
constexpr Limit kMessage{2048, Unit::kBytes};

// What errcode says beside 0, "ok".
constexpr std::array kPassing{-1, 45009, 45033};             // busy, or too many calls
constexpr std::array kBadToken{40001, 40014, 41001, 42001};  // not the token any more

struct Options {
  std::string api_url = "https://qyapi.weixin.qq.com/cgi-bin/";
  Secret secret;
  std::string corp_id;
  std::string message = R"({{ template "wechat.default.message" . }})";
  std::string to_user = R"({{ template "wechat.default.to_user" . }})";
  std::string to_party = R"({{ template "wechat.default.to_party" . }})";
  std::string to_tag = R"({{ template "wechat.default.to_tag" . }})";
  std::string agent_id = R"({{ template "wechat.default.agent_id" . }})";
  std::size_t type = 0;  // of kTypes
};

template <std::size_t size>
bool IsOneOf(const std::array<int, size>& codes, std::int64_t code) {
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

// The errcode of an answer; nothing if the answer is not WeCom's.
std::optional<std::int64_t> CodeIn(const HttpResponse& response) {
  return IntegerInJson(response.body, "errcode");
}

class WeChat final : public HttpReceiver {
 public:
  WeChat(const ReceiverOptions& common, Options options)
      : HttpReceiver(common), clock_(common.input().clock), options_(std::move(options)) {}

  // An application tells one person 30 messages a minute.
  Pace pace() const override { return {.per_second = 0.5, .burst = 10}; }

  Outcome Deliver(const Notification& notification, Deadline deadline) override {
    const auto told = send_resolved() ? notification : WithoutResolved(notification);
    if (told.alerts.empty()) return {.message = "only resolved alerts, which are not wanted"};
    bool anew = false;  // the token was refused
    auto outcome = Try(told, deadline, anew);
    if (anew) outcome = Try(told, deadline, anew);
    return outcome;
  }

 protected:
  Result<HttpRequest> Build(const Notification& notification) const override {
    const Message message(notification, templates());
    const auto text = message.Fitted(options_.message, kMessage);
    std::string out;
    text::JsonWriter json(out);
    json.BeginObject();
    for (const auto& [key, value] :
         {std::pair("touser", &options_.to_user), std::pair("toparty", &options_.to_party),
          std::pair("totag", &options_.to_tag), std::pair("agentid", &options_.agent_id)}) {
      if (const auto expanded = message.Text(*value); !expanded.empty()) json.Field(key, expanded);
    }
    json.Field("msgtype", kTypes[options_.type]).Field("safe", "0");
    json.Key(kTypes[options_.type]).BeginObject();
    // An empty message is refused.
    json.Field("content", text.empty() ? "Alerts " + std::string(message.status()) : text);
    json.EndObject().EndObject();
    return Post(options_.api_url + "message/send", out);
  }

 private:
  Outcome Try(const Notification& notification, Deadline deadline, bool& refused) {
    refused = false;
    std::string token;
    if (auto outcome = Token(deadline, token); outcome.kind != Outcome::Kind::kDelivered) {
      return outcome;
    }
    auto request = Build(notification);
    if (!request) return Rejected(Redact(request.error().message()));
    auto url = AddUrlParameters(request->url, {{"access_token", token}});
    if (!url) return Rejected(Redact(url.error().message()));
    request->url = *std::move(url);
    const auto response = sender().Send(*std::move(request), deadline);
    auto outcome = ReadCode(response);
    if (response && IsOneOf(kBadToken, CodeIn(*response).value_or(0))) {
      refused = true;
      const std::lock_guard lock(mutex_);
      if (token_ == token) token_.clear();
    }
    return outcome;
  }

  Outcome ReadCode(const Result<HttpResponse>& response) const {
    auto outcome = ReadAnswer(response, Now());
    if (outcome.kind != Outcome::Kind::kDelivered) return outcome;
    const auto code = CodeIn(*response);
    if (!code) return {.kind = Outcome::Kind::kRetry, .message = "an answer that is not WeCom's"};
    if (*code == 0) return outcome;
    outcome.message = "errcode " + std::to_string(*code) + ": " +
                      Cut(Redact(TextInJson(response->body, "errmsg")), {200});
    const bool passes = IsOneOf(kPassing, *code) || IsOneOf(kBadToken, *code);
    outcome.kind = passes ? Outcome::Kind::kRetry : Outcome::Kind::kRejected;
    return outcome;
  }

  // The token at hand, else a new one.
  Outcome Token(Deadline deadline, std::string& token) {
    {
      const std::lock_guard lock(mutex_);
      if (!token_.empty() && clock_.Now() < token_ends_) {
        token = token_;
        return {};
      }
    }
    const auto secret = options_.secret.Reveal();
    if (!secret) {
      return {.kind = Outcome::Kind::kRetry, .message = Redact(secret.error().message())};
    }
    const auto url = AddUrlParameters(options_.api_url + "gettoken",
                                      {{"corpid", options_.corp_id}, {"corpsecret", *secret}});
    if (!url) return Rejected(Redact(url.error().message()));
    const auto response = sender().Send({.url = *url}, deadline, sender().fetching());
    auto outcome = ReadCode(response);
    outcome.message = "gettoken: " + outcome.message;
    // Of the secret, which does not become right by itself.
    const bool wrong = response && IsOneOf(kBadToken, CodeIn(*response).value_or(0));
    if (wrong) outcome.kind = Outcome::Kind::kRejected;
    if (outcome.kind != Outcome::Kind::kDelivered) return outcome;
    Keep(*response, token);
    if (token.empty()) return Rejected("gettoken: no token in the answer");
    return outcome;
  }

  void Keep(const HttpResponse& response, std::string& token) {
    constexpr std::int64_t kUsual = 7200;
    const auto seconds = IntegerInJson(response.body, "expires_in").value_or(kUsual);
    token = TextInJson(response.body, "access_token");
    const std::lock_guard lock(mutex_);
    token_ = token;
    // A little before its end, so that it does not run out on its way.
    token_ends_ = clock_.Now() +
                  std::chrono::milliseconds(900) * std::clamp<std::int64_t>(seconds, 0, kUsual);
  }

  Clock& clock_;
  const Options options_;
  std::mutex mutex_;
  // Guarded by mutex_.
  std::string token_;
  Instant token_ends_{};
};

}  // namespace

std::unique_ptr<Receiver> MakeWeChat(const ReceiverInput& input) {
  ReceiverOptions common(input, false);
  Options options;
  common.ReadGlobal("wechat_api_url", options.api_url);
  input.options.Read("api_url", options.api_url);
  if (!options.api_url.ends_with('/')) options.api_url += '/';
  if (const auto url = ParseHttpUrl(options.api_url); !url) {
    input.options.Fault("api_url", url.error().message());
  }
  if (!common.ReadSecret("api_secret", options.secret, "wechat_api_secret")) {
    input.options.Require("api_secret", "or wechat_api_secret in global");
  }
  common.ReadGlobal("wechat_api_corp_id", options.corp_id);
  input.options.Read("corp_id", options.corp_id);
  if (options.corp_id.empty()) {
    input.options.Require("corp_id", "or wechat_api_corp_id in global");
  }
  for (const auto& [key, text] :
       {std::pair("message", &options.message), std::pair("to_user", &options.to_user),
        std::pair("to_party", &options.to_party), std::pair("to_tag", &options.to_tag),
        std::pair("agent_id", &options.agent_id)}) {
    common.ReadTemplate(key, *text);
  }
  options.type = input.options.ReadChoice("message_type", kTypes, 0);
  input.options.Finish();
  return std::make_unique<WeChat>(common, std::move(options));
}

}  // namespace vigia::alerting::deliver
