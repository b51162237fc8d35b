#include <catch2/catch.hpp>

#include "tests/support/host_subject.h"

using namespace vigia::test;

namespace {

std::string Stat(const std::string& pid_and_name, char state, int threads) {
  return pid_and_name + " " + state + " 1 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 " +
         std::to_string(threads) + " 0 35 171499520 1 2 3\n";
}

}  // namespace

TEST_CASE("processes collector counts processes and threads by state", "[collectors]") {
  HostSubject processes("processes");
  processes.WriteProc("sys/kernel/threads-max", "7801\n");
  processes.WriteProc("sys/kernel/pid_max", "123\n");
  processes.WriteProc("1/stat", Stat("1 (systemd)", 'S', 1));
  processes.WriteProc("10/stat", Stat("10 (a) R (b))", 'S', 3));
  processes.WriteProc("10/task/10/stat", Stat("10 (a)", 'S', 3));
  processes.WriteProc("10/task/11/stat", Stat("11 (b)", 'R', 3));
  processes.WriteProc("10/task/12/stat", Stat("12 (c)", 'S', 3));
  processes.WriteProc("99/stat", Stat("99 (kworker/0:1)", 'I', 1));
  processes.WriteProc("98/gone", "");
  REQUIRE(processes.Run() ==
          "node_processes_threads 5\n"
          "node_processes_max_threads 7801\n"
          "node_processes_state{state=\"I\"} 1\n"
          "node_processes_state{state=\"S\"} 2\n"
          "node_processes_threads_state{thread_state=\"I\"} 1\n"
          "node_processes_threads_state{thread_state=\"R\"} 1\n"
          "node_processes_threads_state{thread_state=\"S\"} 3\n"
          "node_processes_pids 3\n"
          "node_processes_max_processes 123\n");
}

TEST_CASE("processes collector names the file that is malformed", "[collectors]") {
  HostSubject processes("processes");
  processes.WriteProc("7/stat", "7 (x) S 1\n");
  REQUIRE(processes.Run() ==
          "error: " + processes.Proc("7/stat") + ": is not the status of a process");
}
