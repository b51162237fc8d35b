// docs/configuration.md, kept true: its examples are read, its faults compared.

#include <catch2/catch.hpp>
#include <sstream>

#include "core/file.h"
#include "exporter/config/config.h"

using namespace vigia;

namespace {

struct Block {
  std::string language;  // "yaml", "yaml wrong", "text"
  std::string text;
};

std::string Reference() {
  return ReadFile(std::string(VIGIA_SOURCE_DIR) + "/docs/configuration.md").value();
}

// The fenced blocks of a Markdown page.
std::vector<Block> Blocks(const std::string& page) {
  std::vector<Block> blocks;
  bool inside = false;
  std::istringstream lines(page);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("```")) {
      inside = !inside;
      if (inside) blocks.push_back({line.substr(3), ""});
    } else if (inside) {
      blocks.back().text += line + "\n";
    }
  }
  return blocks;
}

std::optional<std::string> Lookup(const std::string& name) {
  if (name == "QUEUE_PASSWORD") return "x";
  return std::nullopt;
}

std::string Faults(const std::string& text) {
  config::Diagnostics diagnostics("vigia.yml");
  exporter::ParseConfig(text, "/", Lookup, diagnostics);
  return diagnostics.ToString();
}

}  // namespace

TEST_CASE("the examples of the reference are right and its faults are exact", "[config]") {
  const auto blocks = Blocks(Reference());
  int examples = 0;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    INFO(blocks[i].text);
    if (blocks[i].language == "text") continue;
    ++examples;
    if (blocks[i].language == "yaml") {
      REQUIRE(Faults(blocks[i].text) == "");
    } else {
      REQUIRE(blocks[i].language == "yaml wrong");
      REQUIRE(i + 1 < blocks.size());
      REQUIRE(Faults(blocks[i].text) == blocks[i + 1].text);
    }
  }
  REQUIRE(examples >= 6);
}

TEST_CASE("the reference has every top-level key", "[config]") {
  const auto page = Reference();
  for (const auto key : exporter::SectionKeys()) {
    INFO(key);
    REQUIRE(page.find("`" + std::string(key) + "`") != std::string::npos);
  }
}
