// Times and values as the APIs about alerts write and read them.

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/sample.h"
#include "core/text/json.h"
#include "exporter/http/message.h"

namespace vigia {
class Labels;
}

namespace vigia::routing {

// "2026-11-27T14:05:06.789Z".
std::string TimeText(Timestamp time);
// RFC 3339; as Alertmanager takes them, also without seconds, without the colon in the zone, and
// without a zone: UTC, then also with a space for the T. Nothing for what is no time.
std::optional<Timestamp> ParseTimeText(std::string_view text);

void WriteLabels(text::JsonWriter& json, const Labels& labels);

// An error of the API v2: the text as a JSON string.
http::Response ErrorAnswer(int status, std::string_view message);

}  // namespace vigia::routing
