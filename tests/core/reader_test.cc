#include "core/config/reader.h"

#include <catch2/catch.hpp>

#include "core/config/yaml.h"

using namespace vigia;
using namespace vigia::config;

namespace {

std::optional<std::string> Lookup(const std::string&) { return "from the environment"; }

// Reads a text with `read` and gives the faults.
template <typename F>
std::string Faults(std::string_view text, F read) {
  Diagnostics diagnostics("f.yml");
  const auto node = ParseYaml(text, {.limits = {}, .environment = Lookup}, diagnostics);
  MapReader reader(node, diagnostics, "section");
  read(reader);
  return diagnostics.ToString();
}

// The fault of reading the key `k` as a T, "" if there is none.
template <typename T, typename... Limits>
std::string FaultOf(std::string_view value, Limits... limits) {
  return Faults("k: " + std::string(value) + "\n", [&](MapReader& reader) {
    T out{};
    const T before = out;
    if (!reader.Read("k", out, limits...)) REQUIRE(out == before);
  });
}

template <typename T>
T ValueOf(std::string_view value) {
  T out{};
  REQUIRE(Faults("k: " + std::string(value) + "\n", [&](MapReader& reader) {
            REQUIRE(reader.Read("k", out));
            reader.Finish();
          }) == "");
  return out;
}

}  // namespace

