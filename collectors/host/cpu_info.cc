#include "collectors/host/cpu_info.h"

#include <array>
#include <optional>

#include "collectors/host/text.h"

namespace vigia::collectors::host {
namespace {

enum { kInfo, kFlag, kBug };
constexpr std::array kMetrics{
    Metric{"node_cpu_info", "What each CPU is, in its labels; always 1."},
    Metric{"node_cpu_flag_info", "Capabilities (flags) of the first CPU; always 1."},
    Metric{"node_cpu_bug_info", "Known weaknesses (bugs) of the first CPU; always 1."},
};

// One paragraph of the file; what it does not say stays empty.
struct Processor {
  std::string_view number, package, core, vendor, family, model, model_name, microcode, stepping,
      cache_size, flags, bugs;

  void Set(std::string_view key, std::string_view value) {
    struct Slot {
      std::string_view key;
      std::string_view Processor::*member;
    };
    static constexpr Slot kSlots[] = {
        {"processor", &Processor::number},      {"physical id", &Processor::package},
        {"core id", &Processor::core},          {"vendor_id", &Processor::vendor},
        {"cpu family", &Processor::family},     {"model", &Processor::model},
        {"model name", &Processor::model_name}, {"microcode", &Processor::microcode},
        {"stepping", &Processor::stepping},     {"cache size", &Processor::cache_size},
        {"flags", &Processor::flags},           {"bugs", &Processor::bugs},
    };
    for (const auto& slot : kSlots) {
      if (slot.key == key) this->*slot.member = value;
    }
  }
};

// The next paragraph that describes a processor; some architectures end with one that does not.
std::optional<Processor> NextProcessor(Lines& lines) {
  Processor processor;
  while (const auto line = lines.Next()) {
    const auto colon = line->find(':');
    if (colon != line->npos) {
      processor.Set(Trim(line->substr(0, colon)), Trim(line->substr(colon + 1)));
    } else if (!processor.number.empty()) {
      break;
    }
  }
  if (processor.number.empty()) return std::nullopt;
  return processor;
}

void AddWords(const Metric& metric, std::string_view label, std::string_view words,
              const NameFilter& include, Batch& batch) {
  Fields fields(words);
  for (auto word = fields.Next(); !word.empty(); word = fields.Next()) {
    if (include.Accepts(word)) batch.Add(metric, {{label, word}}, 1);
  }
}

}  // namespace

CpuInfo::CpuInfo(std::filesystem::path path, config::MapReader& options)
    : file_(std::move(path)),
      flags_(options.Has("flags_include")),
      bugs_(options.Has("bugs_include")),
      flags_include_(NameFilter::ReadInclude(options, "flags_include", "")),
      bugs_include_(NameFilter::ReadInclude(options, "bugs_include", "")) {
  options.Read("info", on_);
  on_ = on_ || flags_ || bugs_;
}

std::span<const Metric> CpuInfo::Metrics() { return kMetrics; }

Status CpuInfo::Collect(Batch& batch) {
  if (!on_) return Ok();
  const auto text = file_.Read();
  if (!text) return Fail(text.error());
  Lines lines(*text);
  bool first = true;
  while (const auto cpu = NextProcessor(lines)) {
    batch.Add(kMetrics[kInfo],
              {{"package", cpu->package},
               {"core", cpu->core},
               {"cpu", cpu->number},
               {"vendor", cpu->vendor},
               {"family", cpu->family},
               {"model", cpu->model},
               {"model_name", cpu->model_name},
               {"microcode", cpu->microcode},
               {"stepping", cpu->stepping},
               {"cachesize", cpu->cache_size}},
              1);
    if (first && flags_) AddWords(kMetrics[kFlag], "flag", cpu->flags, flags_include_, batch);
    if (first && bugs_) AddWords(kMetrics[kBug], "bug", cpu->bugs, bugs_include_, batch);
    first = false;
  }
  if (first) return Fail(Malformed(file_.path(), "lists no processor"));
  return Ok();
}

}  // namespace vigia::collectors::host
