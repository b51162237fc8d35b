// The channels over HTTP as tests configure them, and the limits that they publish.

#pragma once

#include <array>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/support/http_stub.h"

namespace vigia::test {

inline constexpr std::array kChannels{
    "webhook",      "slack",   "pagerduty",  "discord",  "telegram",  "msteamsv2", "mattermost",
    "googlechat",   "ntfy",    "opsgenie",   "pushover", "victorops", "webex",     "sentry",
    "alertmanager", "msteams", "rocketchat", "wechat",   "jira",      "sns",       "incidentio"};

// Characters of a text.
std::size_t Runes(const nlohmann::json& text);

// What of a body is over the limits that its channel publishes; empty if nothing.
std::string Fault(const std::string& channel, const nlohmann::json& body, std::size_t bytes);
// A body as JSON; an envelope is several lines, the event in the last; a form is an object.
nlohmann::json BodyOf(const std::string& channel, const std::string& body);

// What a channel says when it has taken a message.
std::string TakenBody(const std::string& channel);
// Lets `stub` answer what a channel is asked beside the message: for tokens, for what it knows.
void AnswerBeside(const std::string& channel, HttpStub& stub);

// Where a channel posts to below "/x".
std::string PathOf(const std::string& channel);
// A receiver that posts to `url`, which ends with "/x".
std::string Yaml(const std::string& channel, const std::string& url);

}  // namespace vigia::test
