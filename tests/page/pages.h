// Snapshots made by hand, for the tests of pages.

#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "core/batch.h"
#include "core/reading.h"

namespace vigia::test {

class SnapshotMaker {
 public:
  // Adds an instance, or a new reading of it, with what `fill` puts into its batch.
  SnapshotMaker& Add(const std::string& collector, const std::string& name,
                     const std::function<void(Batch&)>& fill) {
    auto& instance = Find({collector, name});
    fill(instance.batch);
    instance.reading = instance.batch.Finish(1'700'000'000'000);
    ++version_;
    return *this;
  }

  Snapshot Make() const {
    Snapshot snapshot;
    snapshot.version = version_;
    for (const auto& instance : instances_) {
      snapshot.entries.push_back({instance.id, instance.reading});
    }
    return snapshot;
  }

 private:
  struct Instance {
    std::shared_ptr<const InstanceId> id;
    Batch batch;
    std::shared_ptr<const Reading> reading;
  };

  Instance& Find(const InstanceId& id) {
    for (auto& instance : instances_) {
      if (*instance.id == id) return instance;
    }
    auto& instance = instances_.emplace_back();
    instance.id = std::make_shared<const InstanceId>(id);
    return instance;
  }

  std::deque<Instance> instances_;
  std::uint64_t version_ = 0;
};

}  // namespace vigia::test
