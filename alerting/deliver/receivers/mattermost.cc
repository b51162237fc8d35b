// mattermost_configs: a post by an incoming webhook of Mattermost, its text in an attachment, with
// Alertmanager's keys.

#include "alerting/deliver/http_receiver.h"
#include "core/text/json.h"

namespace vigia::alerting::deliver {
namespace {

// Keys of an attachment beside its text and fields, as Mattermost has them, too.
constexpr std::array<const char*, 12> kParts{
    "fallback", "color",      "pretext",   "author_name", "author_link", "author_icon",
    "title",    "title_link", "thumb_url", "footer",      "footer_icon", "image_url"};
// Keys of the post itself.
constexpr std::array<const char*, 5> kPlace{"channel", "username", "icon_url", "icon_emoji",
                                            "type"};

constexpr Limit kPart{1024};
// A post has 16,383 characters in all; longer ones are divided.
constexpr std::size_t kText = 13'000;
constexpr std::size_t kFields = 20;
constexpr std::size_t kAttachments = 10;

struct Attachment {
  Texts parts;
  std::string text;
  std::vector<Texts> fields;
};

struct Priority {
  std::string level;  // "", "important" or "urgent"
  bool requested_ack = false;
  bool persistent = false;
};

struct Options {
  Secret url;
  Texts place{{"username", R"({{ template "mattermost.default.username" . }})"}};
  // The first is of the receiver's own keys.
  std::vector<Attachment> attachments{
      {.parts = {{"fallback", R"({{ template "mattermost.default.fallback" . }})"},
                 {"color", R"({{ template "mattermost.default.color" . }})"},
                 {"title", R"({{ template "mattermost.default.title" . }})"},
                 {"title_link", R"({{ template "mattermost.default.titlelink" . }})"}},
       .text = R"({{ template "mattermost.default.text" . }})"}};
  std::string card;
  Priority priority;
};

void AppendTexts(text::JsonWriter& json, const Texts& texts, const Message& message) {
  for (const auto& [key, text] : texts) {
    if (const auto value = message.Text(text, kPart); !value.empty()) json.Field(key, value);
  }
}

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
    AppendTexts(json, options_.place, message);
    json.Key("attachments").BeginArray();
    for (const auto& attachment : options_.attachments) Append(json, attachment, message);
    json.EndArray();
    if (const auto card = message.Text(options_.card, {kText}); !card.empty()) {
      json.Key("props").BeginObject().Field("card", card).EndObject();
    }
    AppendPriority(json, message);
    json.EndObject();
    return Post(*url, out);
  }

 private:
  void Append(text::JsonWriter& json, const Attachment& attachment, const Message& message) const {
    json.BeginObject();
    AppendTexts(json, attachment.parts, message);
    json.Field("text", message.Fitted(attachment.text, {kText / options_.attachments.size()}));
    AppendTextMaps(json, "fields", attachment.fields, message);
    json.EndObject();
  }

  void AppendPriority(text::JsonWriter& json, const Message& message) const {
    const auto level = message.Text(options_.priority.level);
    if (level.empty()) return;
    json.Key("priority").BeginObject().Field("priority", level);
    if (options_.priority.requested_ack) json.Key("requested_ack").Bool(true);
    if (options_.priority.persistent) json.Key("persistent_notifications").Bool(true);
    json.EndObject();
  }

  const Options options_;
};

// Puts the template of `key`, if it is there, in the place of the one before.
void ReadInto(ReceiverOptions& common, config::MapReader& map, const char* key, Texts& texts) {
  std::string text;
  if (!map.Read(key, text)) return;
  if (auto status = common.input().templates->Check(text); !status) {
    map.Fault(key, status.error().message());
  }
  std::erase_if(texts, [&](const auto& one) { return one.first == key; });
  texts.emplace_back(key, std::move(text));
}

void ReadAttachment(ReceiverOptions& common, config::MapReader& map, Attachment& attachment) {
  for (const char* const key : kParts) ReadInto(common, map, key, attachment.parts);
  Texts text;
  ReadInto(common, map, "text", text);
  if (!text.empty()) attachment.text = std::move(text.front().second);
  common.ReadTextMaps(map, "fields", {"title", "value", "short"}, kFields, attachment.fields);
}

void ReadAttachments(ReceiverOptions& common, std::vector<Attachment>& attachments) {
  const config::Node* const node = common.reader().Child("attachments");
  if (!node) return;
  for (const auto& item : node->items) {
    config::MapReader map(item, common.reader().diagnostics(), "attachments");
    ReadAttachment(common, map, attachments.emplace_back());
    map.Finish();
  }
  if (attachments.size() > kAttachments) {
    common.reader().Fault("attachments", "has too many entries: there is room for " +
                                             std::to_string(kAttachments - 1));
  }
}

// "priority: urgent", or Alertmanager's map.
void ReadPriority(ReceiverOptions& common, Priority& priority) {
  const config::Node* const node = common.reader().Child("priority");
  if (!node || node->IsNull()) return;
  if (!node->IsMap()) {
    common.ReadTemplate("priority", priority.level);
    return;
  }
  config::MapReader map(*node, common.reader().diagnostics(), "priority");
  map.Read("priority", priority.level);
  map.Read("requested_ack", priority.requested_ack);
  map.Read("persistent_notifications", priority.persistent);
  map.Finish();
}

void ReadProps(ReceiverOptions& common, std::string& card) {
  const config::Node* const node = common.reader().Child("props");
  if (!node || node->IsNull()) return;
  config::MapReader map(*node, common.reader().diagnostics(), "props");
  Texts texts;
  ReadInto(common, map, "card", texts);
  if (!texts.empty()) card = std::move(texts.front().second);
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
  for (const char* const key : kPlace) ReadInto(common, input.options, key, options.place);
  ReadAttachment(common, input.options, options.attachments.front());
  ReadAttachments(common, options.attachments);
  ReadProps(common, options.card);
  ReadPriority(common, options.priority);
  input.options.Finish();
  return std::make_unique<Mattermost>(common, std::move(options));
}

}  // namespace vigia::alerting::deliver
