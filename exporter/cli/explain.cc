#include "exporter/cli/explain.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "core/http_client.h"
#include "exporter/cli/exit.h"

namespace vigia::exporter::cli {
namespace {

using nlohmann::json;

int Fatal(const std::string& message) {
  std::fprintf(stderr, "vigia: %s\n", message.c_str());
  return kExitError;
}

Result<json> Call(const std::string& method, const std::string& url) {
  HttpClient client;
  const auto answer = client.Send({.method = method, .url = url},
                                  Deadline::After(SystemClock(), std::chrono::seconds(30)));
  if (!answer) return Fail(answer.error().In(url));
  auto body = json::parse(answer->body, nullptr, false);
  if (answer->status != 200) {
    return Fail(ErrorCode::kInvalid, body.is_string() ? body.get<std::string>() : answer->body);
  }
  if (body.is_discarded()) return Fail(ErrorCode::kCorrupt, url + ": the answer is not JSON");
  return body;
}

std::string LabelsText(const json& labels) {
  std::string out = "{";
  for (const auto& [name, value] : labels.items()) {
    if (out.size() > 1) out += ", ";
    out += name + "=" + value.dump();
  }
  return out + "}";
}

std::string Text(const json& object, const char* key) {
  const auto at = object.find(key);
  return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

void Line(int indent, const std::string& text) { std::printf("%*s%s\n", indent, "", text.c_str()); }

void PrintNotification(const json& told) {
  const auto last = Text(told, "last_notification");
  std::string text = "not told";
  if (told.value("told_firing", false)) {
    text = "told that it fires, last at " + last;
  } else if (told.value("end_owed", false)) {
    text = "its end is still to be told";
  } else if (!last.empty()) {
    text = "nothing left to tell, last told at " + last;
  }
  Line(4, Text(told, "integration") + ": " + text);
  for (const auto& letter : told.value("under_way", json::array())) {
    text = Text(letter, "state") + " after " + std::to_string(letter.value("attempts", 0)) +
           " attempts";
    if (const auto answer = Text(letter, "answer"); !answer.empty()) text += ": " + answer;
    if (const auto held = Text(letter, "held_by"); !held.empty()) {
      text += "; " + held + ", next in " + Text(letter, "next_attempt_in");
    }
    Line(6, text + " (" + Text(letter, "id") + ")");
  }
}

void PrintPart(const json& part) {
  Line(4, Text(part, "part") + ": " + Text(part, "text"));
  for (const auto& sample : part.value("samples", json::array())) {
    Line(6, LabelsText(sample.value("labels", json::object())) + " " + Text(sample, "value") +
                " at " + Text(sample, "time"));
  }
  for (const auto& one : part.value("compared", json::array())) {
    Line(6, LabelsText(one.value("labels", json::object())) + " " + Text(one, "left") + " " +
                Text(part, "operator") + " " + Text(one, "right") +
                (one.value("holds", false) ? ": true by " : ": false by ") + Text(one, "by"));
  }
}

void PrintRule(const json& rule) {
  Line(0, Text(rule, "alert") + " " + Text(rule, "verdict"));
  std::string text = Text(rule, "expression");
  if (const auto hold = Text(rule, "for"); hold != "0s") text += "  for " + hold;
  Line(2, text);
  Line(2, "group " + Text(rule, "group") + " of " + Text(rule, "file") + ", evaluated at " +
              Text(rule, "evaluated_at"));
  for (const auto& alert : rule.value("alerts", json::array())) {
    text = LabelsText(alert.value("labels", json::object())) + " " + Text(alert, "state") + ", " +
           Text(alert, "value") + ", since " + Text(alert, "active_since");
    if (const auto left = Text(alert, "for_left"); !left.empty()) text += ", fires in " + left;
    Line(4, text + (alert.value("held", false) ? ", held: its data is missing" : ""));
  }
  if (const auto more =
          rule.value("active", 0) - static_cast<int>(rule.value("alerts", json::array()).size());
      more > 0) {
    Line(4, "and " + std::to_string(more) + " more");
  }
  if (!rule.value("parts", json::array()).empty()) Line(2, "what the expression reads:");
  for (const auto& part : rule.value("parts", json::array())) PrintPart(part);
  if (!rule.value("complete", true)) Line(4, "and more than was looked at");
}

void PrintAlert(const json& alert) {
  const auto state = Text(alert, "state");
  Line(0, LabelsText(alert.value("labels", json::object())) + " is " + state + " since " +
              Text(alert, state == "resolved" ? "ends_at" : "starts_at"));
  if (alert.value("held", false)) Line(2, "its data is missing: it is kept as it was");
  for (const auto& id : alert.value("silenced_by", json::array())) {
    Line(2, "silenced by " + id.get<std::string>());
  }
  for (const auto& id : alert.value("inhibited_by", json::array())) {
    Line(2, "inhibited by alert " + id.get<std::string>());
  }
  if (const auto ack = alert.find("acknowledged"); ack != alert.end()) {
    Line(2, "acknowledged by " + Text(*ack, "by") + ": " + Text(*ack, "comment"));
  }
  for (const auto& way : alert.value("routes", json::array())) {
    Line(2, "route " + Text(way, "route") + " to " + Text(way, "receiver"));
    if (const auto held = Text(way, "held_back"); !held.empty()) Line(4, held);
    for (const auto& told : way.value("notifications", json::array())) PrintNotification(told);
  }
  Line(2, "events, newest first:");
  for (const auto& event : alert.value("events", json::array())) {
    std::string details;
    const auto known = event.value("details", json::object());
    for (const auto& [name, value] : known.items()) {
      details += " " + name + "=" + value.dump();
    }
    Line(4, Text(event, "time") + " " + Text(event, "type") + details);
  }
}

}  // namespace

int ExplainAlert(const std::string& url, const std::string& alert) {
  const auto address = AddUrlParameters(url + "/api/vigia/v1/explain", {{"alert", alert}});
  if (!address) return Fatal(address.error().message());
  const auto answer = Call("GET", *address);
  if (!answer) return Fatal(answer.error().message());
  const auto rules = answer->value("rules", json::array());
  for (const auto& one : rules) PrintRule(one);
  const auto alerts = answer->value("alerts", json::array());
  if (!rules.empty() && !alerts.empty()) std::printf("\n");
  for (const auto& one : alerts) PrintAlert(one);
  if (!alerts.empty() || !rules.empty()) return kExitFine;
  std::printf(
      "%s: no such alert fires, or has fired in the last 15 minutes, and no rule makes it\n",
      alert.c_str());
  return kExitFindings;
}

int ResendNotification(const std::string& url, const std::string& id) {
  const auto address = AddUrlParameters(url + "/api/vigia/v1/notifications/resend", {{"id", id}});
  if (!address) return Fatal(address.error().message());
  const auto answer = Call("POST", *address);
  if (!answer) return Fatal(answer.error().message());
  std::printf("%d sent again\n", answer->value("resent", 0));
  return kExitFine;
}

}  // namespace vigia::exporter::cli
