// The service manager's side of the daemon: systemd's notification protocol. Does nothing where
// no service manager asked for it (NOTIFY_SOCKET is not set).

#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace vigia::exporter::service {

void NotifyReady(std::string_view status);
void NotifyReloading();
void NotifyStopping();
void NotifyWatchdog();

// How often NotifyWatchdog() has to be called: half of what the unit's WatchdogSec allows.
std::optional<std::chrono::milliseconds> WatchdogInterval();

}  // namespace vigia::exporter::service
