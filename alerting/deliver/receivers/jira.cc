// jira_configs: an issue per group by Jira's REST API, version 2 or 3: made, changed, resolved and
// reopened, as Alertmanager does. The label ALERT{hash of the group's key} tells whose it is.

#include <algorithm>
#include <array>
#include <cctype>
#include <nlohmann/json.hpp>

#include "alerting/deliver/http_receiver.h"
#include "alerting/deliver/signature.h"
#include "alerting/deliver/structure.h"
#include "core/redact.h"
#include "core/text/json.h"

namespace vigia::alerting::deliver {
namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 3> kApiTypes{"auto", "cloud", "datacenter"};
// Fields that have keys of their own here.
constexpr std::array<std::string_view, 6> kOwnFields{"project",     "issuetype", "summary",
                                                     "description", "labels",    "priority"};
constexpr Limit kSummary{255};
constexpr Limit kDescription{32'767};
constexpr Limit kLabel{255};

struct Options {
  std::string api_url;  // ends with "/rest/api/2" or "/rest/api/3", as a rule
  bool cloud = false;   // search as Jira Cloud has it
  std::string project;
  std::string issue_type;
  std::string summary = R"({{ template "jira.default.summary" . }})";
  std::string description = R"({{ template "jira.default.description" . }})";
  bool update_summary = true;
  bool update_description = true;
  std::string priority = R"({{ template "jira.default.priority" . }})";
  std::vector<std::string> labels;
  std::string resolve;  // transitions, by name; empty: none
  std::string reopen;
  std::string wont_fix;  // a resolution that is not to be reopened
  Milliseconds reopen_duration{0};
  config::Node fields;
};

struct Issue {
  std::string key;
  bool done = false;
};

// What a request was answered, or how the attempt ends.
using Answered = tl::expected<json, Outcome>;
using Found = tl::expected<std::optional<Issue>, Outcome>;

std::string OneLine(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c >= 0 && c < ' '; }, ' ');
  return text;
}

// Jira refuses labels with spaces.
std::string AsLabel(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c >= 0 && c <= ' '; }, '_');
  return Cut(text, kLabel);
}

// A text in JQL.
std::string Quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

// The text under `key` of an object; empty if there is none.
std::string TextAt(const json& value, const char* key) {
  const bool there = value.is_object() && value.contains(key) && value.at(key).is_string();
  return there ? value.at(key).get<std::string>() : "";
}

// The list under `key` of an object; empty if there is none.
json ListAt(const json& value, const char* key) {
  const bool there = value.is_object() && value.contains(key) && value.at(key).is_array();
  return there ? value.at(key) : json::array();
}

// An issue as searches and GET show it; nothing if it is none.
std::optional<Issue> IssueIn(const json& value) {
  const auto key = TextAt(value, "key");
  if (key.empty()) return std::nullopt;
  const auto category = json::json_pointer("/fields/status/statusCategory/key");
  const bool known = value.contains(category) && value.at(category).is_string();
  return Issue{key, known && value.at(category) == "done"};
}

// Text as a document in Atlassian's format: a paragraph with its lines.
void AppendDocument(text::JsonWriter& out, std::string_view text) {
  out.BeginObject().Field("type", "doc").Key("version").Integer(1).Key("content").BeginArray();
  out.BeginObject().Field("type", "paragraph").Key("content").BeginArray();
  for (bool first = true; !text.empty(); first = false) {
    const auto end = std::min(text.find('\n'), text.size());
    if (!first) out.BeginObject().Field("type", "hardBreak").EndObject();
    const auto line = text.substr(0, end);
    if (!line.empty()) out.BeginObject().Field("type", "text").Field("text", line).EndObject();
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  out.EndArray().EndObject().EndArray().EndObject();
}

bool SameWord(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
    return std::tolower(x) == std::tolower(y);
  });
}

class Jira final : public HttpReceiver {
 public:
  Jira(const ReceiverOptions& common, Options options)
      : HttpReceiver(common), options_(std::move(options)) {}

  Pace pace() const override { return {.per_second = 2, .burst = 5}; }

  Outcome Deliver(const Notification& notification, Deadline deadline) override {
    const auto told = send_resolved() ? notification : WithoutResolved(notification);
    if (told.alerts.empty()) return {.message = "only resolved alerts, which are not wanted"};
    const Message message(told, templates());
    const auto issue = Find(told, message, deadline);
    if (!issue) return issue.error();
    if (*issue) return Change(**issue, told, message, deadline);
    if (!message.firing()) return {.message = "there is no open issue"};
    const auto made = Ask("POST", "issue", Body(told, message, true), deadline);
    if (!made) return made.error();
    const auto key = TextAt(*made, "key");
    return {.message = key, .handle = key};
  }

 protected:
  Result<HttpRequest> Build(const Notification& notification) const override {
    const Message message(notification, templates());
    return Request("POST", "issue", Body(notification, message, true));
  }

 private:
  HttpRequest Request(std::string method, const std::string& path, std::string body) const {
    auto request = Post(Url(path), std::move(body));
    request.method = std::move(method);
    // Names of transitions are in the language of the account otherwise.
    request.headers.emplace_back("Accept-Language", "en");
    return request;
  }

