#include <catch2/catch.hpp>
#include <random>
#include <vector>

#include "collectors/host/part.h"
#include "core/file.h"
#include "tests/support/collect.h"
#include "tests/support/fixtures.h"
#include "tests/support/temp_dir.h"

using namespace vigia;
using namespace vigia::test;
namespace fs = std::filesystem;

namespace {

// Cuts `text` short, repeats a piece of it or changes some of its bytes.
std::string Damage(std::string text, std::mt19937& random) {
  const auto below = [&](std::size_t limit) { return random() % std::max<std::size_t>(limit, 1); };
  switch (below(4)) {
    case 0:
      return text.substr(0, below(text.size()));
    case 1: {
      const auto at = below(text.size());
      return text.insert(at, text.substr(below(text.size()), below(40)));
    }
    case 2:
      return text.erase(below(text.size()), below(20));
    default:
      constexpr std::string_view kBytes = "\0\n\t :-0f9=(\xff";
      for (auto n = 1 + below(4); n > 0 && !text.empty(); --n) {
        text[below(text.size())] = kBytes[below(kBytes.size())];
      }
      return text;
  }
}

}  // namespace

// Under the address sanitizer this finds reads beyond a line's end.
TEST_CASE("no host subject breaks on a damaged file", "[collectors]") {
  TempDir proc;
  std::vector<std::string> files;
  const auto fixtures = Fixture("host/proc");
  for (const auto& entry : fs::recursive_directory_iterator(fixtures)) {
    if (!entry.is_regular_file()) continue;
    files.push_back(fs::relative(entry.path(), fixtures));
    const auto content = ReadFile(entry.path());
    REQUIRE(content);
    proc.Write(files.back(), *content);
  }
  REQUIRE(files.size() > 20);

  struct Subject {
    std::unique_ptr<collectors::Collector> collector;
    Batch batch;
  };
  std::vector<std::unique_ptr<Subject>> subjects;
  for (const auto& part : collectors::host::Parts()) {
    if (part.worker != collectors::host::kShared) continue;
    std::string fault;
    auto collector = MakeHostCollector("host." + std::string(part.name),
                                       {{"procfs", proc.path()}, {"sysfs", proc.path()}}, fault);
    REQUIRE(collector);
    subjects.push_back(std::make_unique<Subject>());
    subjects.back()->collector = std::move(collector);
  }

  std::mt19937 random(1);
  std::size_t failures = 0;
  for (int round = 0; round < 300; ++round) {
    const auto& file = files[random() % files.size()];
    const auto content = proc.Read(file);
    proc.Write(file, Damage(content, random));
    for (auto& subject : subjects) {
      if (!CollectOnce(*subject->collector, subject->batch)) ++failures;
    }
    proc.Write(file, content);
  }
  REQUIRE(failures > 0);
}
