// `vigia metrics`: every metric that vigia can emit, as the Markdown page docs/metrics.md.

#pragma once

#include <string>

namespace vigia::exporter::cli {

std::string MetricsPage();

}  // namespace vigia::exporter::cli
