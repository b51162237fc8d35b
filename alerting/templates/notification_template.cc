#include "alerting/templates/notification_template.h"

#include <glob.h>

#include "alerting/fingerprint.h"
#include "alerting/templates/default_templates.h"
#include "alerting/templates/evaluator.h"
#include "alerting/templates/notification_types.h"
#include "alerting/templates/parser.h"
#include "core/file.h"

namespace vigia::alerting::templates {
namespace {

constexpr std::string_view kFiring = "firing";
constexpr std::string_view kResolved = "resolved";

Map EscapedValues(const NotificationData& data, const Labels& labels) {
  Map map = KeyValues(labels);
  if (!data.escape) return map;
  for (auto& [name, value] : map.entries) value = Value(data.escape(Text(value)));
  return map;
}

Value ToValue(const NotificationData& data, const Alert& alert) {
  const bool resolved = alert.ResolvedAt(data.now);
  return Value(
      Struct{.fields = {{"Status", resolved ? kResolved : kFiring},
                        {"Labels", EscapedValues(data, alert.labels)},
                        {"Annotations", EscapedValues(data, alert.annotations)},
                        {"StartsAt", Time::FromMilliseconds(alert.starts_at)},
                        {"EndsAt", resolved ? Time::FromMilliseconds(alert.ends_at) : Time()},
                        {"GeneratorURL", alert.generator_url},
                        {"Fingerprint", FingerprintText(Fingerprint(alert.labels))}},
             .type = "template.Alert"});
}

const Vocabulary& Words() {
  static const Vocabulary words{NotificationFunctions(), {}};
  return words;
}

Result<std::vector<TemplateSet::File>> ReadPattern(const std::string& pattern) {
  glob_t found{};
  glob(pattern.c_str(), 0, nullptr, &found);  // sorted; none is no error, as in Alertmanager
  std::vector<std::filesystem::path> paths(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  globfree(&found);
  std::vector<TemplateSet::File> files;
  for (const auto& path : paths) {
    auto text = ReadFile(path);
    if (!text) return Fail(text.error());
    files.push_back({path.filename(), *std::move(text)});
  }
  return files;
}

}  // namespace

Value ToValue(const NotificationData& data) {
  List alerts{.type = "template.Alerts", .methods = AlertsMethods()};
  bool firing = false;
  for (const Alert& alert : data.alerts) {
    alerts.items.push_back(ToValue(data, alert));
    firing = firing || !alert.ResolvedAt(data.now);
  }
  return Value(
      Struct{.fields = {{"Receiver", data.receiver},
                        {"Status", firing ? kFiring : kResolved},
                        {"Alerts", std::move(alerts)},
                        {"GroupLabels", EscapedValues(data, data.group_labels)},
                        {"CommonLabels", EscapedValues(data, data.common_labels)},
                        {"CommonAnnotations", EscapedValues(data, data.common_annotations)},
                        {"ExternalURL", data.external_url},
                        {"NotificationReason", data.reason}},
             .type = "*template.Data"});
}

struct TemplateSet::Parsed {
  Trees trees;

  Result<std::string> Expand(std::string_view text, const Value& data, Timestamp now,
                             Escaping escaping) const {
    if (text.find("{{") == text.npos) return std::string(text);
    Trees own = trees;
    own.erase("");  // the text itself, even where it is empty
    if (auto status = templates::Parse("", text, Words(), own); !status) {
      return Fail(status.error());
    }
    const Environment environment{.now = now};
    return Execute(
        {.trees = own, .name = "", .data = data, .environment = environment, .escaping = escaping});
  }
};

TemplateSet::TemplateSet(std::unique_ptr<const Parsed> parsed) : parsed_(std::move(parsed)) {}
TemplateSet::~TemplateSet() = default;

std::shared_ptr<const TemplateSet> TemplateSet::Default() {
  static const std::shared_ptr<const TemplateSet> set = Parse({}).value();
  return set;
}

Result<std::shared_ptr<const TemplateSet>> TemplateSet::Parse(std::span<const File> files) {
  auto parsed = std::make_unique<Parsed>();
  auto status = templates::Parse("default.tmpl", kDefaultTemplates, Words(), parsed->trees);
  for (const File& file : files) {
    if (!status) break;
    status = templates::Parse(file.name, file.text, Words(), parsed->trees);
  }
  if (!status) return Fail(status.error());
  return std::shared_ptr<const TemplateSet>(new TemplateSet(std::move(parsed)));
}

Result<std::shared_ptr<const TemplateSet>> TemplateSet::Load(
    std::span<const std::filesystem::path> patterns) {
  std::vector<File> files;
  for (const auto& pattern : patterns) {
    auto more = ReadPattern(pattern);
    if (!more) return Fail(more.error());
    for (auto& file : *more) files.push_back(std::move(file));
  }
  return Parse(files);
}

Status TemplateSet::Check(std::string_view text) const {
  Trees trees = parsed_->trees;
  return templates::Parse("", text, Words(), trees);
}

Result<std::string> TemplateSet::Text(std::string_view text, const Value& data,
                                      Timestamp now) const {
  return parsed_->Expand(text, data, now, Escaping::kNone);
}

Result<std::string> TemplateSet::Html(std::string_view text, const Value& data,
                                      Timestamp now) const {
  return parsed_->Expand(text, data, now, Escaping::kHtml);
}

}  // namespace vigia::alerting::templates
