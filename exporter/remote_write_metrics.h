// What remote write says of itself.

#pragma once

#include <memory>
#include <span>

#include "collectors/collector.h"
#include "query/remote_write/remote_write.h"

namespace vigia::exporter {

std::span<const Metric> RemoteWriteMetrics();

// `remote_write` outlives it.
std::unique_ptr<collectors::Collector> MakeRemoteWriteCollector(
    const remote_write::RemoteWrite& remote_write);

}  // namespace vigia::exporter
