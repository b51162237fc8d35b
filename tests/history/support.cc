#include "tests/history/support.h"

#include <bit>

namespace vigia::history {

Content ReadEverything(const History& history) {
  Content content;
  const auto selected = history.Select({}, kAllTime);
  REQUIRE(selected);
  for (const auto& series : *selected) {
    Columns columns;
    REQUIRE(series->Read(kAllTime.from, kAllTime.to, columns));
    REQUIRE(columns.times.size() == columns.values.size());
    auto& samples = content[series->labels().ToString()];
    REQUIRE(samples.empty());
    for (std::size_t i = 0; i < columns.size(); ++i) {
      samples.emplace_back(columns.times[i], std::bit_cast<std::uint64_t>(columns.values[i]));
    }
  }
  return content;
}

Fixture::Fixture(Options given) : options(std::move(given)) {
  options.folder = dir.path() / "history";
  options.on_problem = [this](std::string_view message, const std::filesystem::path& file,
                              const Error& error) {
    problems.push_back(std::string(message) + ": " + file.filename().string() + ": " +
                       error.message());
  };
  options.on_recovery = [this](std::string_view message, const std::filesystem::path&) {
    recoveries.emplace_back(message);
  };
  Reopen();
}

void Fixture::Reopen() {
  history.reset();
  auto opened = History::Open(options, clock);
  INFO((opened ? "" : opened.error().message()));
  REQUIRE(opened);
  history = std::move(*opened);
}

SeriesSink::Outcome Fixture::Append(const Labels& labels, Timestamp time, double value) {
  const SeriesSink::Entry entry{labels, {time, value}};
  const auto outcome = history->Append({&entry, 1});
  REQUIRE(outcome);
  return *outcome;
}

Content Fixture::Fill(int series, int count) {
  for (int i = 0; i < count; ++i, next_ += 15'000) {
    std::vector<SeriesSink::Entry> entries;
    for (int j = 0; j < series; ++j) {
      const Labels labels{{"__name__", "filled"}, {"number", std::to_string(j)}};
      const double value = static_cast<double>((i * 37 + j * 11) % 100) / 10;
      entries.push_back({labels, {next_, value}});
      filled_[labels.ToString()].emplace_back(next_, std::bit_cast<std::uint64_t>(value));
    }
    clock.Advance(15s);
    const auto outcome = history->Append(entries);
    REQUIRE(outcome);
    REQUIRE(outcome->stored == entries.size());
  }
  return filled_;
}

Columns Fixture::Read(const Labels& labels, Timestamp from, Timestamp to) {
  std::vector<Matcher> matchers;
  for (const auto [name, value] : labels) {
    matchers.push_back({Matcher::Op::kEqual, std::string(name), std::string(value)});
  }
  const auto selected = history->Select(matchers, kAllTime);
  REQUIRE(selected);
  Columns columns;
  for (const auto& series : *selected) {
    if (series->labels() == labels) REQUIRE(series->Read(from, to, columns));
  }
  return columns;
}

std::vector<std::string> Fixture::Select(std::vector<Matcher> matchers) {
  const auto selected = history->Select(matchers, kAllTime);
  REQUIRE(selected);
  std::vector<std::string> names;
  for (const auto& series : *selected) names.push_back(series->labels().ToString());
  return names;
}

}  // namespace vigia::history
