// Kinds of collectors, and how a configuration becomes collectors.
//
// A kind is one line in collectors.def and one function that reads its own options. What all
// kinds share (name, interval, timeout, max_series, labels) is read here, once.

#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/collector.h"
#include "core/config/reader.h"
#include "core/labels.h"
#include "core/reading.h"

namespace vigia::collectors {

// A collector as its kind makes it. Most kinds make one per entry of the configuration; the
// host kind makes one per subject (host.cpu, host.filesystem, ...).
struct Part {
  std::string collector;  // "postgres", "host.cpu"
  // Parts of one entry with the same worker share a thread and are run one after another, until one
  // hangs: the others then get another thread, and may run beside it. So what they share needs a
  // lock all the same. Empty: a thread of its own.
  std::string worker;
  std::unique_ptr<Collector> impl;
  // Its runs are short and cannot block: a scrape runs it in its own thread.
  bool brief = false;
  bool on = true;  // off: made only to have its options checked and its metrics listed
  // The series budget where the entry names none.
  std::size_t max_series = 10'000;
  // Where they are not those of the entry; 0: they are.
  Milliseconds interval{0};
  Milliseconds timeout{0};
  // What the part was made from besides the entry's own text, such as the content of files: a
  // reload that finds it changed replaces the part.
  std::string made_from = {};
};

struct Kind {
  std::string_view name;     // the key under `collectors:`
  std::string_view summary;  // one line for people
  Milliseconds interval;     // default
  // The default entry name ("main" for postgres); entries of a kind have distinct names.
  std::string_view default_name;
  // Reads the kind's own options; faults go to the reader. Does no I/O: a source that is
  // down is no fault of the configuration.
  std::vector<Part> (*make)(config::MapReader& options);
};

std::span<const Kind> Kinds();

// What a kind that nobody configured would make, parts that are off included: for `vigia metrics`.
std::vector<Part> MakeDefaultParts(const Kind& kind);

// One collector with everything the scheduler needs to run it.
struct Instance {
  InstanceId id;
  std::string worker;  // globally unique; see Part
  Milliseconds interval{15'000};
  Milliseconds timeout{10'000};
  std::size_t max_series = 10'000;
  Labels constant_labels;
  // Equal for equal configuration: a reload keeps an instance whose fingerprint is unchanged.
  std::string fingerprint;
  std::unique_ptr<Collector> impl;
  bool brief = false;  // see Part
};

// When series carry target="<name of the entry>": once a kind has several entries, always, or
// never (the peers' series have no such label; Prometheus adds `instance`).
enum class TargetLabel { kAuto, kAlways, kNever };

// Reads the map under `collectors:`. Faults go to `diagnostics`; the instances are then not to
// be used.
std::vector<Instance> ReadCollectors(const config::Node& node, TargetLabel target_label,
                                     config::Diagnostics& diagnostics);

}  // namespace vigia::collectors
