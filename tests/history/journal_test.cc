#include "query/history/journal.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <random>

#include "query/history/journal_reader.h"
#include "tests/history/support.h"

namespace vigia::history {
namespace {

using Entries = std::vector<std::pair<std::string, Sample>>;

bool operator==(const Sample& a, const Sample& b) {
  return a.time == b.time &&
         std::bit_cast<std::uint64_t>(a.value) == std::bit_cast<std::uint64_t>(b.value);
}

bool SameEntries(const Entries& a, const Entries& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.first == y.first && x.second == y.second;
  });
}

// A journal in a folder, and what was written to it.
struct Written {
  test::TempDir dir;
  std::vector<SeriesPointer> series;
  Entries entries;
  std::mt19937_64 random{3};
  Timestamp time = 1'700'000'000'000;

  explicit Written(SeriesId count) {
    for (SeriesId id = 1; id <= count; ++id) {
      series.push_back(std::make_shared<Series>(
          id, Labels{{"__name__", "m"}, {"id", std::to_string(id)}, {"job", "test"}}));
    }
  }

  double Value() {
    switch (random() % 5) {
      case 0:
        return std::bit_cast<double>(random());
      case 1:
        return static_cast<double>(random() % 1000) / 100;
      case 2:
        return random() % 2 == 0 ? GoneMarker() : -0.0;
      default:
        return static_cast<double>(random() % 1000);
    }
  }

  void Append(Journal& journal, int rounds) {
    for (int i = 0; i < rounds; ++i, time += 15'000) {
      std::vector<Journal::Entry> batch;
      for (const auto& one : series) {
        const Sample sample{time + static_cast<Timestamp>(random() % 3), Value()};
        batch.push_back({one.get(), sample});
        entries.emplace_back(one->labels.ToString(), sample);
      }
      journal.Append(batch);
    }
  }

  Entries Replay(Replayed* total = nullptr) const {
    Entries out;
    for (const auto& [number, size] : ListSegments(dir.path())) {
      const auto replayed = ReplaySegment(SegmentPath(dir.path(), number), number,
                                          [&](SegmentDecoder::Known& known, Sample sample) {
                                            out.emplace_back(known.labels.ToString(), sample);
                                          });
      REQUIRE(replayed);
      if (!total) continue;
      total->samples += replayed->samples;
      total->torn |= replayed->torn;
      total->corrupt |= replayed->corrupt;
      total->orphans += replayed->orphans;
    }
    return out;
  }
};

Entries Drain(JournalReader& reader, std::size_t max_samples, bool* gap = nullptr) {
  Entries out;
  while (true) {
    auto batch = reader.Next(max_samples);
    REQUIRE(batch);
    if (gap) *gap |= batch->gap;
    if (batch->entries.empty()) return out;
    for (const auto& entry : batch->entries) {
      out.emplace_back(entry.labels.ToString(), entry.sample);
    }
  }
}

}  // namespace

TEST_CASE("the journal gives back what was appended across segments and restarts", "[history]") {
  Written written(40);
  for (std::uint32_t segment = 1; segment < 8; segment += 2) {
    Journal journal({.folder = written.dir.path()}, segment);
    for (const auto& series : written.series) series->journal_generation = 0;  // as after a start
    written.Append(journal, 300);
    REQUIRE(journal.Sync());
    written.Append(journal, 3);
    REQUIRE(journal.Rotate() == segment + 1);
    written.Append(journal, 20);
  }
  Replayed total;
  REQUIRE(SameEntries(written.Replay(&total), written.entries));
  REQUIRE_FALSE(total.torn);
  REQUIRE_FALSE(total.corrupt);
}

TEST_CASE("a journal cut anywhere gives back whole records before the cut", "[history]") {
  Written written(5);
  {
    Journal journal({.folder = written.dir.path()}, 1);
    for (int i = 0; i < 6; ++i) {
      written.Append(journal, 2);
      REQUIRE(journal.Flush());
    }
  }
  const auto whole = written.dir.Read("journal-00000001");
  std::size_t last = 0;
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    written.dir.Write("journal-00000001", whole.substr(0, size));
    Replayed total;
    const auto read = written.Replay(&total);
    REQUIRE(read.size() >= last);
    last = read.size();
    REQUIRE(SameEntries(
        read, Entries(written.entries.begin(),
                      written.entries.begin() + static_cast<std::ptrdiff_t>(read.size()))));
    REQUIRE_FALSE(total.corrupt);
    // The torn tail is gone from the file too: read again, it is whole.
    Replayed again;
    REQUIRE(written.Replay(&again).size() == read.size());
    REQUIRE((size < kSegmentHeaderBytes || !again.torn));
  }
  REQUIRE(last == written.entries.size());
}

