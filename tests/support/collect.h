// Runs a collector once and shows what it reported.

#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "collectors/collector.h"
#include "core/reading.h"
#include "core/result.h"

namespace vigia::test {

// The lines of a reading, `name{labels} value`, in the order in which they were added, without
// HELP and TYPE.
std::string ReadingText(const Reading& reading);

// Runs `collector` once.
Result<std::shared_ptr<const Reading>> CollectOnce(collectors::Collector& collector, Batch& batch);

// A host subject by its name ("host.load"), with the options that CollectText() takes; nullptr,
// and what is wrong with the options in `fault`, if it cannot be made.
std::unique_ptr<collectors::Collector> MakeHostCollector(
    std::string_view collector, const std::map<std::string, std::string>& options,
    std::string& fault);

// Makes the host subject `collector` ("host.load") with the host options `options`
// ("procfs", "sysfs", "rootfs"; any other key is an option of the subject's own, or "options" all
// of them as YAML), runs it once, and gives ReadingText. On failure the text is "error: " and the
// message.
std::string CollectText(std::string_view collector,
                        const std::map<std::string, std::string>& options);

}  // namespace vigia::test