TEST_CASE("well-formed values are read", "[config]") {
  REQUIRE(ValueOf<bool>("true") == true);
  REQUIRE(ValueOf<std::string>("a b") == "a b");
  REQUIRE(ValueOf<std::string>("5") == "5");
  REQUIRE(ValueOf<std::filesystem::path>("/etc/x") == "/etc/x");
  REQUIRE(ValueOf<double>("0.25") == 0.25);
  REQUIRE(ValueOf<std::int64_t>("-3") == -3);
  REQUIRE(ValueOf<Milliseconds>("1m30s") == Milliseconds(90'000));
  REQUIRE(ValueOf<std::vector<std::string>>("[a, b]") == std::vector<std::string>{"a", "b"});
  REQUIRE(ValueOf<std::vector<std::string>>("a") == std::vector<std::string>{"a"});
  REQUIRE(ValueOf<std::map<std::string, std::string>>("{a: 1, b: x}") ==
          std::map<std::string, std::string>{{"a", "1"}, {"b", "x"}});
}

TEST_CASE("a missing key leaves the default and is no fault", "[config]") {
  REQUIRE(Faults("", [](MapReader& reader) {
            std::string text = "default";
            std::int64_t number = 7;
            REQUIRE_FALSE(reader.Read("text", text));
            REQUIRE_FALSE(reader.Read("number", number));
            REQUIRE(text == "default");
            REQUIRE(number == 7);
            reader.Finish();
          }) == "");
}

TEST_CASE("the words of YAML 1.1 are booleans", "[config]") {
  REQUIRE(Faults("{a: yes, b: Off, c: 'on', d: TRUE, e: nO}", [](MapReader& reader) {
            bool value = false;
            REQUIRE((reader.Read("a", value) && value));
            REQUIRE((reader.Read("b", value) && !value));
            REQUIRE((reader.Read("c", value) && value));
            REQUIRE((reader.Read("d", value) && value));
            reader.Read("e", value);
            reader.Finish();
          }) == "f.yml:1:39: e: 'nO' is not a boolean: write true or false\n");
}

TEST_CASE("a malformed value says what it is and what would be right", "[config]") {
  REQUIRE(FaultOf<bool>("ja") == "f.yml:1:4: k: 'ja' is not a boolean: write true or false\n");
  REQUIRE(FaultOf<bool>("[true]") == "f.yml:1:4: k has to be true or false, not a list\n");
  REQUIRE(FaultOf<std::string>("") == "f.yml:1:1: k has to be a string, not nothing\n");
  REQUIRE(FaultOf<std::string>("{a: 1}") == "f.yml:1:4: k has to be a string, not a map\n");
  REQUIRE(FaultOf<std::filesystem::path>("[a]") == "f.yml:1:4: k has to be a path, not a list\n");
  REQUIRE(FaultOf<double>("1,5") == "f.yml:1:4: k: '1,5' is not a number\n");
  REQUIRE(FaultOf<double>("nan") == "f.yml:1:4: k: 'nan' is not a finite number\n");
  REQUIRE(FaultOf<std::int64_t>("1.5") == "f.yml:1:4: k: '1.5' is not a whole number\n");
  REQUIRE(FaultOf<std::int64_t>("0", 1, 100) == "f.yml:1:4: k: 0 is not between 1 and 100\n");
  REQUIRE(FaultOf<std::int64_t>("99999999999999999999", 1, 100) ==
          "f.yml:1:4: k: 99999999999999999999 is not between 1 and 100\n");
  REQUIRE(FaultOf<Milliseconds>("15") ==
          "f.yml:1:4: k: '15' is not a duration: write a number and a unit of ms, s, m, h, d, w or "
          "y, such as 30s or 1h30m\n");
  REQUIRE(FaultOf<Milliseconds>("0s") ==
          "f.yml:1:4: k: 0 is too short: write a duration such as 30s\n");
  REQUIRE(FaultOf<std::vector<std::string>>("[a, {b: c}]") ==
          "f.yml:1:8: k has to be a list of strings, not of maps\n");
  REQUIRE(FaultOf<std::vector<std::string>>("{a: b}") ==
          "f.yml:1:4: k has to be a list of strings, not a map\n");
  REQUIRE(FaultOf<std::map<std::string, std::string>>("a") ==
          "f.yml:1:4: k has to be a map, not a value\n");
  REQUIRE(FaultOf<std::map<std::string, std::string>>("{a: [b]}") ==
          "f.yml:1:8: k: a has to be a string, not a list\n");
}

TEST_CASE("sizes are written with a unit", "[config]") {
  const auto bytes = [](std::string_view value) {
    std::uint64_t out = 0;
    const auto faults = Faults("k: " + std::string(value) + "\n",
                               [&](MapReader& reader) { reader.ReadBytes("k", out); });
    return faults.empty() ? std::to_string(out) : faults;
  };
  REQUIRE(bytes("1024") == "1024");
  REQUIRE(bytes("10B") == "10");
  REQUIRE(bytes("64KiB") == "65536");
  REQUIRE(bytes("64KB") == "65536");
  REQUIRE(bytes("64K") == "65536");
  REQUIRE(bytes("100MB") == "104857600");
  REQUIRE(bytes("2GiB") == "2147483648");
  REQUIRE(bytes("1TiB") == "1099511627776");
  for (const auto* wrong : {"1.5GB", "MB", "10 MB", "10mb", "-1", "99999999999TiB", "1iB"}) {
    REQUIRE(bytes(wrong) == "f.yml:1:4: k: '" + std::string(wrong) +
                                "' is not a size: write a number and B, KiB, MiB, GiB or TiB, such "
                                "as 64MiB\n");
  }
}

TEST_CASE("secrets come from a file or the environment", "[config]") {
  const auto reveal = [](std::string_view text, PlainSecrets plain = PlainSecrets::kRefused) {
    Secret secret;
    const auto faults =
        Faults(text, [&](MapReader& reader) { reader.ReadSecret("password", secret, plain); });
    return faults.empty() ? secret.Reveal().value() : faults;
  };
  REQUIRE(reveal("password: ${PW}\n") == "from the environment");
  REQUIRE(reveal("password_file: /dev/null\n") == "");
  REQUIRE(reveal("password: hunter2\n") ==
          "f.yml:1:1: password: a secret does not stand in this file; write password_file with the "
          "path of a file that holds it, or ${NAME} to take it from the environment\n");
  REQUIRE(reveal("password: hunter2\n", PlainSecrets::kAllowed) == "hunter2");
  REQUIRE(reveal("password: ${PW}\npassword_file: /dev/null\n") ==
          "f.yml:2:1: password_file: stands beside password; write one of the two\n");
}

TEST_CASE("a choice is one of its words", "[config]") {
  constexpr std::string_view kWords[] = {"logfmt", "json"};
  const auto choose = [&](std::string_view text) {
    std::size_t choice = 0;
    const auto faults =
        Faults(text, [&](MapReader& reader) { choice = reader.ReadChoice("k", kWords, 0); });
    return faults.empty() ? std::to_string(choice) : faults;
  };
  REQUIRE(choose("k: json\n") == "1");
  REQUIRE(choose("") == "0");
  REQUIRE(choose("k: jsno\n") ==
          "f.yml:1:4: k: 'jsno' is not one of logfmt, json; did you mean 'json'?\n");
  REQUIRE(choose("k: xml_thing\n") == "f.yml:1:4: k: 'xml_thing' is not one of logfmt, json\n");
}

TEST_CASE("keys that nobody asked for are faults with the nearest known key", "[config]") {
  REQUIRE(Faults("intervall: 1s\ncolour: red\n",
                 [](MapReader& reader) {
                   reader.Child("interval");
                   reader.Child("timeout");
                   reader.Child("timeout");
                   reader.Finish();
                 }) ==
          "f.yml:1:1: unknown key 'intervall' in section, did you mean 'interval'?\n"
          "f.yml:2:1: unknown key 'colour' in section; known keys: interval, timeout\n");
  REQUIRE(Faults("a: 1\n", [](MapReader& reader) { reader.Finish(); }) ==
          "f.yml:1:1: unknown key 'a' in section, which has no keys\n");
}

TEST_CASE("what is no map says so once", "[config]") {
  REQUIRE(Faults("[a]\n", [](MapReader& reader) {
            reader.Require("name", "it is needed");
            reader.Finish();
          }) == "f.yml:1:1: section has to be a map of keys and values, not a list\n");
}

TEST_CASE("a missing key and a fault across keys name their place", "[config]") {
  REQUIRE(Faults("a: 1\nb: 2\n",
                 [](MapReader& reader) {
                   reader.Require("url", "it says where Redis is");
                   reader.Require("a", "");
                   reader.Fault("b", "is larger than a");
                   reader.Fault("c", "is needed beside b");
                 }) ==
          "f.yml:1:1: section: the key 'url' is missing: it says where Redis is\n"
          "f.yml:1:1: c: is needed beside b\n"
          "f.yml:2:1: b: is larger than a\n");
}
