#include "alerting/deliver/message.h"

#include <algorithm>
#include <array>

#include "alerting/templates/escape.h"
#include "alerting/templates/print.h"
#include "alerting/templates/strings.h"

namespace vigia::alerting::deliver {
namespace {

constexpr std::array<std::string_view, 4> kSeverities{"critical", "error", "warning", "info"};

// Words that people use, and the index of ours.
constexpr std::pair<std::string_view, std::size_t> kWords[] = {
    {"critical", 0}, {"page", 0},   {"fatal", 0},  {"emergency", 0}, {"disaster", 0}, {"p1", 0},
    {"error", 1},    {"major", 1},  {"high", 1},   {"p2", 1},        {"warning", 2},  {"warn", 2},
    {"minor", 2},    {"medium", 2}, {"ticket", 2}, {"p3", 2},        {"info", 3},     {"low", 3},
    {"none", 3},     {"notice", 3}, {"debug", 3},  {"p4", 3},        {"p5", 3},
};

std::size_t Rank(const Alert& alert) {
  const auto word = templates::ToLower(alert.labels.Get("severity"));
  for (const auto& [known, rank] : kWords) {
    if (word == known) return rank;
  }
  return 1;
}

std::string More(std::size_t alerts) {
  return "\n… and " + std::to_string(alerts) + (alerts == 1 ? " more alert" : " more alerts");
}

}  // namespace

std::size_t Size(std::string_view text, Unit unit) {
  return unit == Unit::kBytes ? text.size() : templates::CountRunes(text);
}

std::string Cut(std::string_view text, Limit limit) {
  if (Size(text, limit.unit) <= limit.size) return std::string(text);
  constexpr std::string_view kMark = "…";
  const auto mark = Size(kMark, limit.unit);
  if (limit.size < mark) return {};
  auto front = templates::RunePrefix(text, limit.size - mark);
  while (Size(front, limit.unit) + mark > limit.size) {
    // Bytes: take whole characters off the end.
    std::size_t size = front.size() - 1;
    while (size > 0 && (front[size] & 0xC0) == 0x80) --size;
    front = front.substr(0, size);
  }
  return std::string(front) + std::string(kMark);
}

std::string_view SeverityOf(const Alert& alert) { return kSeverities[Rank(alert)]; }

std::string_view WorstSeverity(const Notification& notification) {
  const bool firing = notification.Firing();
  std::size_t worst = kSeverities.size() - 1;
  for (const Alert& alert : notification.alerts) {
    if (firing && alert.ResolvedAt(notification.now)) continue;
    worst = std::min(worst, Rank(alert));
  }
  return kSeverities[worst];
}

std::string EscapeSlack(std::string_view value) {
  std::string out;
  while (!value.empty()) {
    const bool link = value.starts_with("<http://") || value.starts_with("<https://");
    const auto end = link ? value.find('>') : value.npos;
    if (end != value.npos && value.substr(1, end - 1).find('<') == value.npos) {
      out += value.substr(0, end + 1);
      value.remove_prefix(end + 1);
      continue;
    }
    switch (value.front()) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      default:
        out += value.front();
    }
    value.remove_prefix(1);
  }
  return out;
}

std::string EscapeMentions(std::string_view value) {
  constexpr std::array<std::string_view, 6> kMentions{"@here", "@everyone", "@channel",
                                                      "@all",  "<users/",   "<@"};
  constexpr std::string_view kNoWidth = "\u200B";  // between the sign and the word
  std::string out;
  while (!value.empty()) {
    out += value.front();
    const bool mention =
        std::any_of(kMentions.begin(), kMentions.end(),
                    [&](std::string_view word) { return value.starts_with(word); });
    if (mention) out += kNoWidth;
    value.remove_prefix(1);
  }
  return out;
}

Message::Message(const Notification& notification, const templates::TemplateSet& templates,
                 Escape escape)
    : notification_(notification),
      templates_(templates),
      escape_(escape),
      alerts_(notification.alerts),
      firing_(notification.Firing()) {
  const auto now = notification.now;
  std::stable_sort(alerts_.begin(), alerts_.end(), [&](const Alert& a, const Alert& b) {
    const auto key = [&](const Alert& alert) {
      return std::tuple(alert.ResolvedAt(now), Rank(alert), alert.starts_at);
    };
    return key(a) < key(b);
  });
  data_ = Data(alerts_.size());
}

templates::Value Message::Data(std::size_t alerts) const {
  return templates::ToValue({.receiver = notification_.receiver,
                             .group_labels = notification_.group_labels,
                             .common_labels = notification_.common_labels,
                             .common_annotations = notification_.common_annotations,
                             .alerts = std::span(alerts_).first(alerts),
                             .external_url = notification_.external_url,
                             .reason = notification_.reason,
                             .now = notification_.now,
                             .escape = escape_});
}

std::string Message::ExpandOrExplain(std::string_view text, const templates::Value& data,
                                     Expand expand) const {
  auto expanded = (templates_.*expand)(text, data, notification_.now);
  if (expanded) return *std::move(expanded);
  return Explain(expanded.error(), data, expand);
}

// What is wrong with the template, and what it would have told.
std::string Message::Explain(const Error& error, const templates::Value& data,
                             Expand expand) const {
  const auto headline = (*templates::TemplateSet::Default().*expand)(
      R"({{ template "__subject" . }} {{ template "__text_groups" . }})", data, notification_.now);
  const auto fault = "<template error: " + error.message() + ">";
  const bool html = expand == &templates::TemplateSet::Html;
  return (html ? templates::EscapeHtml(fault) : fault) + " " + headline.value_or("");
}

std::string Message::Text(std::string_view text) const {
  return ExpandOrExplain(text, data_, &templates::TemplateSet::Text);
}
std::string Message::Html(std::string_view text) const {
  return ExpandOrExplain(text, data_, &templates::TemplateSet::Html);
}

std::string Message::Fitted(std::string_view text, Limit limit, bool html) const {
  const Expand expand = html ? &templates::TemplateSet::Html : &templates::TemplateSet::Text;
  const auto fit = [&](std::string_view expanded) {
    return Size(expanded, limit.unit) <= limit.size;
  };
  const auto expanded = [&](std::size_t alerts) {
    return (templates_.*expand)(text, Data(alerts), notification_.now);
  };
  const auto all = expanded(alerts_.size());
  if (all && fit(*all)) return *all;
  const auto one = expanded(std::min<std::size_t>(1, alerts_.size()));
  // A template that is wrong fails for one alert, too; else there were too many for it.
  if (!one) return Cut(Explain(one.error(), data_, expand), limit);
  // The largest number of alerts whose text fits, by bisection.
  std::size_t fits = 0;
  std::size_t too_many = alerts_.size();
  std::string best;
  while (too_many - fits > 1) {
    const std::size_t half = fits + (too_many - fits) / 2;
    auto some = expanded(half);
    if (some) *some += More(alerts_.size() - half);
    if (some && fit(*some)) {
      fits = half;
      best = *std::move(some);
    } else {
      too_many = half;
    }
  }
  if (fits > 0) return best;
  // Not even one: its beginning.
  const auto rest = alerts_.size() > 1 ? More(alerts_.size() - 1) : std::string();
  const auto room = limit.size - std::min(limit.size, Size(rest, limit.unit));
  return Cut(*one, {room, limit.unit}) + rest;
}

std::string Message::Link() const {
  return notification_.external_url +
         "/#/alerts?receiver=" + templates::EscapeQuery(notification_.receiver);
}

}  // namespace vigia::alerting::deliver
