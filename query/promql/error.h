// Why a query has no answer, in the terms of Prometheus' API.

#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace vigia::promql {

struct QueryError {
  // The errorType of the API.
  enum class Kind {
    kBadData,    // the query is not PromQL
    kExecution,  // it is, but cannot be evaluated on this data
    kTimeout,
    kCanceled,
    kInternal,  // the storage failed
  };

  Kind kind = Kind::kExecution;
  std::string message;

  friend bool operator==(const QueryError&, const QueryError&) = default;
};

template <typename T>
using QueryResult = tl::expected<T, QueryError>;
using QueryStatus = QueryResult<void>;

inline tl::unexpected<QueryError> Fail(QueryError error) {
  return tl::unexpected<QueryError>(std::move(error));
}
inline tl::unexpected<QueryError> ExecutionError(std::string message) {
  return Fail(QueryError{QueryError::Kind::kExecution, std::move(message)});
}

}  // namespace vigia::promql
