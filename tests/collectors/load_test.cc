#include <catch2/catch.hpp>

#include "tests/support/collect.h"
#include "tests/support/temp_dir.h"

using namespace vigia::test;

TEST_CASE("load collector reports the three averages", "[collectors]") {
  TempDir proc;
  proc.Write("loadavg", "0.20 0.18 0.12 1/80 11206\n");

  REQUIRE(CollectText("host.load", {{"procfs", proc.path()}}) ==
          "node_load1 0.2\n"
          "node_load5 0.18\n"
          "node_load15 0.12\n");
}

TEST_CASE("load collector names the file when a number is malformed", "[collectors]") {
  TempDir proc;
  proc.Write("loadavg", "0.20 x 0.12 1/80 11206\n");

  REQUIRE(CollectText("host.load", {{"procfs", proc.path()}}) ==
          "error: " + (proc.path() / "loadavg").string() + ": 'x' is not a number");
}

TEST_CASE("load collector names the file when it is missing", "[collectors]") {
  TempDir proc;

  REQUIRE(CollectText("host.load", {{"procfs", proc.path()}}) ==
          "error: " + (proc.path() / "loadavg").string() + ": No such file or directory");
}
