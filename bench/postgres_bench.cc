// Reads a PostgreSQL server with the real collectors and says what a round costs.
//
//     postgres_bench 'host=127.0.0.1 port=5432 user=monitor dbname=app' [OPTIONS]
//
//     --rounds N    readings to measure, after three to warm up (default 50)
//     --config TEXT further options of the entry, as YAML flow: 'tables: {max: 5000}'
//     --print       print one reading in text format 0.0.4 instead, after two readings
//
// CPU is this process' own (getrusage), times are medians; the server's CPU is read from
// /proc/<backend>/schedstat by whoever runs this (bench/README).

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "collectors/kind.h"
#include "core/config/yaml.h"
#include "core/number.h"

using namespace vigia;

namespace {

struct Arguments {
  std::string dsn;
  std::string config;
  int rounds = 50;
  bool print = false;
};

double CpuMilliseconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto ms = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_usec) / 1e3;
  };
  return ms(usage.ru_utime) + ms(usage.ru_stime);
}

void Print(const Reading& reading) {
  std::string out;
  for (const auto& family : reading.families) {
    const auto& head = family.family->head();
    out += "# TYPE " + head.name + ' ';
    out += TypeNameInText(head.type);
    out += '\n';
    for (std::size_t i = 0; i < family.values.size(); ++i) {
      out += family.family->line(i);
      AppendDouble(out, family.values[i]);
      out += '\n';
    }
  }
  std::fputs(out.c_str(), stdout);
}

struct Round {
  double cpu = 0;
  double wall = 0;
  std::size_t series = 0;
};

// Collects all instances once; the readings go to `print` if it is set.
bool Collect(std::vector<collectors::Instance>& instances,
             std::vector<std::unique_ptr<Batch>>& batches, Round& round, bool print) {
  const double cpu = CpuMilliseconds();
  const auto begin = std::chrono::steady_clock::now();
  round.series = 0;
  for (std::size_t i = 0; i < instances.size(); ++i) {
    const auto status =
        instances[i].impl->Collect(Deadline::After(SystemClock(), 30s), *batches[i]);
    if (!status) {
      std::fprintf(stderr, "%s\n", status.error().message().c_str());
      return false;
    }
    const auto reading = batches[i]->Finish(SystemClock().Wall());
    round.series += reading->SeriesCount();
    if (print) Print(*reading);
  }
  round.cpu = CpuMilliseconds() - cpu;
  round.wall =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
  return true;
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

bool Parse(int argc, char** argv, Arguments& arguments) {
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const bool more = i + 1 < argc;
    if (word == "--print") {
      arguments.print = true;
    } else if (word == "--rounds" && more) {
      arguments.rounds = std::max(1, std::atoi(argv[++i]));
    } else if (word == "--config" && more) {
      arguments.config = argv[++i];
    } else if (arguments.dsn.empty()) {
      arguments.dsn = word;
    } else {
      return false;
    }
  }
  return !arguments.dsn.empty();
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  if (!Parse(argc, argv, arguments)) {
    std::fprintf(stderr, "usage: %s DSN [--rounds N] [--config YAML] [--print]\n", argv[0]);
    return 2;
  }
  config::Diagnostics diagnostics("command line");
  const auto node =
      config::ParseYaml("postgres: { max_series: 1000000, dsn: \"" + arguments.dsn + "\"" +
                            (arguments.config.empty() ? "" : ", " + arguments.config) + " }",
                        {}, diagnostics);
  auto instances = collectors::ReadCollectors(node, collectors::TargetLabel::kAuto, diagnostics);
  if (!diagnostics.ok()) {
    std::fputs(diagnostics.ToString().c_str(), stderr);
    return 2;
  }
  std::vector<std::unique_ptr<Batch>> batches;
  for (const auto& instance : instances) {
    batches.push_back(
        std::make_unique<Batch>(Batch::Options{instance.constant_labels, instance.max_series}));
  }

  Round round;
  for (int i = 0; i < 3; ++i) {
    if (!Collect(instances, batches, round, arguments.print && i == 2)) return 1;
  }
  if (arguments.print) return 0;
  std::vector<double> cpu, wall;
  const double begin = CpuMilliseconds();
  for (int i = 0; i < arguments.rounds; ++i) {
    if (!Collect(instances, batches, round, false)) return 1;
    cpu.push_back(round.cpu);
    wall.push_back(round.wall);
  }
  std::printf("%zu series, %d rounds: CPU %.2f ms per round (median %.2f), wall p50 %.2f ms\n",
              round.series, arguments.rounds, (CpuMilliseconds() - begin) / arguments.rounds,
              Median(cpu), Median(wall));
  return 0;
}
