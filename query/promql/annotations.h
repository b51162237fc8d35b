// Warnings and infos that go with an answer, in Prometheus' words.
//
// Thread-safe: series are evaluated side by side.

#pragma once

#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "core/sample.h"
#include "query/promql/syntax/position.h"

namespace vigia::promql {

class Annotations {
 public:
  explicit Annotations(std::string_view query) : query_(query) {}

  // Each text once, up to 1000 of a kind; "PromQL warning: " and the position are added.
  void Warn(std::string text, PositionRange range);
  void Inform(std::string text, PositionRange range);

  // histogram_quantile had to repair counts that fell: merged into one info per position.
  struct ForcedMonotonicity {
    Timestamp time;
    double min_bucket;
    double max_bucket;
    double max_difference;
  };
  void AddForcedMonotonicity(const ForcedMonotonicity& seen, PositionRange range);

  std::vector<std::string> Warnings() const;
  std::vector<std::string> Infos() const;

 private:
  struct Repair {
    PositionRange range;
    ForcedMonotonicity worst;
    Timestamp first;
    Timestamp last;
    int count;
  };

  void Add(std::vector<std::string>& list, std::string_view kind, std::string text,
           PositionRange range);

  const std::string query_;
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::vector<std::string> warnings_;
  std::vector<std::string> infos_;
  std::vector<Repair> repairs_;
};

}  // namespace vigia::promql
