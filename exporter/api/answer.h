// The envelope of every answer: {"status":"success","data":...} or an error of a known type.

#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "core/result.h"
#include "exporter/http/message.h"
#include "query/promql/error.h"

namespace vigia::api {

// An error as the API names it: errorType, text and HTTP code.
struct ApiError {
  int code = 400;
  std::string_view type = "bad_data";
  std::string message;
};

template <typename T>
using ApiResult = tl::expected<T, ApiError>;

inline tl::unexpected<ApiError> BadData(std::string message) {
  return tl::unexpected<ApiError>(ApiError{400, "bad_data", std::move(message)});
}
// `invalid parameter "time": ...`
tl::unexpected<ApiError> BadParameter(std::string_view name, std::string_view what);

// A failed query; one that is no PromQL is blamed on the parameter `query`.
ApiError FromQuery(const promql::QueryError& error);
ApiError FromStorage(const Error& error);

http::Response Failure(const ApiError& error);

// What is said beside the data.
struct Notes {
  std::vector<std::string> warnings;
  std::vector<std::string> infos;
};

// `data` is JSON. Compressed where the client takes it and it pays.
http::Response Success(const http::Request& request, std::string_view data,
                       const Notes& notes = {});
// `begin` is what stands before the data, `end` what stands after it.
std::string EnvelopeBegin();
std::string EnvelopeEnd(const Notes& notes);
// Whether the client wants its answer compressed.
bool TakesGzip(const http::Request& request);
// An answer whose whole body is `body`.
http::Response JsonAnswer(const http::Request& request, std::string body);

}  // namespace vigia::api
