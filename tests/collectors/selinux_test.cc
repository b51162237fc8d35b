#include <catch2/catch.hpp>

#include "tests/support/host_subject.h"

using namespace vigia::test;

namespace {

class Selinux : public HostSubject {
 public:
  Selinux() : HostSubject("selinux") {
    WriteSys("fs/selinux/enforce", "1");
    WriteSys("fs/selinux/avc/cache_threshold", "512");
    WriteSys("fs/selinux/avc/hash_stats",
             "entries: 503\nbuckets used: 283/512\nlongest chain: 7\n");
    WriteSys("fs/selinux/avc/cache_stats",
             "lookups hits misses allocations reclaims frees\n100 90 10 8 1 2\n50 49 1 1 0 1\n");
    WriteRoot("etc/selinux/config", "# SELINUX=disabled\nSELINUX=permissive\nSELINUXTYPE=mls\n");
  }
};

}  // namespace

TEST_CASE("selinux collector says when SELinux is off", "[collectors]") {
  HostSubject selinux("selinux");
  REQUIRE(selinux.Run() == "node_selinux_enabled 0\n");
  Selinux without_policy;
  without_policy.WriteProc("self/attr/current", std::string_view("kernel\0", 7));
  REQUIRE(without_policy.Run() == "node_selinux_enabled 0\n");
}

TEST_CASE("selinux collector reports modes and the access vector cache", "[collectors]") {
  Selinux selinux;
  REQUIRE(selinux.Run() ==
          "node_selinux_enabled 1\n"
          "node_selinux_config_mode 0\n"
          "node_selinux_current_mode 1\n"
          "node_selinux_avc_lookups_total 150\n"
          "node_selinux_avc_hits_total 139\n"
          "node_selinux_avc_misses_total 11\n"
          "node_selinux_avc_allocations_total 9\n"
          "node_selinux_avc_reclaims_total 1\n"
          "node_selinux_avc_frees_total 3\n"
          "node_selinux_avc_hash_entries 503\n"
          "node_selinux_avc_hash_buckets_used 283\n"
          "node_selinux_avc_hash_buckets_available 512\n"
          "node_selinux_avc_hash_longest_chain 7\n"
          "node_selinux_avc_threshold 512\n");
}

TEST_CASE("selinux collector names the file that is malformed", "[collectors]") {
  Selinux selinux;
  selinux.WriteSys("fs/selinux/avc/hash_stats", "buckets used: 283\n");
  REQUIRE(selinux.Run() ==
          "error: " + selinux.Sys("fs/selinux/avc/hash_stats") + ": '' is not a number");
}
