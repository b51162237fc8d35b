// Several prepared statements in one journey to the server, by libpq's pipeline mode.

#pragma once

#include <libpq-fe.h>

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/clock.h"

namespace vigia::collectors::postgres {

using ResultOwner = std::unique_ptr<PGresult, decltype(&PQclear)>;

// The next result of what was asked; null if there is none.
ResultOwner NextResult(PGconn* session);

// What pqxx would throw for `result`, which may be null.
[[noreturn]] void ThrowFailure(PGconn* session, const PGresult* result);

struct Answer {
  ResultOwner result;  // rows, or the statement's own error
  Duration took{0};    // since the answer before
};

// Asks the statements with these names, which the session has prepared. They are one transaction to
// the server: those behind one that fails are not run and have no answer. Throws as ThrowFailure()
// if the connection is lost; `asked` then names the statement whose answer was awaited.
std::unordered_map<std::string, Answer> AskTogether(PGconn* session,
                                                    const std::vector<std::string>& names,
                                                    std::string& asked);

}  // namespace vigia::collectors::postgres
