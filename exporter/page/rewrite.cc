#include "exporter/page/rewrite.h"

#include <cmath>

#include "core/labels.h"
#include "core/number.h"
#include "core/text/escape.h"

namespace vigia::exporter {
namespace {

// What OpenMetrics puts behind the family's name in the names of its samples.
std::string_view RequiredSuffix(MetricType type) {
  if (type == MetricType::kCounter) return "_total";
  if (type == MetricType::kInfo) return "_info";
  return {};
}

// The label that holds a bound.
std::string_view BoundLabel(MetricType type) {
  if (type == MetricType::kHistogram) return "le";
  if (type == MetricType::kSummary) return "quantile";
  return {};
}

// OpenMetrics wants floats there: "1" becomes "1.0".
std::string FloatText(std::string_view number) {
  std::string text(number);
  const auto value = ParseDouble(number);
  const bool whole = number.find_first_of(".eExX") == number.npos;
  if (value && std::isfinite(*value) && whole) text += ".0";
  return text;
}

std::string QuotedUnlessLegacy(std::string_view name) {
  std::string out;
  if (IsLegacyMetricName(name)) {
    out = name;
  } else {
    out += '"';
    text::AppendLabelValue(out, name);
    out += '"';
  }
  return out;
}

Labels RewriteLabels(const Labels& labels, const Family& family, const ShownFamily& shown,
                     PageStyle style, bool drop_target) {
  const auto bound = style.format == text::Format::kOpenMetrics ? BoundLabel(family.head().type)
                                                                : std::string_view{};
  LabelsBuilder builder;
  for (const auto [name, value] : labels) {
    if (name == kMetricName) {
      // "x", or "x_bucket" of histogram "x".
      const auto& family_name = family.head().name;
      const bool derived = value.starts_with(family_name);
      const auto rest = derived ? value.substr(family_name.size()) : value;
      const auto tail =
          style.utf8_names ? std::string(rest) : EscapeName("_" + std::string(rest)).substr(1);
      builder.Set(name, derived ? shown.sample_name + tail : tail);
    } else if (drop_target && name == "target") {
      continue;
    } else if (!bound.empty() && name == bound) {
      builder.Set(name, FloatText(value));
    } else {
      builder.Set(style.utf8_names ? std::string(name) : EscapeName(name), value);
    }
  }
  return builder.Build();
}

}  // namespace

std::string EscapeName(std::string_view name) {
  std::string out;
  out.reserve(name.size());
  for (const char c : name) {
    // A character of several bytes becomes one '_'.
    if ((static_cast<unsigned char>(c) & 0xC0) == 0x80) continue;
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':';
    const bool digit = c >= '0' && c <= '9';
    out += letter || (digit && !out.empty()) ? c : '_';
  }
  return out;
}

ShownFamily Show(const FamilyHead& head, PageStyle style, const NameSet& names) {
  ShownFamily shown{style.utf8_names ? head.name : EscapeName(head.name), {}, head.type};
  shown.sample_name = shown.name;
  const auto suffix =
      style.format == text::Format::kOpenMetrics ? RequiredSuffix(head.type) : std::string_view{};
  if (suffix.empty()) return shown;
  // A name is the same in both formats: rules and dashboards know a peer's counter without "_total"
  // (pg_stat_database_xact_commit) by that name, so it is of no type that would rename it.
  if (shown.name.size() <= suffix.size() || !shown.name.ends_with(suffix)) {
    shown.type = MetricType::kUnknown;
    return shown;
  }
  auto family = shown.name.substr(0, shown.name.size() - suffix.size());
  if (names.contains(family)) {
    shown.type = MetricType::kUnknown;
  } else {
    shown.name = std::move(family);
  }
  return shown;
}

std::shared_ptr<const RewrittenLines> Rewrite(const Family& family, const ShownFamily& shown,
                                              PageStyle style, bool drop_target) {
  const bool renamed = shown.sample_name != family.head().name;
  const bool bounds =
      style.format == text::Format::kOpenMetrics && !BoundLabel(family.head().type).empty();
  if (!renamed && !bounds && !drop_target && (style.utf8_names || !family.has_quoted_names())) {
    return nullptr;
  }
  auto rewritten = std::make_shared<RewrittenLines>();
  rewritten->sample_name = shown.sample_name;
  rewritten->lines.reserve(family.lines().size() + 8 * family.size());
  rewritten->ends.reserve(family.size());
  for (std::size_t i = 0; i < family.size(); ++i) {
    AppendSeries(rewritten->lines,
                 RewriteLabels(family.labels(i), family, shown, style, drop_target));
    rewritten->lines += ' ';
    rewritten->ends.push_back(static_cast<std::uint32_t>(rewritten->lines.size()));
  }
  rewritten->lines.shrink_to_fit();
  return rewritten;
}

std::string Header(const ShownFamily& shown, const FamilyHead& head, PageStyle style) {
  const bool openmetrics = style.format == text::Format::kOpenMetrics;
  const auto name = QuotedUnlessLegacy(shown.name);
  std::string header;
  if (!head.help.empty()) {
    header += "# HELP " + name + ' ';
    text::AppendHelp(header, head.help, openmetrics);
    header += '\n';
  }
  header += "# TYPE " + name + ' ';
  header += openmetrics ? TypeNameInOpenMetrics(shown.type) : TypeNameInText(shown.type);
  header += '\n';
  // A unit that does not end the name is not one to OpenMetrics.
  if (openmetrics && !head.unit.empty() && shown.name.size() > head.unit.size() + 1 &&
      shown.name.ends_with('_' + head.unit)) {
    header += "# UNIT " + name + ' ' + head.unit + '\n';
  }
  return header;
}

}  // namespace vigia::exporter
