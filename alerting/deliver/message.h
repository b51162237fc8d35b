// The words of one notification: its templates expanded, fitted to a channel's limits, escaped
// for its markup.

#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "alerting/deliver/notification.h"
#include "alerting/templates/notification_template.h"

namespace vigia::alerting::deliver {

// How a channel counts.
enum class Unit { kBytes, kRunes };

struct Limit {
  std::size_t size;
  Unit unit = Unit::kRunes;
};

std::size_t Size(std::string_view text, Unit unit);
// `text` cut at a character so that it fits, with "…" at its end if something was cut.
std::string Cut(std::string_view text, Limit limit);

// "critical", "error", "warning" or "info": the severity label, mapped where it has another word
// ("page", "high", "warn", ...); "error" where there is none.
std::string_view SeverityOf(const Alert& alert);
// Of the worst firing alert, or of the worst of all where none fires.
std::string_view WorstSeverity(const Notification& notification);

// Escapes a value (a label's, an annotation's) for a channel's markup.
using Escape = std::string (*)(std::string_view value);
// & < > of Slack; links <https://...|text> stay.
std::string EscapeSlack(std::string_view value);
// Mentions of everybody (@here, @everyone, @channel, @all, <users/all>) lose their effect.
std::string EscapeMentions(std::string_view value);

class Message {
 public:
  // Alerts are ordered: firing first, then by severity, then the older first. `notification`
  // outlives the message.
  Message(const Notification& notification, const templates::TemplateSet& templates,
          Escape escape = nullptr);

  // The expanded template. One that fails becomes "<template error: ...>" and the headline, so
  // that the alert is told all the same.
  std::string Text(std::string_view text) const;
  std::string Html(std::string_view text) const;
  // The same, cut.
  std::string Text(std::string_view text, Limit limit) const { return Cut(Text(text), limit); }
  // The expanded template with as many alerts as fit, the first ones, and a line that counts the
  // rest: "… and 450 more alerts".
  std::string Fitted(std::string_view text, Limit limit, bool html = false) const;

  // In the order above.
  const std::vector<Alert>& alerts() const { return alerts_; }
  bool firing() const { return firing_; }
  std::string_view status() const { return firing_ ? "firing" : "resolved"; }
  // Where the alerts stand on vigia's page.
  std::string Link() const;

 private:
  using Expand = Result<std::string> (templates::TemplateSet::*)(std::string_view,
                                                                 const templates::Value&,
                                                                 Timestamp) const;
  std::string ExpandOrExplain(std::string_view text, const templates::Value& data,
                              Expand expand) const;
  std::string Explain(const Error& error, const templates::Value& data, Expand expand) const;
  templates::Value Data(std::size_t alerts) const;

  const Notification& notification_;
  const templates::TemplateSet& templates_;
  const Escape escape_;
  std::vector<Alert> alerts_;
  bool firing_;
  templates::Value data_;
};

}  // namespace vigia::alerting::deliver
