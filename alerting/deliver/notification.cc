#include "alerting/deliver/notification.h"

namespace vigia::alerting::deliver {
namespace {

Labels Common(const std::vector<Alert>& alerts, Labels Alert::*set) {
  if (alerts.empty()) return {};
  std::vector<LabelView> common;
  for (const auto label : alerts.front().*set) {
    bool everywhere = true;
    for (const Alert& alert : alerts) {
      if ((alert.*set).Get(label.name) != label.value) everywhere = false;
    }
    if (everywhere) common.push_back(label);
  }
  return Labels::FromSorted(common);
}

}  // namespace

Labels CommonLabels(const std::vector<Alert>& alerts) { return Common(alerts, &Alert::labels); }

Labels CommonAnnotations(const std::vector<Alert>& alerts) {
  return Common(alerts, &Alert::annotations);
}

}  // namespace vigia::alerting::deliver
