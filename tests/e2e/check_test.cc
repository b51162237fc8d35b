// `vigia check`, as a person or a CI job runs it.

#include <catch2/catch.hpp>

#include "tests/e2e/vigia.h"

using namespace vigia::test;

namespace {

// The output of `vigia check` of these files of `dir`, without the folder's name.
std::string Check(const TempDir& dir, const std::vector<std::string>& names, int exit_code) {
  std::vector<std::string> command{VigiaProgram(), "check"};
  for (const auto& name : names) command.push_back((dir.path() / name).string());
  const auto run = RunProgram(command);
  CHECK(run.exit_code == exit_code);
  const std::string folder = dir.path().string() + "/";
  std::string output = run.output;
  for (std::size_t at; (at = output.find(folder)) != output.npos;) output.erase(at, folder.size());
  return output;
}

}  // namespace

TEST_CASE("vigia check says ok or what is wrong for each file", "[e2e]") {
  TempDir dir;
  dir.Write("good.yml", "listen: 127.0.0.1:9845\n");
  dir.Write("bad.yml", "listen: 127.0.0.1:9845\ndata-dir: x\n");
  dir.Write("empty.yml", "");
  REQUIRE(Check(dir, {"good.yml", "empty.yml"}, 0) == "good.yml: ok\nempty.yml: ok\n");
  REQUIRE(Check(dir, {"good.yml", "bad.yml", "missing.yml"}, 1) ==
          "good.yml: ok\n"
          "bad.yml:2:1: unknown key 'data-dir' in vigia.yml, did you mean 'data_dir'?\n"
          "missing.yml: No such file or directory\n");
}

TEST_CASE("vigia check knows a web configuration by its content", "[e2e]") {
  TempDir dir;
  dir.Write("any-name", "http_server_config:\n  headers:\n    X-Frame-Options: deny\n");
  REQUIRE(Check(dir, {"any-name"}, 0) == "any-name: ok\n");
  dir.Write("web.yml", "basic_auth_users:\n  u: not-a-hash\ntls_servr_config: {}\n");
  const auto faults = Check(dir, {"web.yml"}, 1);
  CAPTURE(faults);
  REQUIRE(faults.find("web.yml:3:1: unknown key 'tls_servr_config'") != std::string::npos);
  REQUIRE(faults.find("did you mean 'tls_server_config'?") != std::string::npos);
}

TEST_CASE("vigia check says a fault of syntax once", "[e2e]") {
  TempDir dir;
  dir.Write("f.yml", "listen: [a\ndata_dir: b\n");
  REQUIRE(Check(dir, {"f.yml"}, 1) ==
          "f.yml:1:9: the bracket that opens here is not closed before line 2\n");
}
