// What was worked out about the names in a kernel file, kept for the next run.
//
// The kernel lists the same names in the same order nearly always, so a name is compared with
// the one that stood in the same place the run before, and only a new one pays for a filter or
// a metric's name. Not thread-safe.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vigia::collectors::host {

template <typename T>
class LineCache {
 public:
  void Start() { next_ = 0; }

  // What is known of the next name; `make(name)` if another name stood here. The reference is
  // valid until the next call.
  template <typename Make>
  T& Next(std::string_view name, Make make) {
    if (next_ == entries_.size()) {
      entries_.push_back({std::string(name), make(name)});
    } else if (entries_[next_].name != name) {
      entries_[next_] = {std::string(name), make(name)};
    }
    return entries_[next_++].value;
  }

  // Forgets the names beyond those of this run.
  void Finish() {
    while (entries_.size() > next_) entries_.pop_back();
  }

 private:
  struct Entry {
    std::string name;
    T value;
  };

  std::vector<Entry> entries_;
  std::size_t next_ = 0;
};

}  // namespace vigia::collectors::host
