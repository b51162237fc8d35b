// opsgenie_configs: an alert of Opsgenie per group, closed when the group is resolved.

#include <array>

#include "alerting/deliver/http_receiver.h"
#include "alerting/deliver/signature.h"
#include "core/text/json.h"

namespace vigia::alerting::deliver {
namespace {

struct Responder {
  std::string id;
  std::string name;
  std::string username;
  std::string type;
};

struct Options {
  Secret key;
  std::string url = "https://api.opsgenie.com/";
  std::string message = R"({{ template "opsgenie.default.message" . }})";
  std::string description = R"({{ template "opsgenie.default.description" . }})";
  std::string source = R"({{ template "opsgenie.default.source" . }})";
  std::map<std::string, std::string> details;
  std::vector<Responder> responders;
  std::string tags;
  std::string note;
  std::string priority;
  std::string entity;
  std::string actions;
  bool update = false;
};

constexpr Limit kMessage{130};
constexpr Limit kDescription{15'000};
constexpr std::size_t kDetails = 8000;  // all keys and values together
constexpr Limit kShort{512};
constexpr Limit kNote{25'000};
constexpr Limit kWord{50};
constexpr std::size_t kTags = 20;
constexpr std::size_t kActions = 10;
constexpr std::size_t kResponders = 50;

// The words of "a, b".
std::vector<std::string> Words(std::string_view list) {
  std::vector<std::string> words;
  while (!list.empty()) {
    const auto end = std::min(list.find(','), list.size());
    auto one = list.substr(0, end);
    while (one.starts_with(' ')) one.remove_prefix(1);
    while (one.ends_with(' ')) one.remove_suffix(1);
    if (!one.empty()) words.emplace_back(one);
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return words;
}

void AppendWords(text::JsonWriter& json, std::string_view key, std::string_view list,
                 std::size_t most) {
  auto words = Words(list);
  words.resize(std::min(words.size(), most));
  json.Key(key).BeginArray();
  for (const auto& word : words) json.String(Cut(word, kWord));
  json.EndArray();
}

class Opsgenie final : public HttpReceiver {
 public:
  Opsgenie(const ReceiverOptions& common, Options options)
      : HttpReceiver(common), options_(std::move(options)) {}

  // An alert that exists keeps its words unless they are changed one by one.
  Outcome Deliver(const Notification& notification, Deadline deadline) override {
    auto outcome = HttpReceiver::Deliver(notification, deadline);
    const bool update = options_.update && notification.Firing();
    if (!update || outcome.kind != Outcome::Kind::kDelivered) return outcome;
    const auto told = send_resolved() ? notification : WithoutResolved(notification);
    const Message message(told, templates());
    for (const auto& [what, text] :
         {std::pair("message", message.Text(options_.message, kMessage)),
          std::pair("description", message.Fitted(options_.description, kDescription))}) {
      if (text.empty()) continue;
      std::string body;
      text::JsonWriter(body).BeginObject().Field(what, text).EndObject();
      auto request = Request("PUT", AliasUrl(notification, what), std::move(body));
      if (!request) return {.kind = Outcome::Kind::kRetry, .message = request.error().message()};
      outcome = ReadAnswer(sender().Send(*std::move(request), deadline), Now());
      if (outcome.kind != Outcome::Kind::kDelivered) return outcome;
    }
    return outcome;
  }

 protected:
  Result<HttpRequest> Build(const Notification& notification) const override {
    const Message message(notification, templates());
    std::string body;
    text::JsonWriter json(body);
    if (!message.firing()) {
      json.BeginObject().Field("source", message.Text(options_.source, {100})).EndObject();
      return Request("POST", AliasUrl(notification, "close"), std::move(body));
    }
    json.BeginObject().Field("alias", Alias(notification));
    json.Field("message", message.Text(options_.message, kMessage));
    json.Field("description", message.Fitted(options_.description, kDescription));
    json.Field("source", message.Text(options_.source, {100}));
    AppendDetails(json, message, notification);
    AppendResponders(json, message);
    AppendWords(json, "tags", message.Text(options_.tags), kTags);
    AppendWords(json, "actions", message.Text(options_.actions), kActions);
    for (const auto& [key, text, limit] : {std::tuple("note", &options_.note, kNote),
                                           std::tuple("entity", &options_.entity, kShort)}) {
      if (const auto value = message.Text(*text, limit); !value.empty()) json.Field(key, value);
    }
    const auto priority = message.Text(options_.priority);
    const bool known =
        priority.size() == 2 && priority[0] == 'P' && priority[1] >= '1' && priority[1] <= '5';
    json.Field("priority", known ? priority : std::string(PriorityOf(notification)));
    json.EndObject();
    return Request("POST", options_.url + "v2/alerts", std::move(body));
  }

 private:
  static std::string_view PriorityOf(const Notification& notification) {
    const auto severity = WorstSeverity(notification);
    if (severity == "critical") return "P1";
    return severity == "error" ? "P2" : severity == "warning" ? "P3" : "P4";
  }

  static std::string Alias(const Notification& notification) {
    return Hex(Sha256(notification.group_key));
  }

  std::string AliasUrl(const Notification& notification, std::string_view what) const {
    return options_.url + "v2/alerts/" + Alias(notification) + "/" + std::string(what) +
           "?identifierType=alias";
  }

  Result<HttpRequest> Request(std::string method, std::string url, std::string body) const {
    const auto key = options_.key.Reveal();
    if (!key) return Fail(key.error());
    auto request = Post(std::move(url), std::move(body));
    request.method = std::move(method);
    request.headers.emplace_back("Authorization", "GenieKey " + *key);
    return request;
  }

  // What is given, and the common labels as far as there is room.
  void AppendDetails(text::JsonWriter& json, const Message& message,
                     const Notification& notification) const {
    std::size_t room = kDetails;
    const auto append = [&](std::string_view name, const std::string& value) {
      json.Field(name, value);
      room -= Size(name, Unit::kRunes) + Size(value, Unit::kRunes);
    };
    json.Key("details").BeginObject();
    for (const auto& [name, text] : options_.details) {
      const auto size = Size(name, Unit::kRunes);
      if (size < room) {
        append(name, Cut(message.Fitted(text, {room - size}), {room - size}));
      }
    }
    for (const auto [name, value] : notification.common_labels) {
      if (options_.details.contains(std::string(name))) continue;
      const auto shown = Cut(value, kShort);
      if (Size(name, Unit::kRunes) + Size(shown, Unit::kRunes) <= room) append(name, shown);
    }
    json.EndObject();
  }

  // Those that are somebody once expanded; "teams" are one for each name.
  std::vector<Responder> Responders(const Message& message) const {
    std::vector<Responder> all;
    for (const auto& from : options_.responders) {
      const Responder one{.id = message.Text(from.id),
                          .name = message.Text(from.name),
                          .username = message.Text(from.username),
                          .type = message.Text(from.type)};
      if (one.type == "teams") {
        for (auto& name : Words(one.name)) all.push_back({.name = name, .type = "team"});
      } else if (!one.id.empty() || !one.name.empty() || !one.username.empty()) {
        all.push_back(one);
      }
    }
    all.resize(std::min(all.size(), kResponders));
    return all;
  }

  void AppendResponders(text::JsonWriter& json, const Message& message) const {
    json.Key("responders").BeginArray();
    for (const auto& responder : Responders(message)) {
      json.BeginObject();
      for (const auto& [key, value] :
           {std::pair("id", &responder.id), std::pair("name", &responder.name),
            std::pair("username", &responder.username), std::pair("type", &responder.type)}) {
        if (!value->empty()) json.Field(key, *value);
      }
      json.EndObject();
    }
    json.EndArray();
  }

  const Options options_;
};

void ReadResponders(const ReceiverInput& input, std::vector<Responder>& responders) {
  const config::Node* const list = input.options.Child("responders");
  if (!list) return;
  for (const auto& item : list->items) {
    config::MapReader map(item, input.options.diagnostics(), "responders");
    Responder responder;
    for (const auto& [key, text] :
         {std::pair("id", &responder.id), std::pair("name", &responder.name),
          std::pair("username", &responder.username), std::pair("type", &responder.type)}) {
      if (!map.Read(key, *text)) continue;
      if (auto status = input.templates->Check(*text); !status) {
        map.Fault(key, status.error().message());
      }
    }
    map.Require("type", "team, teams, user, escalation, schedule");
    constexpr std::array<std::string_view, 5> kTypes{"team", "teams", "user", "escalation",
                                                     "schedule"};
    const bool plain = responder.type.find("{{") == std::string::npos;
    if (plain && map.Has("type") &&
        std::find(kTypes.begin(), kTypes.end(), responder.type) == kTypes.end()) {
      map.Fault("type", "has to be team, teams, user, escalation or schedule");
    }
    if (responder.id.empty() && responder.name.empty() && responder.username.empty()) {
      map.Fault("type", "is of nobody: write id, name or username beside it");
    }
    map.Finish();
    responders.push_back(std::move(responder));
  }
}

}  // namespace

std::unique_ptr<Receiver> MakeOpsgenie(const ReceiverInput& input) {
  ReceiverOptions common(input, true);
  Options options;
  if (!common.ReadSecret("api_key", options.key, "opsgenie_api_key")) {
    input.options.Fault("api_key",
                        "is missing: write api_key or api_key_file, here or in global as "
                        "opsgenie_api_key");
  }
  common.ReadGlobal("opsgenie_api_url", options.url);
  input.options.Read("api_url", options.url);
  if (!options.url.ends_with('/')) options.url += '/';
  for (const auto& [key, text] :
       {std::pair("message", &options.message), std::pair("description", &options.description),
        std::pair("source", &options.source), std::pair("tags", &options.tags),
        std::pair("note", &options.note), std::pair("priority", &options.priority),
        std::pair("entity", &options.entity), std::pair("actions", &options.actions)}) {
    common.ReadTemplate(key, *text);
  }
  common.ReadTemplates("details", options.details);
  ReadResponders(input, options.responders);
  input.options.Read("update_alerts", options.update);
  input.options.Finish();
  return std::make_unique<Opsgenie>(common, std::move(options));
}

}  // namespace vigia::alerting::deliver
