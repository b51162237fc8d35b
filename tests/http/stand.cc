#include "tests/http/stand.h"

#include <crypt.h>

#include <catch2/catch.hpp>

#include "tests/support/process.h"

namespace vigia::http {

using test::RunProgram;
using test::TempDir;

Stand::Stand(Router router, Server::Options options) {
  options.listen = {"127.0.0.1:0"};
  auto started = Server::Start(std::move(router), std::move(options));
  INFO((started ? "" : started.error().message()));
  REQUIRE(started.has_value());
  server = *std::move(started);
  port = std::stoi(server->addresses()[0].substr(sizeof "127.0.0.1:" - 1));
}

Stand::~Stand() {
  if (server) server->Stop(1s);
}

std::unique_ptr<Gate> OpenGate(const TempDir& dir, const Clock& clock, Gate::Options options) {
  options.web_config = dir.path() / "web.yml";
  auto gate = Gate::Open(clock, std::move(options));
  INFO((gate ? "" : gate.error().message()));
  REQUIRE(gate.has_value());
  return *std::move(gate);
}

Server::Options Behind(Gate& gate) {
  Server::Options options;
  options.workers = 16;
  options.tls = gate.tls();
  options.admit = [&](Request& request) { return gate.Admit(request); };
  options.header_lines = [&] { return gate.HeaderLines(); };
  return options;
}

std::string Bcrypt(const std::string& password) {
  crypt_data data{};
  return ::crypt_r(password.c_str(), "$2b$04$abcdefghijklmnopqrstuu", &data);
}

std::string BasicAuth(const std::string& user_and_password) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out = "Basic ";
  unsigned bits = 0;
  int count = 0;
  for (const char c : user_and_password) {
    bits = bits << 8 | static_cast<unsigned char>(c);
    for (count += 8; count >= 6; count -= 6) out += kDigits[bits >> (count - 6) & 63];
  }
  if (count > 0) out += kDigits[bits << (6 - count) & 63];
  while ((out.size() - sizeof "Basic " + 1) % 4 != 0) out += '=';
  return out;
}

void MakeCertificate(const TempDir& dir, const std::string& name, const std::string& authority,
                     const std::string& names) {
  const auto file = [&](const std::string& which) { return (dir.path() / which).string(); };
  std::vector<std::string> command{
      "openssl",
      "req",
      "-x509",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:P-256",
      "-nodes",
      "-days",
      "2",
      "-subj",
      "/CN=" + name,
      "-keyout",
      file(name + ".key"),
      "-out",
      file(name + ".pem"),
      "-addext",
      "subjectAltName=DNS:localhost,IP:127.0.0.1" + (names.empty() ? "" : "," + names)};
  if (!authority.empty()) {
    command.insert(command.end(),
                   {"-CA", file(authority + ".pem"), "-CAkey", file(authority + ".key"), "-addext",
                    "basicConstraints=critical,CA:FALSE"});
  }
  const auto made = RunProgram(command);
  INFO(made.output);
  REQUIRE(made.exit_code == 0);
}

std::string StatusLine(const std::string& answer) { return answer.substr(0, answer.find("\r\n")); }

}  // namespace vigia::http
