// Software RAID: state, disks and progress of every md device, from /proc/mdstat.

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "collectors/host/part.h"
#include "collectors/host/proc_file.h"
#include "collectors/host/text.h"

namespace vigia::collectors::host {
namespace {

constexpr std::array kMetrics{
    Metric{"node_md_state", "1 for the state that the device is in, 0 for the other ones."},
    Metric{"node_md_disks", "Disks of the device that are active, failed or spare."},
    Metric{"node_md_disks_required", "Disks that the device needs to be complete."},
    Metric{"node_md_blocks", "Size of the device in blocks of 1 KiB."},
    Metric{"node_md_blocks_synced", "Blocks of the device that are in sync."},
};

constexpr std::array<std::string_view, 5> kStates{"active", "inactive", "recovering", "resync",
                                                  "check"};

struct Array {
  std::string_view name;
  std::string_view state;
  std::uint64_t active = 0;
  std::uint64_t failed = 0;
  std::uint64_t spare = 0;
  std::uint64_t required = 0;
  std::uint64_t blocks = 0;
  std::uint64_t synced = 0;
};

std::uint64_t CountOf(std::string_view text, std::string_view part) {
  std::uint64_t count = 0;
  for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
  return count;
}

bool Contains(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

// "md3 : active raid6 sda1[8] sdh1[7](F) sdg1[6](S)"
std::optional<Array> ParseHead(std::string_view line) {
  Fields fields(line);
  Array array;
  array.name = fields.Next();
  if (fields.Next() != ":") return std::nullopt;
  array.state = fields.Next();
  if (array.state.starts_with("inactive")) array.state = "inactive";
  array.failed = CountOf(line, "(F)");
  array.spare = CountOf(line, "(S)");
  return array;
}

// "5853468288 blocks super 1.2 level 6, 64k chunk, algorithm 2 [8/7] [UUUUUUU_]"; RAID 0 and
// linear ones, which cannot miss a disk, have no "[required/active]".
bool ParseSize(std::string_view head, std::string_view line, Array& array) {
  Fields fields(line);
  const auto blocks = ParseNumber(fields.Next());
  if (!blocks || fields.Next() != "blocks") return false;
  array.blocks = array.synced = *blocks;
  if (Contains(head, "raid0") || Contains(head, "linear")) {
    array.required = array.active = CountOf(head, "[");
    return true;
  }
  if (array.state == "inactive") return true;
  const std::size_t slash = line.rfind('/');
  const std::size_t open = line.rfind('[', slash);
  const std::size_t close = std::min(line.find(']', std::min(slash, line.size())), line.size());
  if (slash == line.npos || open == line.npos) return false;
  const auto required = ParseNumber(line.substr(open + 1, slash - open - 1));
  const auto active = ParseNumber(line.substr(slash + 1, close - slash - 1));
  if (!required || !active) return false;
  array.required = *required;
  array.active = *active;
  return true;
}

// "[=>...]  recovery =  8.5% (16775552/195310144) finish=17.0min speed=259783K/sec", or
// "resync=PENDING"; lines about bitmaps and the like are none of these.
bool ParseProgress(std::string_view line, Array& array) {
  if (Contains(line, "recovery")) {
    array.state = "recovering";
  } else if (Contains(line, "resync")) {
    array.state = "resync";
  } else if (Contains(line, "check")) {
    array.state = "check";
  } else {
    return true;
  }
  if (Contains(line, "PENDING") || Contains(line, "DELAYED")) {
    array.synced = 0;
    return true;
  }
  const std::size_t open = line.find('(');
  const std::size_t slash = line.find('/', std::min(open, line.size()));
  if (slash == line.npos) return false;
  const auto synced = ParseNumber(line.substr(open + 1, slash - open - 1));
  array.synced = synced.value_or(0);
  return synced.has_value();
}

class MdadmCollector final : public Collector {
 public:
  explicit MdadmCollector(const Paths& paths) : file_(paths.procfs / "mdstat") {}

  std::span<const Metric> Metrics() const override { return kMetrics; }

  Status Collect(Deadline, Batch& batch) override {
    const auto text = file_.ReadIfPresent();
    if (!text) return Fail(text.error());
    Lines lines(text->value_or(""));
    auto line = lines.Next();
    while (line) {
      if (line->empty() || IsBlank(line->front()) || line->starts_with("Personalities") ||
          line->starts_with("unused")) {
        line = lines.Next();
        continue;
      }
      const auto head = *line;
      auto array = ParseHead(head);
      line = lines.Next();
      if (!array || !line || !ParseSize(head, *line, *array)) return Wrong(head);
      // Indented lines belong to the device.
      for (line = lines.Next(); line && !line->empty() && IsBlank(line->front());
           line = lines.Next()) {
        if (!ParseProgress(*line, *array)) return Wrong(head);
      }
      Add(*array, batch);
    }
    return Ok();
  }

 private:
  tl::unexpected<Error> Wrong(std::string_view head) const {
    return Fail(
        Malformed(file_.path(), "cannot be understood from '" + std::string(head) + "' on"));
  }

  static void Add(const Array& array, Batch& batch) {
    for (const auto state : kStates) {
      batch.Add(kMetrics[0], {{"device", array.name}, {"state", state}},
                array.state == state ? 1 : 0);
    }
    const auto add = [&](const Metric& metric, std::string_view state, std::uint64_t value) {
      batch.Add(metric, {{"device", array.name}, {"state", state}}, static_cast<double>(value));
    };
    add(kMetrics[1], "active", array.active);
    add(kMetrics[1], "failed", array.failed);
    add(kMetrics[1], "spare", array.spare);
    add(kMetrics[2], "", array.required);
    add(kMetrics[3], "", array.blocks);
    add(kMetrics[4], "", array.synced);
  }

  ProcFile file_;
};

}  // namespace

std::unique_ptr<Collector> MakeMdadm(const Paths& paths, config::MapReader&) {
  return std::make_unique<MdadmCollector>(paths);
}

}  // namespace vigia::collectors::host
