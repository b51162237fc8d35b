// Prints a rule file of COUNT rules, ten in a group, on the series of fleet_push, for
// bench/history.sh:  fleet_rules COUNT

#include <cstdio>
#include <cstdlib>

#include "bench/rule_sets.h"

int main(int argc, char** argv) {
  const int count = argc == 2 ? std::atoi(argv[1]) : 0;
  if (count <= 0) {
    std::fputs("usage: fleet_rules COUNT\n", stderr);
    return 2;
  }
  const auto file =
      vigia::bench::RuleFile(vigia::bench::kMixedForms, static_cast<std::size_t>(count), 10);
  return std::fputs(file.c_str(), stdout) < 0 ? 1 : 0;
}
