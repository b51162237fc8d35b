#include "collectors/postgres/pipeline.h"

#include <pqxx/pqxx>

namespace vigia::collectors::postgres {
namespace {

void Send(PGconn* session, const std::vector<std::string>& names) {
  bool sent = PQenterPipelineMode(session) == 1;
  for (const auto& name : names) {
    // Each answer is sent when it is there, so that the time that it took is seen.
    sent = sent &&
           PQsendQueryPrepared(session, name.c_str(), 0, nullptr, nullptr, nullptr, 0) == 1 &&
           PQsendFlushRequest(session) == 1;
  }
  if (!sent || PQpipelineSync(session) != 1) ThrowFailure(session, nullptr);
}

// The result of one statement, behind which nothing stands before the next one's.
ResultOwner Take(PGconn* session) {
  auto result = NextResult(session);
  if (!result || PQstatus(session) != CONNECTION_OK) ThrowFailure(session, result.get());
  while (const auto rest = NextResult(session)) {
    if (PQstatus(session) != CONNECTION_OK) ThrowFailure(session, rest.get());
  }
  return result;
}

}  // namespace

ResultOwner NextResult(PGconn* session) { return {PQgetResult(session), PQclear}; }

void ThrowFailure(PGconn* session, const PGresult* result) {
  if (PQstatus(session) != CONNECTION_OK) throw pqxx::broken_connection(PQerrorMessage(session));
  const char* const message = result ? PQresultErrorMessage(result) : PQerrorMessage(session);
  const char* const state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : nullptr;
  throw pqxx::sql_error(message ? message : "no answer", "", state ? state : "");
}

std::unordered_map<std::string, Answer> AskTogether(PGconn* session,
                                                    const std::vector<std::string>& names,
                                                    std::string& asked) {
  std::unordered_map<std::string, Answer> answers;
  Instant before = SystemClock().Now();
  Send(session, names);
  for (const auto& name : names) {
    asked = name;
    auto result = Take(session);
    const Instant now = SystemClock().Now();
    if (PQresultStatus(result.get()) != PGRES_PIPELINE_ABORTED) {
      answers.emplace(name, Answer{std::move(result), now - before});
    }
    before = now;
  }
  const auto end = NextResult(session);
  if (PQresultStatus(end.get()) != PGRES_PIPELINE_SYNC || PQexitPipelineMode(session) != 1) {
    throw pqxx::broken_connection("the answers to several statements did not end");
  }
  return answers;
}

}  // namespace vigia::collectors::postgres
