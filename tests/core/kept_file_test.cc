#include <catch2/catch.hpp>

#include "core/file.h"
#include "tests/support/temp_dir.h"

using namespace vigia;
using namespace vigia::test;

TEST_CASE("a kept file is read anew each time", "[core]") {
  TempDir dir;
  KeptFile file(dir.path() / "counter");
  std::string buffer;

  dir.Write("counter", "1\n");
  REQUIRE(file.Read(buffer) == "1\n");
  dir.Write("counter", std::string(10'000, 'x'));
  REQUIRE(file.Read(buffer) == std::string(10'000, 'x'));
  dir.Write("counter", "");
  REQUIRE(file.Read(buffer) == "");
}

TEST_CASE("a kept file tells what this kernel lacks from what cannot be read", "[core]") {
  TempDir dir;
  std::string buffer;

  KeptFile missing(dir.path() / "missing");
  REQUIRE(missing.Read(buffer).error().message() ==
          (dir.path() / "missing").string() + ": No such file or directory");
  REQUIRE(missing.absent());
  dir.Write("missing", "here now");
  REQUIRE(missing.Read(buffer) == "here now");
  REQUIRE(!missing.absent());

  KeptFile folder(dir.path());
  REQUIRE(folder.Read(buffer).error().message() == dir.path().string() + ": Is a directory");
  REQUIRE(!folder.absent());
}
