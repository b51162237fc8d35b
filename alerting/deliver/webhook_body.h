// The body of Alertmanager's webhook, which others than webhooks take, too.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "alerting/deliver/message.h"

namespace vigia::alerting::deliver {

// JSON with the first `most` alerts, the rest counted in "truncatedAlerts".
std::string WebhookBody(const Notification& notification, const Message& message, std::size_t most,
                        std::string_view version);

}  // namespace vigia::alerting::deliver
