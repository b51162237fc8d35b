// Templates of notifications, as Alertmanager expands them: those of the files under `templates:`
// and the default ones can be called by every text of a receiver's options.
//
// What they compute with: .Receiver .Status .Alerts (.Firing .Resolved) .GroupLabels .CommonLabels
// .CommonAnnotations .ExternalURL (docs/templates.md).

#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "alerting/alert.h"
#include "alerting/templates/value.h"
#include "core/labels.h"
#include "core/result.h"
#include "core/sample.h"

namespace vigia::alerting::templates {

// What notification templates see.
struct NotificationData {
  std::string receiver;
  Labels group_labels;
  Labels common_labels;
  Labels common_annotations;
  std::span<const Alert> alerts;  // in the order in which they are to be told
  std::string external_url;
  std::string reason;
  Timestamp now = 0;
  // Escapes values of labels and annotations for the markup of a channel; nullptr: as they are.
  std::string (*escape)(std::string_view value) = nullptr;
};

// The data as a value, made once for all texts of one notification.
Value ToValue(const NotificationData& data);

// Immutable and thread-safe.
class TemplateSet {
 public:
  struct File {
    std::string name;  // as errors show it
    std::string text;
  };

  // The default templates alone.
  static std::shared_ptr<const TemplateSet> Default();
  // The default templates, and those of `files` in their order: a later one of the same name
  // counts.
  static Result<std::shared_ptr<const TemplateSet>> Parse(std::span<const File> files);
  // The files that fit glob patterns ("templates/*.tmpl"), those of each pattern by name.
  static Result<std::shared_ptr<const TemplateSet>> Load(
      std::span<const std::filesystem::path> patterns);

  // Whether `text` can be parsed: for the check of a configuration.
  Status Check(std::string_view text) const;

  // Expands `text`, whose names are those of the set. `now` is what `now` and `since` go by.
  Result<std::string> Text(std::string_view text, const Value& data, Timestamp now) const;
  // The same with values escaped for HTML.
  Result<std::string> Html(std::string_view text, const Value& data, Timestamp now) const;

  ~TemplateSet();

 private:
  struct Parsed;
  explicit TemplateSet(std::unique_ptr<const Parsed> parsed);

  const std::unique_ptr<const Parsed> parsed_;
};

}  // namespace vigia::alerting::templates