  std::string Url(const std::string& path) const {
    const bool newer = path == "search/jql";
    auto url = options_.api_url;
    if (newer && url.ends_with("/2")) url.back() = '3';
    return url + "/" + path;
  }

  Answered Ask(std::string method, const std::string& path, std::string body, Deadline deadline) {
    const auto response =
        sender().Send(Request(std::move(method), path, std::move(body)), deadline);
    auto outcome = ReadAnswer(response, Now());
    if (outcome.kind != Outcome::Kind::kDelivered) return tl::unexpected(std::move(outcome));
    auto answer = json::parse(response->body, nullptr, false);
    // What was taken is answered with nothing.
    if (response->body.empty() || response->status == 204) return json();
    if (!answer.is_discarded()) return answer;
    return tl::unexpected(
        Outcome{.kind = Outcome::Kind::kRetry, .message = "an answer that is not Jira's"});
  }

  static std::string Label(const Notification& notification) {
    return "ALERT{" + Hex(Sha256(notification.group_key)) + "}";
  }

  // The issue that was told last is asked for by its key, since searches lag behind.
  Found Find(const Notification& notification, const Message& message, Deadline deadline) {
    if (!notification.handle.empty()) {
      const auto known =
          Ask("GET", "issue/" + notification.handle + "?fields=status", {}, deadline);
      const bool passing = !known && known.error().kind == Outcome::Kind::kRetry;
      if (passing) return tl::unexpected(known.error());
      const auto issue = known ? IssueIn(*known) : std::nullopt;
      if (issue && !issue->done) return issue;
    }
    std::string body;
    text::JsonWriter out(body);
    out.BeginObject().Field("jql", Query(notification, message)).Key("maxResults").Integer(2);
    out.Key("fields").BeginArray().String("status").EndArray().EndObject();
    const auto answer =
        Ask("POST", options_.cloud ? "search/jql" : "search", std::move(body), deadline);
    if (!answer) return tl::unexpected(answer.error());
    const auto issues = ListAt(*answer, "issues");
    return issues.empty() ? std::nullopt : IssueIn(issues.front());
  }

  std::string Query(const Notification& notification, const Message& message) const {
    std::string query;
    if (!options_.wont_fix.empty()) {
      // An issue that is not resolved has no resolution, which is not "different".
      query += "(resolution is EMPTY or resolution != " + Quoted(options_.wont_fix) + ") and ";
    }
    const auto minutes = std::chrono::floor<std::chrono::minutes>(options_.reopen_duration).count();
    if (message.firing() && !options_.reopen.empty() && minutes > 0) {
      query +=
          "(resolutiondate is EMPTY or resolutiondate >= -" + std::to_string(minutes) + "m) and ";
    } else {
      query += "statusCategory != Done and ";
    }
    return query + "project = " + Quoted(message.Text(options_.project)) +
           " and labels = " + Quoted(Label(notification)) +
           " order by status ASC, resolutiondate DESC";
  }

  Outcome Change(const Issue& issue, const Notification& notification, const Message& message,
                 Deadline deadline) {
    const auto changed =
        Ask("PUT", "issue/" + issue.key, Body(notification, message, false), deadline);
    if (!changed) return changed.error();
    const bool firing = message.firing();
    Outcome outcome{.message = issue.key, .handle = firing ? issue.key : ""};
    if (firing != issue.done) return outcome;
    const auto& transition = firing ? options_.reopen : options_.resolve;
    if (transition.empty()) return outcome;
    auto moved = Move(issue.key, transition, deadline);
    return moved.kind == Outcome::Kind::kDelivered ? outcome : moved;
  }

  Outcome Move(const std::string& key, const std::string& name, Deadline deadline) {
    const auto path = "issue/" + key + "/transitions";
    const auto answer = Ask("GET", path, {}, deadline);
    if (!answer) return answer.error();
    std::string others;
    for (const auto& one : ListAt(*answer, "transitions")) {
      const auto its_name = TextAt(one, "name");
      if (!SameWord(its_name, name)) {
        others += (others.empty() ? "" : ", ") + its_name;
        continue;
      }
      std::string body;
      text::JsonWriter out(body);
      out.BeginObject().Key("transition").BeginObject().Field("id", TextAt(one, "id"));
      out.EndObject().EndObject();
      const auto moved = Ask("POST", path, std::move(body), deadline);
      return moved ? Outcome() : moved.error();
    }
    return Rejected(key + " has no transition '" + name + "' now, but " +
                    (others.empty() ? "none" : others));
  }

