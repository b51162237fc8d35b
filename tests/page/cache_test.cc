#include "exporter/page/cache.h"

#include <libdeflate.h>

#include <catch2/catch.hpp>
#include <random>
#include <thread>
#include <vector>

#include "tests/page/pages.h"

using namespace vigia;
using namespace vigia::exporter;
using vigia::test::SnapshotMaker;

namespace {

constexpr Metric kUp{"up", "", MetricType::kGauge};

std::string Unzip(const std::string& compressed) {
  std::string out(1 << 20, '\0');
  auto* const decompressor = libdeflate_alloc_decompressor();
  std::size_t size = 0;
  const auto result = libdeflate_gzip_decompress(decompressor, compressed.data(), compressed.size(),
                                                 out.data(), out.size(), &size);
  libdeflate_free_decompressor(decompressor);
  REQUIRE(result == LIBDEFLATE_SUCCESS);
  out.resize(size);
  return out;
}

Snapshot MakeSnapshot(SnapshotMaker& maker, double value) {
  maker.Add("a", "1", [&](Batch& batch) { batch.Add(kUp, value); });
  return maker.Make();
}

}  // namespace

TEST_CASE("a page is made once per snapshot, style and encoding", "[page]") {
  SnapshotMaker maker;
  PageCache cache;
  const auto first = MakeSnapshot(maker, 1);
  const auto plain = cache.Get(first, {}, Encoding::kIdentity);
  REQUIRE(*plain == "# TYPE up gauge\nup 1\n");
  REQUIRE(cache.Get(first, {}, Encoding::kIdentity) == plain);
  const auto zipped = cache.Get(first, {}, Encoding::kGzip);
  REQUIRE(Unzip(*zipped) == *plain);
  REQUIRE(cache.Get(first, {}, Encoding::kGzip) == zipped);
  REQUIRE(cache.rendered() == 1);
  REQUIRE(*cache.Get(first, {text::Format::kOpenMetrics, false}, Encoding::kIdentity) ==
          "# TYPE up gauge\nup 1\n# EOF\n");
  REQUIRE(cache.rendered() == 2);

  const auto second = MakeSnapshot(maker, 2);
  REQUIRE(*cache.Get(second, {}, Encoding::kIdentity) == "# TYPE up gauge\nup 2\n");
  REQUIRE(Unzip(*cache.Get(second, {}, Encoding::kGzip)) == "# TYPE up gauge\nup 2\n");
  REQUIRE(*plain == "# TYPE up gauge\nup 1\n");
}

TEST_CASE("whatever is compressed comes out again", "[page]") {
  GzipCompressor compressor;
  std::mt19937 random(3);
  for (const std::size_t size : {0u, 1u, 2u, 1000u, 65'535u, 65'536u, 300'000u, 1'000'000u}) {
    std::string text(size, 'x');
    REQUIRE(Unzip(compressor.Compress(text)) == text);
    // What cannot be made smaller.
    for (char& c : text) c = static_cast<char>(random());
    REQUIRE(Unzip(compressor.Compress(text)) == text);
  }
}

TEST_CASE("scrapers at the same time share one page", "[page]") {
  SnapshotMaker maker;
  PageCache cache;
  for (int round = 1; round <= 20; ++round) {
    const auto snapshot = MakeSnapshot(maker, round);
    std::vector<PageCache::Body> bodies(8);
    {
      std::vector<std::jthread> scrapers;
      for (std::size_t i = 0; i < bodies.size(); ++i) {
        scrapers.emplace_back([&, i] {
          bodies[i] = cache.Get(snapshot, {}, i % 2 ? Encoding::kGzip : Encoding::kIdentity);
        });
      }
    }
    for (std::size_t i = 2; i < bodies.size(); ++i) REQUIRE(bodies[i] == bodies[i % 2]);
    REQUIRE(*bodies[0] == "# TYPE up gauge\nup " + std::to_string(round) + "\n");
    REQUIRE(Unzip(*bodies[1]) == *bodies[0]);
  }
  REQUIRE(cache.rendered() == 20);
}

TEST_CASE("a page outlives the cache that made it", "[page]") {
  SnapshotMaker maker;
  PageCache::Body body;
  {
    PageCache cache;
    body = cache.Get(MakeSnapshot(maker, 1), {}, Encoding::kIdentity);
  }
  REQUIRE(*body == "# TYPE up gauge\nup 1\n");
}

TEST_CASE("the families of a style that nobody asks for are let go", "[page]") {
  SnapshotMaker maker;
  PageCache cache;
  auto snapshot = MakeSnapshot(maker, 1);
  const std::weak_ptr<const Family> family = snapshot.entries[0].reading->families[0].family;
  cache.Get(snapshot, {text::Format::kOpenMetrics, false}, Encoding::kGzip);
  maker = SnapshotMaker();
  snapshot = Snapshot{};
  REQUIRE_FALSE(family.expired());
  snapshot.version = 1001;
  cache.Get(snapshot, {}, Encoding::kIdentity);
  REQUIRE(family.expired());
}
