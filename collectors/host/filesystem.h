// Size and free space of the mounted file systems.

#pragma once

#include <memory>

#include "collectors/host/part.h"
#include "collectors/host/statfs_probe.h"

namespace vigia::collectors::host {

// The subject "filesystem", with the system call as a parameter; `clock` measures how long it
// takes.
std::unique_ptr<Collector> MakeFilesystemWith(StatfsFunction statfs, Clock& clock,
                                              const Paths& paths, config::MapReader& options);

}  // namespace vigia::collectors::host
