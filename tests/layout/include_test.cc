// The direction of includes, as docs/architecture.md draws it.

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace fs = std::filesystem;

namespace {

const fs::path kRoot = VIGIA_SOURCE_DIR;

// What each room may include, besides itself.
const std::map<std::string, std::set<std::string>> kAllowed{
    {"core", {}},
    {"collectors", {"core"}},
    {"query/history", {"core"}},
    {"query/promql", {"core"}},
    {"query/remote_write", {"core", "query/history"}},
    {"alerting", {"core", "query/history", "query/promql"}},
    {"exporter",
     {"core", "collectors", "query/history", "query/promql", "query/remote_write", "alerting"}},
};

// Headers of libraries that only the files that wrap them may include: the prefix of the header,
// and a word that the including file's path holds.
const std::vector<std::pair<std::string, std::string>> kWrapped{
    {"yaml-cpp/", "core/config/yaml.cc"}, {"spdlog/", "core/log.cc"},
    {"CivetServer", "exporter/http/"},    {"civetweb", "exporter/http/"},
    {"CLI/", "exporter/main.cc"},         {"pqxx", "collectors/postgres/"},
    {"hiredis", "collectors/redis/"},     {"sqlite3", ".cc"},
    {"curl/", ".cc"},
};

std::string RoomOf(const std::string& path) {
  for (const auto& [room, allowed] : kAllowed) {
    if (path.starts_with(room + "/")) return room;
  }
  return {};
}

struct Include {
  std::string from;
  std::string header;
  bool angled;
};

std::vector<Include> AllIncludes() {
  const std::regex pattern(R"re(^\s*#include\s+([<"])([^>"]+)[>"])re");
  std::vector<Include> includes;
  for (const auto& [room, allowed] : kAllowed) {
    if (!fs::exists(kRoot / room)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(kRoot / room)) {
      const auto extension = entry.path().extension();
      if (extension != ".cc" && extension != ".h") continue;
      std::ifstream file(entry.path());
      for (std::string line; std::getline(file, line);) {
        std::smatch match;
        if (!std::regex_search(line, match, pattern)) continue;
        includes.push_back({fs::relative(entry.path(), kRoot).string(), match[2], match[1] == "<"});
      }
    }
  }
  return includes;
}

}  // namespace

TEST_CASE("includes go one way", "[layout]") {
  std::string wrong;
  for (const auto& include : AllIncludes()) {
    if (include.angled) continue;
    const auto from = RoomOf(include.from);
    const auto to = RoomOf(include.header);
    if (to.empty() || to == from || kAllowed.at(from).contains(to)) continue;
    wrong += include.from + " includes " + include.header + "\n";
  }
  REQUIRE(wrong == "");
}

TEST_CASE("headers of libraries stay in the files that wrap them", "[layout]") {
  std::string wrong;
  for (const auto& include : AllIncludes()) {
    if (!include.angled) continue;
    for (const auto& [prefix, place] : kWrapped) {
      if (!include.header.starts_with(prefix)) continue;
      if (include.from.find(place) != std::string::npos && include.from.ends_with(".cc")) continue;
      wrong += include.from + " includes <" + include.header + ">\n";
    }
  }
  REQUIRE(wrong == "");
}
