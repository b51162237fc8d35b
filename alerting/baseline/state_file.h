// What baselines have learnt, as a file: to take it to another machine, or back to a state that is
// known to be good. Lines of JSON:
//
//     {"format":"vigia-baselines","version":1,"detector":"vigia-baseline-1","exported":1764201600}
//     {"baseline":"latency","expr":"...","labels":{"path":"/a"},"last":1764201540,"rows":20160,
//      "state":"<base64>"}
//     ...
//     {"series":1,"sha256":"<hex>"}     of all bytes before this line
//
// `last` is the Unix time of the last value that was learnt, `rows` how many there were. `state` is
// what Detector::Save() gives: `detector` names its layout, which is that of one kind of machine
// (little-endian, 64 bits). Keys that a reader does not know are for a later version with the same
// number, and are skipped.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/labels.h"
#include "core/result.h"

namespace vigia::alerting::baseline {

// What is known of one series.
struct Learnt {
  std::string baseline;
  std::string expression;
  Labels labels;  // without a name
  std::int64_t last_time = 0;
  std::int64_t rows = 0;
  std::string state;  // bytes
};

// Writes a file piece by piece, each appended to `out`. Not thread-safe.
class StateFileWriter {
 public:
  StateFileWriter();
  ~StateFileWriter();

  void Begin(std::int64_t now, std::string& out);
  void Add(const Learnt& learnt, std::string& out);
  void End(std::string& out);

 private:
  void Seal(std::string_view line, std::string& out);

  struct Digest;
  std::unique_ptr<Digest> digest_;
  std::size_t series_ = 0;
};

// A whole file. Every state in it can be restored. Errors, with the line where there is one:
// kInvalid for what is no such file, or is of a newer vigia; kCorrupt for one that is cut short or
// damaged.
Result<std::vector<Learnt>> ReadStateFile(std::string_view text);

}  // namespace vigia::alerting::baseline
