// States of systemd's units.

#pragma once

#include <memory>

#include "collectors/host/part.h"
#include "collectors/host/systemd_bus.h"

namespace vigia::collectors::host {

// The subject "systemd", with what it asks as a parameter.
std::unique_ptr<Collector> MakeSystemdWith(std::unique_ptr<SystemdSource> source,
                                           config::MapReader& options);

}  // namespace vigia::collectors::host