  // An issue as it is made, or what is to be changed of it. Labels that people gave it stay.
  std::string Body(const Notification& notification, const Message& message, bool made) const {
    std::string body;
    text::JsonWriter out(body);
    out.BeginObject().Key("fields").BeginObject();
    if (made) AppendNature(out, message);
    if (made || options_.update_summary) {
      const auto summary = OneLine(message.Text(options_.summary, kSummary));
      out.Field("summary", summary.empty() ? Label(notification) : summary);
    }
    if (made || options_.update_description) AppendDescription(out, message);
    if (const auto priority = message.Text(options_.priority); !priority.empty()) {
      out.Key("priority").BeginObject().Field("name", priority).EndObject();
    }
    for (const auto& [name, value] : options_.fields.entries) {
      out.Key(name.text);
      AppendStructure(out, value, [&](const std::string& text) { return message.Text(text); });
    }
    if (made) AppendLabels(out.Key("labels").BeginArray(), notification, message, false);
    out.EndObject();
    if (!made) {
      out.Key("update").BeginObject().Key("labels").BeginArray();
      AppendLabels(out, notification, message, true);
      out.EndObject();
    }
    out.EndObject();
    return body;
  }

  void AppendNature(text::JsonWriter& out, const Message& message) const {
    out.Key("project").BeginObject().Field("key", message.Text(options_.project)).EndObject();
    out.Key("issuetype").BeginObject().Field("name", message.Text(options_.issue_type)).EndObject();
  }

  // Ends the list. An `added` label is {"add": label}.
  void AppendLabels(text::JsonWriter& out, const Notification& notification, const Message& message,
                    bool added) const {
    const auto append = [&](const std::string& label) {
      if (label.empty()) return;
      if (added) out.BeginObject().Key("add");
      out.String(label);
      if (added) out.EndObject();
    };
    for (const auto& label : options_.labels) append(AsLabel(message.Text(label)));
    append(Label(notification));
    out.EndArray();
  }

  void AppendDescription(text::JsonWriter& out, const Message& message) const {
    out.Key("description");
    if (!options_.api_url.ends_with("/3")) {
      out.String(message.Fitted(options_.description, kDescription));
      return;
    }
    // Version 3 takes documents alone. A template may make one.
    const auto text = message.Text(options_.description);
    if (text.starts_with('{') && json::accept(text)) {
      out.Raw(text);
    } else {
      AppendDocument(out, message.Fitted(options_.description, kDescription));
    }
  }

  const Options options_;
};

// A template, or {template: ..., enable_update: false}.
void ReadText(ReceiverOptions& common, const char* key, std::string& text, bool& update) {
  const config::Node* const node = common.reader().Child(key);
  if (!node || !node->IsMap()) return common.ReadTemplate(key, text);
  config::MapReader map(*node, common.reader().diagnostics(), key);
  map.Read("template", text);
  if (auto status = common.input().templates->Check(text); !status) {
    map.Fault("template", status.error().message());
  }
  map.Read("enable_update", update);
  map.Finish();
}

void ReadServer(ReceiverOptions& common, Options& options) {
  config::MapReader& reader = common.reader();
  common.ReadGlobal("jira_api_url", options.api_url);
  reader.Read("api_url", options.api_url);
  while (options.api_url.ends_with('/')) options.api_url.pop_back();
  const auto api = reader.ReadChoice("api_type", kApiTypes, 0);
  if (options.api_url.empty()) {
    return reader.Require("api_url",
                          "or jira_api_url in global, such as "
                          "https://company.atlassian.net/rest/api/2");
  }
  const auto url = ParseHttpUrl(options.api_url);
  if (!url) return reader.Fault("api_url", url.error().message());
  options.cloud = api == 1 || (api == 0 && url->host.ends_with("atlassian.net"));
}

void ReadFields(const ReceiverInput& input, config::Node& fields) {
  const config::Node* const node = input.options.Child("fields");
  if (!node || node->IsNull()) return;
  if (!node->IsMap()) return input.options.Fault("fields", "has to be a map");
  for (const auto& [name, value] : node->entries) {
    if (std::find(kOwnFields.begin(), kOwnFields.end(), name.text) != kOwnFields.end()) {
      input.options.diagnostics().Add(name.position,
                                      "fields: '" + name.text + "' has a key of its own");
    }
    CheckStructure(value, *input.templates, input.options.diagnostics());
  }
  fields = *node;
}

}  // namespace

std::unique_ptr<Receiver> MakeJira(const ReceiverInput& input) {
  ReceiverOptions common(input, true);
  Options options;
  ReadServer(common, options);
  if (!input.options.Has("project")) input.options.Require("project", "the key of one");
  if (!input.options.Has("issue_type")) input.options.Require("issue_type", "such as Bug");
  for (const auto& [key, text] :
       {std::pair("project", &options.project), std::pair("issue_type", &options.issue_type),
        std::pair("priority", &options.priority)}) {
    common.ReadTemplate(key, *text);
  }
  ReadText(common, "summary", options.summary, options.update_summary);
  ReadText(common, "description", options.description, options.update_description);
  common.ReadTemplates("labels", options.labels);
  input.options.Read("resolve_transition", options.resolve);
  input.options.Read("reopen_transition", options.reopen);
  input.options.Read("wont_fix_resolution", options.wont_fix);
  input.options.Read("reopen_duration", options.reopen_duration);
  ReadFields(input, options.fields);
  input.options.Finish();
  return std::make_unique<Jira>(common, std::move(options));
}

}  // namespace vigia::alerting::deliver
