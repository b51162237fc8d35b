#include "exporter/api/answer.h"

#include "core/text/json.h"
#include "exporter/page/gzip.h"
#include "exporter/page/negotiate.h"

namespace vigia::api {
namespace {

// Shorter ones fit a packet or two as they are.
constexpr std::size_t kWorthCompressing = 2048;

void AppendList(std::string& out, std::string_view key, const std::vector<std::string>& list) {
  if (list.empty()) return;
  out += ",\"";
  out += key;
  out += "\":[";
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (i != 0) out += ',';
    text::AppendJsonString(out, list[i]);
  }
  out += ']';
}

}  // namespace

tl::unexpected<ApiError> BadParameter(std::string_view name, std::string_view what) {
  std::string message = "invalid parameter \"";
  message.append(name).append("\": ").append(what);
  return BadData(std::move(message));
}

ApiError FromQuery(const promql::QueryError& error) {
  using Kind = promql::QueryError::Kind;
  switch (error.kind) {
    case Kind::kBadData:
      return BadParameter("query", error.message).value();
    case Kind::kTimeout:
      return {503, "timeout", error.message};
    case Kind::kCanceled:
      return {499, "canceled", error.message};
    case Kind::kInternal:
      return {500, "internal", error.message};
    case Kind::kExecution:
      break;
  }
  return {422, "execution", error.message};
}

ApiError FromStorage(const Error& error) {
  if (error.code() == ErrorCode::kInvalid) return {400, "bad_data", error.message()};
  return {500, "internal", error.message()};
}

http::Response Failure(const ApiError& error) {
  std::string body;
  text::JsonWriter json(body);
  json.BeginObject();
  json.Field("status", "error").Field("errorType", error.type).Field("error", error.message);
  json.EndObject();
  return http::Response::Json(error.code, std::move(body));
}

std::string EnvelopeBegin() { return "{\"status\":\"success\",\"data\":"; }

std::string EnvelopeEnd(const Notes& notes) {
  std::string end;
  AppendList(end, "warnings", notes.warnings);
  AppendList(end, "infos", notes.infos);
  end += '}';
  return end;
}

bool TakesGzip(const http::Request& request) {
  return exporter::Negotiate({}, request.Header("accept-encoding")).encoding ==
         exporter::Encoding::kGzip;
}

http::Response JsonAnswer(const http::Request& request, std::string body) {
  const bool gzip = body.size() >= kWorthCompressing && TakesGzip(request);
  if (gzip) body = exporter::GzipCompressor().Compress(body);
  auto response = http::Response::Json(200, std::move(body));
  response.headers.emplace_back("vary", "Accept-Encoding");
  if (gzip) response.headers.emplace_back("content-encoding", "gzip");
  return response;
}

http::Response Success(const http::Request& request, std::string_view data, const Notes& notes) {
  std::string body = EnvelopeBegin();
  body += data;
  body += EnvelopeEnd(notes);
  return JsonAnswer(request, std::move(body));
}

}  // namespace vigia::api
