// How the dispatcher's values look in the state file: JSON, so that a person can read them.

#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "alerting/dispatch/known_alert.h"
#include "alerting/dispatch/log.h"
#include "alerting/dispatch/notice.h"
#include "alerting/route/matcher.h"
#include "core/result.h"

namespace vigia::alerting::dispatch {

std::string EncodeLabels(const Labels& labels);
std::string EncodeMap(const std::map<std::string, std::string>& map);
std::string EncodeDetails(const std::vector<std::pair<std::string, std::string>>& details);
// Fingerprints in hexadecimal, separated by spaces.
std::string EncodeIds(const AlertIds& ids);
// Each set as `{a="b"}`, in a JSON array.
std::string EncodeMatchers(const std::vector<route::Matchers>& sets);
// All of a notice but its id, key and time.
std::string EncodeNotice(const Notice& notice);

// The reverse; what cannot be read is kCorrupt.
Result<Labels> DecodeLabels(std::string_view text);
Result<std::map<std::string, std::string>> DecodeMap(std::string_view text);
AlertIds DecodeIds(std::string_view text);
Result<std::vector<route::Matchers>> DecodeMatchers(std::string_view text);
Status DecodeNotice(std::string_view text, Notice& notice);

}  // namespace vigia::alerting::dispatch
