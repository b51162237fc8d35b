// The subjects that read one or two numbers: filefd, entropy.

#include <catch2/catch.hpp>

#include "tests/support/collect.h"
#include "tests/support/fixtures.h"
#include "tests/support/host_subject.h"

using namespace vigia::test;

TEST_CASE("filefd collector reports handles in use and their limit", "[collectors]") {
  REQUIRE(CollectText("host.filefd", {{"procfs", Fixture("host/proc")}}) ==
          "node_filefd_allocated 1024\n"
          "node_filefd_maximum 1631329\n");

  HostSubject filefd("filefd");
  const auto file = "error: " + filefd.Proc("sys/fs/file-nr");
  REQUIRE(filefd.Run() == file + ": No such file or directory");
  filefd.WriteProc("sys/fs/file-nr", "1 0\n");
  REQUIRE(filefd.Run() == file + ": '' is not a number");
  // The limit that systemd sets on new kernels.
  filefd.WriteProc("sys/fs/file-nr", "1\t0\t9223372036854775807\n");
  REQUIRE(filefd.Run() == "node_filefd_allocated 1\nnode_filefd_maximum 9223372036854775808\n");
}

TEST_CASE("entropy collector reports content and size of the pool", "[collectors]") {
  REQUIRE(CollectText("host.entropy", {{"procfs", Fixture("host/proc")}}) ==
          "node_entropy_available_bits 256\n"
          "node_entropy_pool_size_bits 4096\n");

  HostSubject entropy("entropy");
  const auto file = "error: " + entropy.Proc("sys/kernel/random/entropy_avail");
  REQUIRE(entropy.Run() == file + ": No such file or directory");
  entropy.WriteProc("sys/kernel/random/entropy_avail", "lots\n");
  REQUIRE(entropy.Run() == file + ": 'lots' is not a number");
}
