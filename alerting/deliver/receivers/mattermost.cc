// mattermost_configs: an attachment by an incoming webhook of Mattermost.

#include "alerting/deliver/http_receiver.h"
#include "core/text/json.h"

namespace vigia::alerting::deliver {
namespace {

struct Options {
  Secret url;
  std::string channel;
  std::string username;
  std::string icon_url;
  std::string icon_emoji;
  std::string color = R"({{ if eq .Status "firing" }}#c62828{{ else }}#2e7d32{{ end }})";
  std::string title = R"({{ template "mattermost.default.title" . }})";
  std::string title_link = R"({{ template "mattermost.default.titlelink" . }})";
  std::string text = R"({{ template "mattermost.default.text" . }})";
  std::string fallback = R"({{ template "mattermost.default.fallback" . }})";
  std::string priority;  // "", "important" or "urgent"
};

constexpr Limit kTitle{1024};
// A post has 16,383 characters in all; longer ones are divided.
constexpr Limit kText{13'000};

class Mattermost final : public HttpReceiver {
 public:
  Mattermost(const ReceiverOptions& common, Options options)
      : HttpReceiver(common), options_(std::move(options)) {}

  Pace pace() const override { return {.per_second = 2, .burst = 10}; }

 protected:
  Result<HttpRequest> Build(const Notification& notification) const override {
    const auto url = options_.url.Reveal();
    if (!url) return Fail(url.error());
    const Message message(notification, templates(), EscapeMentions);
    std::string out;
    text::JsonWriter json(out);
    json.BeginObject();
    for (const auto& [key, text] :
         {std::pair("channel", &options_.channel), std::pair("username", &options_.username),
          std::pair("icon_url", &options_.icon_url),
          std::pair("icon_emoji", &options_.icon_emoji)}) {
      const auto value = message.Text(*text);
      if (!value.empty()) json.Field(key, value);
    }
    json.Key("attachments").BeginArray().BeginObject();
    json.Field("title", message.Text(options_.title, kTitle));
    json.Field("title_link", message.Text(options_.title_link));
    json.Field("text", message.Fitted(options_.text, kText));
    json.Field("fallback", message.Text(options_.fallback, kTitle));
    json.Field("color", message.Text(options_.color));
    json.EndObject().EndArray();
    if (const auto priority = message.Text(options_.priority); !priority.empty()) {
      json.Key("priority").BeginObject().Field("priority", priority).EndObject();
    }
    json.EndObject();
    return Post(*url, out);
  }

 private:
  const Options options_;
};

// "priority: urgent", or Alertmanager's map.
void ReadPriority(ReceiverOptions& common, std::string& priority) {
  const config::Node* const node = common.reader().Child("priority");
  if (!node || node->IsNull()) return;
  if (!node->IsMap()) {
    common.ReadTemplate("priority", priority);
    return;
  }
  config::MapReader map(*node, common.reader().diagnostics(), "priority");
  map.Read("priority", priority);
  map.Finish();
}

}  // namespace

std::unique_ptr<Receiver> MakeMattermost(const ReceiverInput& input) {
  ReceiverOptions common(input, true);
  Options options;
  if (!common.ReadSecret("webhook_url", options.url, "mattermost_webhook_url")) {
    input.options.Fault("webhook_url",
                        "is missing: write webhook_url or webhook_url_file, here or in global as "
                        "mattermost_webhook_url");
  }
  for (const auto& [key, text] :
       {std::pair("channel", &options.channel), std::pair("username", &options.username),
        std::pair("icon_url", &options.icon_url), std::pair("icon_emoji", &options.icon_emoji),
        std::pair("color", &options.color), std::pair("title", &options.title),
        std::pair("title_link", &options.title_link), std::pair("text", &options.text),
        std::pair("fallback", &options.fallback)}) {
    common.ReadTemplate(key, *text);
  }
  ReadPriority(common, options.priority);
  input.options.Finish();
  return std::make_unique<Mattermost>(common, std::move(options));
}

}  // namespace vigia::alerting::deliver