TEST_CASE("a journal with a wrong byte anywhere loses what is near it and nothing else",
          "[history]") {
  Written written(60);
  {
    Journal journal({.folder = written.dir.path()}, 1);
    written.Append(journal, 6000);
  }
  const auto whole = written.dir.Read("journal-00000001");
  REQUIRE(whole.size() > 2'000'000);  // two restart records at least
  std::mt19937_64 random(9);
  for (int i = 0; i < 60; ++i) {
    auto broken = whole;
    // The first bytes and any others.
    const std::size_t at = i < 30 ? static_cast<std::size_t>(i) : random() % whole.size();
    broken[at] = static_cast<char>(broken[at] ^ (1 << random() % 8));
    written.dir.Write("journal-00000001", broken);
    Replayed total;
    const auto read = written.Replay(&total);
    INFO("at " << at << ": " << read.size() << " of " << written.entries.size());
    REQUIRE((total.corrupt || total.torn));
    // Definitions stand in the first record: without them the segment has no names.
    const bool definitions = at < 4096;
    if (!definitions) REQUIRE(read.size() > written.entries.size() / 4);
    // What was read is what was written, in order.
    auto from = written.entries.begin();
    bool as_written = true;
    for (const auto& entry : read) {
      from = std::find_if(from, written.entries.end(), [&](const auto& other) {
        return other.first == entry.first && other.second == entry.second;
      });
      as_written = from != written.entries.end();
      if (!as_written) break;
      ++from;
    }
    REQUIRE(as_written);
    if (total.corrupt) {
      REQUIRE(written.dir.Read("journal-00000001.corrupt") == broken);
      std::filesystem::remove(written.dir.path() / "journal-00000001.corrupt");
    }
  }
}

TEST_CASE("a reader follows the journal while it is written", "[history]") {
  Written written(7);
  JournalReader reader(written.dir.path(), {});
  Entries read;
  const auto drain = [&] {
    for (auto& entry : Drain(reader, 50)) read.push_back(std::move(entry));
  };
  drain();
  Journal journal({.folder = written.dir.path()}, 5);
  for (int i = 0; i < 30; ++i) {
    written.Append(journal, 50);
    if (i % 3 != 0) REQUIRE(journal.Flush());
    if (i % 7 == 0) journal.Rotate();
    drain();
  }
  REQUIRE(journal.Flush());
  drain();
  REQUIRE(SameEntries(read, written.entries));
}

TEST_CASE("a reader goes on from a position after a restart", "[history]") {
  Written written(7);
  {
    Journal journal({.folder = written.dir.path()}, 1);
    for (int i = 0; i < 20; ++i) {
      written.Append(journal, 100);
      REQUIRE(journal.Flush());
      if (i % 6 == 5) journal.Rotate();
    }
  }
  Entries read;
  JournalPosition position;
  while (true) {
    JournalReader reader(written.dir.path(), position);
    auto batch = reader.Next(1);
    REQUIRE(batch);
    REQUIRE_FALSE(batch->gap);
    if (batch->entries.empty()) break;
    for (const auto& entry : batch->entries) {
      read.emplace_back(entry.labels.ToString(), entry.sample);
    }
    position = batch->next;
  }
  REQUIRE(SameEntries(read, written.entries));
}

TEST_CASE("a reader is told when segments are gone", "[history]") {
  Written written(3);
  Journal journal({.folder = written.dir.path()}, 1);
  for (int i = 0; i < 5; ++i) {
    written.Append(journal, 10);
    journal.Rotate();
  }
  JournalReader reader(written.dir.path(), {});
  REQUIRE(reader.Next(1)->entries.size() == 30);
  journal.Release(4);
  bool gap = false;
  REQUIRE(Drain(reader, 1000, &gap).size() == 60);
  REQUIRE(gap);

  JournalReader late(written.dir.path(), {2, 20});
  gap = false;
  REQUIRE(Drain(late, 1000, &gap).size() == 60);
  REQUIRE(gap);
}

TEST_CASE("released segments are kept as far as was asked for", "[history]") {
  Written written(3);
  Journal journal({.folder = written.dir.path(), .keep_bytes = 1500}, 1);
  for (int i = 0; i < 5; ++i) {
    written.Append(journal, 30);
    journal.Rotate();
  }
  journal.Release(6);
  std::uint64_t bytes = 0;
  for (const auto& [number, size] : ListSegments(written.dir.path())) bytes += size;
  REQUIRE(bytes <= 1500);
  REQUIRE(bytes > 0);
  REQUIRE(journal.DiskBytes() == bytes);
  REQUIRE(ListSegments(written.dir.path()).rbegin()->first == 5);
}

TEST_CASE("segments that no follower needs are not kept", "[history]") {
  Written written(3);
  Journal journal({.folder = written.dir.path(), .keep_bytes = 1 << 20}, 1);
  for (int i = 0; i < 5; ++i) {
    written.Append(journal, 30);
    journal.Rotate();
  }
  journal.Followed(3);
  journal.Release(6);
  REQUIRE(ListSegments(written.dir.path()).begin()->first == 3);
  journal.Followed(9);
  journal.Release(5);
  REQUIRE(ListSegments(written.dir.path()).begin()->first == 5);
}

}  // namespace vigia::history
