// The functions of notification templates, as Alertmanager has them.
#include "alerting/templates/function.h"
namespace vigia::alerting::templates {
std::span<const Function> NotificationFunctions() { return {}; }
}  // namespace vigia::alerting::templates
