// msteams_configs: a message card by an incoming webhook of Microsoft Teams, the connectors that
// Microsoft is retiring; msteamsv2_configs is what follows them.

#include "alerting/deliver/receivers/msteams.h"
#include "core/text/json.h"

namespace vigia::alerting::deliver {
namespace {

class TeamsConnector final : public HttpReceiver {
 public:
  TeamsConnector(const ReceiverOptions& common, TeamsOptions options)
      : HttpReceiver(common), options_(std::move(options)) {}

  Pace pace() const override { return kTeamsPace; }

 protected:
  Result<HttpRequest> Build(const Notification& notification) const override {
    const auto url = options_.url.Reveal();
    if (!url) return Fail(url.error());
    const Message message(notification, templates(), EscapeMentions);
    const auto title = message.Text(options_.title, kTeamsLine);
    const auto summary = message.Text(options_.summary, kTeamsLine);
    std::string out;
    text::JsonWriter json(out);
    json.BeginObject();
    json.Field("@context", "http://schema.org/extensions").Field("@type", "MessageCard");
    json.Field("title", title);
    // A card without summary is refused, and so is one without text.
    json.Field("summary", summary.empty() ? Fallback(message) : summary);
    const auto text = message.Fitted(options_.text, kTeamsText);
    json.Field("text", text.empty() ? Fallback(message) : text);
    json.Field("themeColor", message.firing() ? "8C1A1A" : "2DC72D");
    json.Key("potentialAction").BeginArray().BeginObject();
    json.Field("@type", "OpenUri").Field("name", "View in vigia").Key("targets").BeginArray();
    json.BeginObject().Field("os", "default").Field("uri", message.Link()).EndObject();
    json.EndArray().EndObject().EndArray().EndObject();
    return Post(*url, out);
  }

  // Teams says 200 whatever happened behind the webhook; what happened stands in the text
  // (learn.microsoft.com, "Rate limiting for connectors").
  Outcome Read(const Result<HttpResponse>& response, const Notification&) const override {
    auto outcome = ReadAnswer(response, Now());
    if (outcome.kind != Outcome::Kind::kDelivered) return outcome;
    const auto& body = response->body;
    if (body.find("delivery failed") == body.npos) return outcome;
    const bool too_large = body.find("HTTP error 413") != body.npos;
    outcome.kind = too_large ? Outcome::Kind::kRejected : Outcome::Kind::kRetry;
    outcome.message = Cut(body, {200});
    return outcome;
  }

 private:
  static std::string Fallback(const Message& message) {
    return "Alerts " + std::string(message.status());
  }

  const TeamsOptions options_;
};

}  // namespace

std::unique_ptr<Receiver> MakeTeamsConnector(const ReceiverInput& input) {
  ReceiverOptions common(input, true);
  auto options = ReadTeams(common, "msteams", true);
  return std::make_unique<TeamsConnector>(common, std::move(options));
}

}  // namespace vigia::alerting::deliver
