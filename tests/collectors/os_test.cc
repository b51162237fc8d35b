#include <sys/utsname.h>

#include <catch2/catch.hpp>

#include "tests/support/collect.h"
#include "tests/support/host_subject.h"

using namespace vigia;
using namespace vigia::test;

TEST_CASE("uname collector names kernel and machine", "[collectors]") {
  utsname names{};
  REQUIRE(::uname(&names) == 0);
  const auto text = CollectText("host.uname", {});
  REQUIRE(text.find("node_uname_info{domainname=\"" + std::string(names.domainname) +
                    "\",machine=\"" + names.machine + "\",nodename=\"" + names.nodename + "\"") ==
          0);
  REQUIRE(text.find("sysname=\"Linux\"") != std::string::npos);
}

TEST_CASE("os collector reports what os-release says", "[collectors]") {
  HostSubject os("os");
  os.WriteRoot("etc/os-release",
               "# comment\n"
               "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n"
               "NAME=\"Debian \\\"GNU\\\"/Linux\"\n"
               "\n"
               "VERSION_ID='12.4-beta'\n"
               "VERSION_CODENAME=bookworm\n"
               "ID=debian\n"
               "ID_LIKE=\n"
               "HOME_URL=\"https://www.debian.org/?a=b\"\n"
               "SUPPORT_END=2028-06-30\n");
  REQUIRE(os.Run() ==
          "node_os_info{id=\"debian\",name=\"Debian \\\"GNU\\\"/Linux\","
          "pretty_name=\"Debian GNU/Linux 12 (bookworm)\",version_codename=\"bookworm\","
          "version_id=\"12.4-beta\"} 1\n"
          "node_os_version{id=\"debian\",name=\"Debian \\\"GNU\\\"/Linux\"} 12.4\n"
          "node_os_support_end_timestamp_seconds 1845936000\n");
}

TEST_CASE("os collector follows a release that changes and falls back to usr/lib", "[collectors]") {
  HostSubject os("os");
  REQUIRE(os.Run() == "");
  os.WriteRoot("usr/lib/os-release", "ID=alpine\nVERSION_ID=rolling\n");
  REQUIRE(os.Run() == "node_os_info{id=\"alpine\",version_id=\"rolling\"} 1\n");
  os.WriteRoot("etc/os-release", "ID=debian\nVERSION_ID=12\n");
  REQUIRE(os.Run() ==
          "node_os_info{id=\"debian\",version_id=\"12\"} 1\nnode_os_version{id=\"debian\"} 12\n");
  os.WriteRoot("etc/os-release", "ID=debian\nVERSION_ID=13.1.2\n");
  REQUIRE(os.Run() ==
          "node_os_info{id=\"debian\",version_id=\"13.1.2\"} 1\n"
          "node_os_version{id=\"debian\"} 13.1\n");
}

TEST_CASE("os collector names the file when it is malformed", "[collectors]") {
  HostSubject os("os");
  os.WriteRoot("etc/os-release", "ID=debian\nwhat\n");
  REQUIRE(os.Run() == "error: " + os.Path("etc/os-release") + ": 'what' is no assignment");
  os.WriteRoot("etc/os-release", "ID=debian\nSUPPORT_END=2028-02-30\n");
  REQUIRE(os.Run() == "error: " + os.Path("etc/os-release") + ": '2028-02-30' is not a date");
  os.WriteRoot("etc/os-release", "ID=debian\n");
  REQUIRE(os.Run() == "node_os_info{id=\"debian\"} 1\n");
}
