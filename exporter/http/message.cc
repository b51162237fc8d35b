#include "exporter/http/message.h"

#include <algorithm>

#include "core/text/percent.h"

namespace vigia::http {
std::string_view Request::Parameter(std::string_view name) const {
  for (const auto* parameters : {&form, &query}) {
    for (const auto& [key, value] : *parameters) {
      if (key == name) return value;
    }
  }
  return {};
}

std::vector<std::string> Request::ParameterList(std::string_view name) const {
  std::vector<std::string> values;
  for (const auto* parameters : {&form, &query}) {
    for (const auto& [key, value] : *parameters) {
      if (key == name) values.push_back(value);
    }
  }
  return values;
}

std::string_view HeaderValue(const Headers& headers, std::string_view lower_case_name) {
  for (const auto& [name, value] : headers) {
    if (name == lower_case_name) return value;
  }
  return {};
}

std::string_view Request::Header(std::string_view lower_case_name) const {
  return HeaderValue(headers, lower_case_name);
}

bool Request::FromLoopback() const { return remote_address.starts_with("127."); }

Response Response::Text(int status, std::string text) {
  return {.status = status,
          .headers = {{"content-type", "text/plain; charset=utf-8"}},
          .body = std::move(text)};
}

Response Response::Html(std::string text) {
  return {.headers = {{"content-type", "text/html; charset=utf-8"}}, .body = std::move(text)};
}

Response Response::Json(int status, std::string text) {
  return {
      .status = status, .headers = {{"content-type", "application/json"}}, .body = std::move(text)};
}

std::string_view ReasonPhrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 302:
      return "Found";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Status";
  }
}

Parameters ParseUrlEncoded(std::string_view query) {
  constexpr std::size_t kMaxPairs = 10'000;
  Parameters parameters;
  while (!query.empty() && parameters.size() < kMaxPairs) {
    const auto pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    if (pair.empty()) continue;
    const std::size_t equals = pair.find('=');
    const auto value = equals == pair.npos ? std::string_view() : pair.substr(equals + 1);
    parameters.emplace_back(text::PercentDecode(pair.substr(0, equals), true),
                            text::PercentDecode(value, true));
  }
  return parameters;
}

}  // namespace vigia::http
