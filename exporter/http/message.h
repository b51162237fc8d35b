// One HTTP request and its answer, as handlers see them.

#pragma once

#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"

namespace vigia::http {

// Names in lower case.
using Headers = std::vector<std::pair<std::string, std::string>>;

// Query and form parameters: decoded, in order, names may repeat.
using Parameters = std::vector<std::pair<std::string, std::string>>;

struct Request {
  std::string method;  // HEAD arrives as GET
  std::string path;    // decoded
  Parameters query;
  Parameters form;  // of an application/x-www-form-urlencoded body
  Headers headers;
  std::string body;
  std::string remote_address;
  // Who authenticated, by password or by a verified client certificate (its subject); empty for
  // nobody.
  std::string user;
  std::string id;  // X-Request-Id, taken or made
  bool tls = false;
  // Of routes that can be cancelled: requested within a second of the client hanging up.
  std::stop_token gone;
  // What the placeholders of the route matched: {"name": "job"} for /label/{name}/values.
  std::map<std::string, std::string, std::less<>> path_parameters;

  // The first value, in the form or else in the query; empty if there is none.
  std::string_view Parameter(std::string_view name) const;
  // All values, those of the form first.
  std::vector<std::string> ParameterList(std::string_view name) const;
  std::string_view Header(std::string_view lower_case_name) const;
  bool FromLoopback() const;
};

// Takes the pieces of a streamed body, which are gathered into larger ones until an empty piece
// sends what there is; false once the client is gone, and the writer stops.
using Sink = std::function<bool(std::string_view piece)>;

struct Response {
  int status = 200;
  Headers headers;
  std::string body;
  // Sent instead of `body` if set: a page that many answers share.
  std::shared_ptr<const std::string> shared_body;
  // Called to write the body piece by piece if set, once the head is on its way. An error cuts
  // the connection: the client sees that the body is incomplete.
  std::function<Status(const Sink&)> stream;

  static Response Text(int status, std::string text);
  static Response Html(std::string text);
  static Response Json(int status, std::string text);
};

// The first field of this name, empty if there is none.
std::string_view HeaderValue(const Headers& headers, std::string_view lower_case_name);

// The words of a status: "Not Found".
std::string_view ReasonPhrase(int status);

// "a=1&b=%20" -> {{"a","1"},{"b"," "}}; at most 10,000 pairs, the rest is left out.
Parameters ParseUrlEncoded(std::string_view query);

}  // namespace vigia::http
