// Numbers for people, as Prometheus' templates show them: four significant digits and a prefix.

#pragma once

#include <string>

namespace vigia::alerting::templates {

// 1234567 is "1.235M", 0.0012 is "1.2m".
std::string Humanize(double value);
// 1048576 is "1Mi".
std::string Humanize1024(double value);
// Seconds: 93784 is "1d 2h 3m 4s", 0.0012 is "1.2ms".
std::string HumanizeDuration(double seconds);
// 0.1234 is "12.34%".
std::string HumanizePercentage(double ratio);

}  // namespace vigia::alerting::templates
