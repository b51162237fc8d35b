// Records what collectors publish. A steady reading costs no look-up: series are found once for
// each Family, which is then known by its address.
//
// A series that the instance no longer lists gets a *gone* marker, or *unknown* ones while readings
// withhold it; a failed run gives all its series *unknown* markers. Thread-safe, instances do not
// wait for one another.

#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "core/reading.h"
#include "query/history/history.h"

namespace vigia::history {

class Recorder final : public ReadingSink {
 public:
  // `history` outlives the recorder.
  explicit Recorder(History& history) : history_(history) {}

  void Publish(const InstanceId& instance, std::shared_ptr<const Reading> reading) override;
  void Withdraw(const InstanceId& instance, Timestamp time,
                std::shared_ptr<const Reading> last_words) override;

 private:
  // The series of a reading, as they are appended: only the samples change from one steady
  // reading to the next.
  struct Page {
    std::vector<std::shared_ptr<const Family>> families;  // kept: no other can have their addresses
    std::vector<Appender::Item> items;
    std::size_t turns = 0;
  };

  struct Instance {
    std::mutex mutex;
    // Guarded by mutex.
    Page page;
    Page last_words;
    // That the last reading does not list: last words since then, and what it withholds.
    std::vector<SeriesPointer> others;
  };

  Instance& Get(const InstanceId& id);
  // Makes `page` that of `reading`. Returns the items of the page before if they were others.
  std::vector<Appender::Item> Turn(const Reading& reading, Page& page);
  void Mark(const std::vector<SeriesPointer>& series, Sample marker);
  // Marks those of `vanished` that `reading` does not list; returns those that it withholds.
  std::vector<SeriesPointer> MarkVanished(const std::vector<SeriesPointer>& vanished,
                                          const Reading& reading);

  History& history_;
  std::mutex mutex_;
  std::map<InstanceId, std::unique_ptr<Instance>> instances_;  // guarded by mutex_
};

}  // namespace vigia::history
