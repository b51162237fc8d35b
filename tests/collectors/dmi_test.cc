#include <catch2/catch.hpp>

#include "tests/support/host_subject.h"

using namespace vigia::test;

TEST_CASE("dmi collector reports what the firmware tells", "[collectors]") {
  HostSubject dmi("dmi");
  dmi.WriteSys("class/dmi/id/bios_date", "04/12/2021\n");
  dmi.WriteSys("class/dmi/id/board_serial", "\n");
  dmi.WriteSys("class/dmi/id/product_name", "PowerEdge R6515\n");
  dmi.WriteSys("class/dmi/id/sys_vendor", "Dell \xff Inc.\n");
  REQUIRE(dmi.Run() ==
          "node_dmi_info{bios_date=\"04/12/2021\",product_name=\"PowerEdge R6515\","
          "system_vendor=\"Dell \xEF\xBF\xBD Inc.\"} 1\n");
}

TEST_CASE("dmi collector reports nothing where there is no firmware to ask", "[collectors]") {
  HostSubject dmi("dmi");
  REQUIRE(dmi.Run() == "");
}
