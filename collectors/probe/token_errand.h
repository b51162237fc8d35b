// A TokenErrand fetches the access token that an HTTP probe needs (oauth2), on the probe's own
// handle and in its own time, so that a token's server that hangs holds no other probe up. For
// http_transfer.cc. Not thread-safe; stays where it is while the handle uses it.

#pragma once

#include <optional>
#include <string>

#include "collectors/probe/module.h"
#include "core/curl_request.h"

namespace vigia::collectors::probe {

class TokenErrand {
 public:
  // `module` has oauth2, and outlives it.
  explicit TokenErrand(const HttpModule& module)
      : module_(module), auth_(module.tokens->auth().value_or(ClientAuth::kHeader)) {}

  // Sets the options of the handle, a CURL* that `request` has reset; only the timeout is the
  // caller's.
  Status Prepare(void* easy, CurlRequest& request);

  enum class Outcome {
    kDone,   // the token is in the module's cache
    kAgain,  // the server may understand the other way: prepare again
    kFailed,
  };
  // After the request, which came through.
  Outcome End(void* easy, Instant now);
  // What kDone stands for.
  const std::string& token() const { return token_; }
  // Why it failed.
  const std::string& error() const { return error_; }

 private:
  static std::size_t OnBody(char* data, std::size_t, std::size_t size, void* self);

  const HttpModule& module_;
  ClientAuth auth_;
  HttpRequest question_;
  std::string answer_;
  std::string token_;
  std::string error_;
};

}  // namespace vigia::collectors::probe
