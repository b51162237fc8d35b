// What PostgreSQL's error codes (SQLSTATE, appendix A of its manual) and messages mean to us.

#pragma once

#include <string>
#include <string_view>

#include "core/result.h"

namespace vigia::collectors::postgres {

// For those who retry: kUnavailable and kTimeout may go better next time, kInvalid will not.
ErrorCode CodeOfSqlState(std::string_view sqlstate);

// PostgreSQL's message as one line: "FATAL:  3D000: no such database\nLOCATION: ..." is
// "3D000: no such database".
std::string OneLine(std::string_view message);

// Cuts the SQLSTATE off a verbose error message ("3D000: ..."); empty if there is none. libpq does
// not tell the state of a failed connect otherwise, and the text depends on the server's language.
std::string TakeSqlState(std::string& message);

}  // namespace vigia::collectors::postgres
