// What the tests of the HTTP server share: a running server, certificates, passwords.

#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "exporter/http/gate.h"
#include "exporter/http/server.h"
#include "tests/support/temp_dir.h"

namespace vigia::http {

using namespace std::chrono_literals;

// A server on a free port of 127.0.0.1, with few workers unless told otherwise.
struct Stand {
  explicit Stand(Router router, Server::Options options = {.workers = 16});
  ~Stand();

  std::unique_ptr<Server> server;
  int port = 0;
};

// A gate for `dir`/web.yml.
std::unique_ptr<Gate> OpenGate(const test::TempDir& dir, const Clock& clock,
                               Gate::Options options = {.client_rate = {0, 1}});

// Server options that let `gate` decide.
Server::Options Behind(Gate& gate);

// The bcrypt hash of a password, at the lowest cost.
std::string Bcrypt(const std::string& password);

// "Basic ..." for "user:password".
std::string BasicAuth(const std::string& user_and_password);

// A certificate in `dir`/`name`.pem with its key in `dir`/`name`.key, good for localhost and
// 127.0.0.1, signed by `dir`/`authority`.pem, or by itself if `authority` is empty. `names` is
// what subjectAltName holds besides.
void MakeCertificate(const test::TempDir& dir, const std::string& name,
                     const std::string& authority = {}, const std::string& names = {});

// The first line of an answer.
std::string StatusLine(const std::string& answer);

}  // namespace vigia::http
