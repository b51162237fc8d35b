#include "alerting/deliver/receiver.h"

#include <array>

#include "alerting/templates/notification_template.h"

namespace vigia::alerting::deliver {

#define RECEIVER(key, globals, function) \
  std::unique_ptr<Receiver> function(const ReceiverInput& input);
#include "alerting/deliver/receivers.def"
#undef RECEIVER

namespace {

constexpr std::array kKinds{
#define RECEIVER(key, globals, function) ReceiverKind{key, globals, function},
#include "alerting/deliver/receivers.def"
#undef RECEIVER
};

}  // namespace

std::span<const ReceiverKind> ReceiverKinds() { return kKinds; }

std::vector<std::unique_ptr<Receiver>> ReadReceiver(
    config::MapReader& receiver, const config::Node& global, const std::filesystem::path& folder,
    const std::shared_ptr<const templates::TemplateSet>& templates, Clock& clock) {
  std::vector<std::unique_ptr<Receiver>> receivers;
  for (const auto& kind : kKinds) {
    const config::Node* const list = receiver.Child(kind.key);
    if (!list || list->IsNull()) continue;
    if (!list->IsList()) {
      receiver.Fault(kind.key, "has to be a list");
      continue;
    }
    for (const config::Node& item : list->items) {
      config::MapReader options(item, receiver.diagnostics(), std::string(kind.key));
      auto made =
          kind.make({options, global, folder,
                     templates ? templates : alerting::templates::TemplateSet::Default(), clock});
      if (made) receivers.push_back(std::move(made));
    }
  }
  return receivers;
}

void ClaimGlobals(config::MapReader& global) {
  for (const auto& kind : kKinds) {
    std::string_view keys = kind.globals;
    while (!keys.empty()) {
      const auto end = std::min(keys.find(' '), keys.size());
      global.Child(keys.substr(0, end));
      keys.remove_prefix(std::min(end + 1, keys.size()));
    }
  }
}

}  // namespace vigia::alerting::deliver
