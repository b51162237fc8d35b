// msteamsv2_configs: an adaptive card by a workflow of Microsoft Teams.

#include "alerting/deliver/receivers/msteams.h"

#include "core/text/json.h"

namespace vigia::alerting::deliver {
namespace {

class Teams final : public HttpReceiver {
 public:
  Teams(const ReceiverOptions& common, TeamsOptions options)
      : HttpReceiver(common), options_(std::move(options)) {}

  Pace pace() const override { return kTeamsPace; }

 protected:
  Result<HttpRequest> Build(const Notification& notification) const override {
    const auto url = options_.url.Reveal();
    if (!url) return Fail(url.error());
    const Message message(notification, templates(), EscapeMentions);
    const std::string_view color = !message.firing()                          ? "Good"
                                   : WorstSeverity(notification) == "warning" ? "Warning"
                                                                              : "Attention";
    std::string out;
    text::JsonWriter json(out);
    json.BeginObject().Field("type", "message").Key("attachments").BeginArray().BeginObject();
    json.Field("contentType", "application/vnd.microsoft.card.adaptive");
    json.Key("content").BeginObject().Field("type", "AdaptiveCard").Field("version", "1.4");
    json.Field("$schema", "http://adaptivecards.io/schemas/adaptive-card.json");
    json.Key("body").BeginArray();
    AppendBlock(json, message.Text(options_.title, kTeamsLine), color);
    AppendBlock(json, message.Fitted(options_.text, kTeamsText), "Default");
    json.EndArray().Key("actions").BeginArray().BeginObject();
    json.Field("type", "Action.OpenUrl").Field("title", "View in vigia");
    json.Field("url", message.Link()).EndObject().EndArray();
    json.EndObject().EndObject().EndArray().EndObject();
    return Post(*url, out);
  }

 private:
  static void AppendBlock(text::JsonWriter& json, std::string_view text, std::string_view color) {
    json.BeginObject().Field("type", "TextBlock").Field("text", text).Key("wrap").Bool(true);
    json.Field("color", color);
    if (color != "Default") json.Field("weight", "Bolder").Field("size", "Medium");
    json.EndObject();
  }

  const TeamsOptions options_;
};

}  // namespace

TeamsOptions ReadTeams(ReceiverOptions& common, const std::string& prefix, bool summary) {
  const auto named = [&](const std::string& text) {
    return "{{ template \"" + prefix + ".default." + text + "\" . }}";
  };
  TeamsOptions options{.url = {}, .title = named("title"), .summary = {}, .text = named("text")};
  if (!common.ReadSecret("webhook_url", options.url)) {
    common.reader().Require("webhook_url", "or webhook_url_file");
  }
  common.ReadTemplate("title", options.title);
  if (summary) {
    options.summary = named("summary");
    common.ReadTemplate("summary", options.summary);
  }
  common.ReadTemplate("text", options.text);
  common.reader().Finish();
  return options;
}

std::unique_ptr<Receiver> MakeTeams(const ReceiverInput& input) {
  ReceiverOptions common(input, true);
  auto options = ReadTeams(common, "msteamsv2", false);
  return std::make_unique<Teams>(common, std::move(options));
}

}  // namespace vigia::alerting::deliver
