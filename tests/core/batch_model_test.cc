// A batch against the simplest thing that does the same.

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>

#include "core/batch.h"
#include "tests/support/collect.h"

using namespace vigia;

TEST_CASE("runs of any series in any order read as what was added", "[core]") {
  constexpr Metric kBytes{"disk_bytes", "Bytes on a disk."};
  std::mt19937 random(11);
  Batch batch;
  std::vector<int> devices;
  for (int i = 0; i < 40; ++i) devices.push_back(i);
  int next = 40;
  for (int round = 0; round < 2000; ++round) {
    const auto at = [&] { return devices.begin() + static_cast<int>(random() % devices.size()); };
    switch (random() % 6) {
      case 0:
        *at() = next++;
        break;
      case 1:
        devices.insert(at(), next++);
        break;
      case 2:
        if (devices.size() > 5) devices.erase(at());
        break;
      case 3:
        std::swap(*at(), *at());
        break;
      case 4:
        if (random() % 20 == 0) std::shuffle(devices.begin(), devices.end(), random);
        break;
      default:
        break;
    }
    std::string expected;
    for (const int device : devices) {
      const auto name = std::to_string(device);
      batch.Add(kBytes, {{"device", name}}, device + round);
      expected += "disk_bytes{device=\"" + name + "\"} " + std::to_string(device + round) + "\n";
    }
    const bool repeats = random() % 8 == 0;
    if (repeats) batch.Add(kBytes, {{"device", std::to_string(*at())}}, -1);
    if (random() % 16 == 0) {
      batch.Discard();
      continue;
    }
    REQUIRE(test::ReadingText(*batch.Finish(round)) == expected);
    REQUIRE(batch.duplicates() == (repeats ? 1 : 0));
  }
}
