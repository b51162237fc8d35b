// What Microsoft Teams' workflows and its connectors have in common.

#pragma once

#include "alerting/deliver/http_receiver.h"

namespace vigia::alerting::deliver {

struct TeamsOptions {
  Secret url;
  std::string title;
  std::string summary;
  std::string text;
};

// A card has 28 KB, JSON's escapes included.
inline constexpr Limit kTeamsText{12'000, Unit::kBytes};
inline constexpr Limit kTeamsLine{1000, Unit::kBytes};

// Four requests a second are taken at most (learn.microsoft.com, "Rate limiting for connectors").
inline constexpr Receiver::Pace kTeamsPace{.per_second = 2, .burst = 4};

// Reads `webhook_url` and the texts; those that are absent are the default templates
// "<prefix>.default.title" and so on. `summary` is known to connectors alone.
TeamsOptions ReadTeams(ReceiverOptions& common, const std::string& prefix, bool summary);

}  // namespace vigia::alerting::deliver
