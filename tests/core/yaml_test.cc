#include "core/config/yaml.h"

#include <catch2/catch.hpp>

#include "tests/support/temp_dir.h"

using namespace vigia;
using namespace vigia::config;
using vigia::test::TempDir;

namespace {

std::optional<std::string> Lookup(const std::string& name) {
  if (name == "PORT") return "9845";
  if (name == "EMPTY") return "";
  return std::nullopt;
}

// What ParseYaml says of a text: its faults, or else the tree.
std::string Parse(std::string_view text, const YamlOptions& options = {}) {
  Diagnostics diagnostics("f.yml");
  const auto node = ParseYaml(text, options, diagnostics);
  return diagnostics.ok() ? Canonical(node) : diagnostics.ToString();
}

std::string ParseWithVariables(std::string_view text) {
  return Parse(text, {.limits = {}, .environment = Lookup});
}

std::string Repeat(std::string_view text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += text;
  return out;
}

}  // namespace

TEST_CASE("YAML becomes scalars and lists and maps and nothing", "[config]") {
  REQUIRE(Parse("a: 1\nb: [x, {y: z}]\nc:\n- ~\n-\nd: {}\n") ==
          "{1:a=1:11:b[=1:x{1:y=1:z}]1:c[~~]1:d{}}");
  REQUIRE(Parse("") == "~");
  REQUIRE(Parse("# only a comment\n") == "~");
  REQUIRE(Parse("---\n") == "~");
  REQUIRE(Parse("%YAML 1.2\n---\na: 1\n...\n") == "{1:a=1:1}");
  REQUIRE(Parse("a: 1\r\nb: 2\r\n") == "{1:a=1:11:b=1:2}");
  REQUIRE(Parse("\xEF\xBB\xBF"
                "a: 1\n") == "{1:a=1:1}");
}

TEST_CASE("what stands in quotes or in a block is a string for certain", "[config]") {
  REQUIRE(Parse("a: \"1\"\nb: '2'\nc: |\n  3\nd: >-\n  4\ne: 5\nf: !!str 6\n\"g\": 7\n") ==
          "{1:a\"1:11:b\"1:21:c\"2:3\n1:d\"1:41:e=1:51:f\"1:61:g=1:7}");
  REQUIRE(Parse("a: null\nb: \"null\"\n") == "{1:a~1:b\"4:null}");
}

TEST_CASE("the layout of a file does not show in its canonical form", "[config]") {
  REQUIRE(Parse("a: {x: 1, y: [2]}\nb: 3\n") == Parse("# c\nb:   3\na:\n  y:\n    - 2\n  x: 1\n"));
}

TEST_CASE("positions count lines and characters from 1", "[config]") {
  Diagnostics diagnostics("f.yml");
  const auto root = ParseYaml("a: 1\n\nñandú: [é, {k: v}]\n", {}, diagnostics);
  REQUIRE(diagnostics.ok());
  REQUIRE(root.position == Position{1, 1});
  REQUIRE(root.entries[1].first.position == Position{3, 1});
  const auto& list = root.entries[1].second;
  REQUIRE(list.position == Position{3, 8});
  REQUIRE(list.items[0].position == Position{3, 9});
  REQUIRE(list.items[1].position == Position{3, 12});
  REQUIRE(list.items[1].entries[0].second.position == Position{3, 16});
}

TEST_CASE("nothing stands at its key or at its list", "[config]") {
  Diagnostics diagnostics("f.yml");
  const auto root = ParseYaml("a:\nb:\n  -\n\n  - x\n  - null\nc: 1\n", {}, diagnostics);
  REQUIRE(root.entries[0].second.position == Position{1, 1});
  REQUIRE(root.entries[1].second.items[0].position == Position{3, 3});
  REQUIRE(root.entries[1].second.items[2].position == Position{6, 5});
}

TEST_CASE("a key that stands twice is a fault in each place", "[config]") {
  REQUIRE(Parse("a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\na: 2\n") ==
          "f.yml:5:3: the key 'c' stands here twice; the first is at line 3\n"
          "f.yml:6:1: the key 'a' stands here twice; the first is at line 1\n");
  REQUIRE(Parse("{a: 1, \"a\": 2}") ==
          "f.yml:1:8: the key 'a' stands here twice; the first is at line 1\n");
}

TEST_CASE("a quote that is never closed is a fault where it opens", "[config]") {
  const std::string never = "that opens here is never closed; close it where the value ends\n";
  REQUIRE(Parse("a: 1\nb: \"x\nc: 2\n") == "f.yml:2:4: the quote (\") " + never);
  REQUIRE(Parse("a: 'x\n") == "f.yml:1:4: the quote (') " + never);
  REQUIRE(Parse("a: 'it''\n") == "f.yml:1:4: the quote (') " + never);
  REQUIRE(Parse("a: \"x\\\"\n") == "f.yml:1:4: the quote (\") " + never);
  REQUIRE(Parse("a: [\"x, y]\nb: 1\n") == "f.yml:1:5: the quote (\") " + never);
  REQUIRE(Parse("a: &anchor !!str # c\n  \"x\n") == "f.yml:2:3: the quote (\") " + never);
  REQUIRE(Parse("- \"x\n") == "f.yml:1:3: the quote (\") " + never);
}

TEST_CASE("a quote that the quote of another value closes is a fault where it opens", "[config]") {
  REQUIRE(Parse("a: \"x\nb: \"y\"\n") ==
          "f.yml:1:4: the quote (\") that opens here is not closed before line 2; close it where "
          "the value ends, or indent the lines that belong to it\n");
  REQUIRE(Parse("m:\n  - 'x\n  - y'\n") ==
          "f.yml:2:5: the quote (') that opens here is not closed before line 3; close it where "
          "the value ends, or indent the lines that belong to it\n");
}

TEST_CASE("quotes may span lines and hold quotes and stand in comments and blocks", "[config]") {
  REQUIRE(Parse("a: \"x\n  y\n\n  z\"\nb: 'it''s'\nc: \"\\\"\"\n") ==
          "{1:a\"5:x y\nz1:b\"4:it's1:c\"1:\"}");
  REQUIRE(Parse("a: 1 # don't\nb: it's\nc: |\n  \"x\n  it's\n") ==
          "{1:a=1:11:b=4:it's1:c\"8:\"x\nit's\n}");
  REQUIRE(Parse("a: &x\n  b: \"c\n   d\"\n") == "{1:a{1:b\"3:c d}}");
  REQUIRE(Parse("\"x\ny\"\n") == "\"3:x y");
}

TEST_CASE("keys are text", "[config]") {
  const std::string fault = ": a key has to be text, not a list, a map, an alias or nothing\n";
  REQUIRE(Parse("a: 1\n[b]: 2\n") == "f.yml:2:1" + fault);
  REQUIRE(Parse("{b: 1}: 2\n") == "f.yml:1:1" + fault);
  REQUIRE(Parse("? - a\n: b\n") == "f.yml:1:3" + fault);
  REQUIRE(Parse(": x\n") == "f.yml:1:1" + fault);
  REQUIRE(Parse("~: x\n") == "f.yml:1:1" + fault);
  REQUIRE(Parse("a: &k v\n*k : x\n") == "f.yml:2:1" + fault);
  REQUIRE(Parse("200: ok\ntrue: yes\n") == "{3:200=2:ok4:true=3:yes}");
}

TEST_CASE("one file holds one document", "[config]") {
  REQUIRE(Parse("a: 1\n---\nb: 2\n") ==
          "f.yml:2:1: a second document begins here (---); a file holds one\n");
  REQUIRE(Parse("- 1\na: 2\n") ==
          "f.yml:2:1: this does not belong to what stands above; is it indented like that?\n");
}

TEST_CASE("merge keys and tags are refused but a quoted one is a key", "[config]") {
  REQUIRE(Parse("a: &x {k: 1}\nb:\n  <<: *x\n  c: 1\n") ==
          "f.yml:3:3: merge keys (<<) are not supported; write the keys out\n");
  REQUIRE(Parse("\"<<\": 1\n") == "{2:<<=1:1}");
  REQUIRE(Parse("a: !secret x\n") ==
          "f.yml:1:4: tags such as !name are not supported; remove it\n");
}

TEST_CASE("an alias stands for a copy in the place of the alias", "[config]") {
  Diagnostics diagnostics("f.yml");
  const auto root = ParseYaml("a: &x {k: 1}\nb: *x\n", {}, diagnostics);
  REQUIRE(Canonical(root) == "{1:a{1:k=1:1}1:b{1:k=1:1}}");
  REQUIRE(root.entries[1].second.position == Position{2, 4});
  REQUIRE(Parse("a: *x\n") ==
          "f.yml:1:4: an alias (*) of an anchor (&) that does not exist; put quotes around a value "
          "that begins with '*'\n");
  REQUIRE(Parse("a: &x [1, *x]\n") ==
          "f.yml:1:11: this alias stands inside the value that it refers to, or refers to a key\n");
  REQUIRE(Parse("&k a: 1\nb: *k\n") ==
          "f.yml:2:4: this alias stands inside the value that it refers to, or refers to a key\n");
}

TEST_CASE("aliases cannot make a small file large", "[config]") {
  std::string laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i <= 9; ++i) {
    const std::string below = "*a" + std::to_string(i - 1);
    laughs += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + below +
              Repeat(", " + below, 9) + "]\n";
  }
  REQUIRE(Parse(laughs) ==
          "f.yml:5:5: more than 200000 values, aliases counted each time they are used\n");
  const YamlOptions small{.limits = {.max_bytes = 1000, .max_nodes = 1000, .max_depth = 4},
                          .environment = {}};
  REQUIRE(Parse("a: &a " + std::string(500, 'x') + "\nb: [" + Repeat("*a, ", 20) + "]\n", small) ==
          "f.yml:2:25: aliases and variables make this larger than 4000 bytes\n");
  REQUIRE(Parse("a: &a [[1]]\nb: [[*a]]\n", small) == "f.yml:2:6: nested deeper than 4 levels\n");
}

TEST_CASE("bytes and values and depth are limited", "[config]") {
  const YamlOptions options{.limits = {.max_bytes = 60, .max_nodes = 5, .max_depth = 2},
                            .environment = {}};
  REQUIRE(Parse(std::string(61, 'x'), options) == "f.yml:1:1: larger than 60 bytes\n");
  REQUIRE(Parse("[a, b, c, d]", options) == "[=1:a=1:b=1:c=1:d]");
  REQUIRE(Parse("[a, b, c, d, e]", options) ==
          "f.yml:1:14: more than 5 values, aliases counted each time they are used\n");
  REQUIRE(Parse("a: {b: 1}", options) == "{1:a{1:b=1:1}}");
  REQUIRE(Parse("a: {b: [1]}", options) == "f.yml:1:9: nested deeper than 2 levels\n");
  REQUIRE(Parse(Repeat("[", 100) + Repeat("]", 100)) ==
          "f.yml:1:34: nested deeper than 32 levels\n");
  REQUIRE(Parse(Repeat("- ", 100'000)) == "f.yml:1:67: nested deeper than 32 levels\n");
}

TEST_CASE("a tab in the indentation is a fault at the tab", "[config]") {
  const std::string fault = ": a tab in the indentation; indent with spaces\n";
  REQUIRE(Parse("a:\n\tb: 1\n") == "f.yml:2:1" + fault);
  REQUIRE(Parse("a:\n  b: 1\n \tc: 2\n") == "f.yml:3:2" + fault);
  REQUIRE(Parse("a:\n\t- 1\n") == "f.yml:2:1" + fault);
  REQUIRE(Parse("a:\n\tx\n") == "f.yml:2:1" + fault);
  REQUIRE(Parse("a: [\n\t1,\n\t2]\nb:\t3\nc: |\n  \tx\n") == "{1:a[=1:1=1:2]1:b=1:31:c\"3:\tx\n}");
}

TEST_CASE("bytes that no text has are faults where they stand", "[config]") {
  REQUIRE(Parse("a: 1\nb: \xff\n") ==
          "f.yml:2:4: a byte that is not UTF-8 (0xff); save the file as UTF-8\n");
  REQUIRE(Parse(std::string_view("a: \0x\n", 6)) ==
          "f.yml:1:4: a control character (0x00); this has to be a text file\n");
  REQUIRE(Parse("é\x1b[1m: 1\n") ==
          "f.yml:1:2: a control character (0x1b); this has to be a text file\n");
  REQUIRE(Parse("a: 1\rb: 2\n") ==
          "f.yml:1:5: a carriage return without a newline; end lines with a newline\n");
}

TEST_CASE("wrong YAML is explained", "[config]") {
  const std::string colon =
      ": this ':' makes no sense here; indent the key like its neighbours, complete the line "
      "above, or put quotes around a value that holds ': '\n";
  REQUIRE(Parse("a: b: c\n") == "f.yml:1:5" + colon);
  REQUIRE(Parse("a: 1\nb 2\nc: 3\n") == "f.yml:3:2" + colon);
  REQUIRE(Parse("a: 1\n b: 2\n") == "f.yml:2:3" + colon);
  REQUIRE(Parse("a: 'it's broken'\n") ==
          "f.yml:1:8: this cannot stand here; put quotes around the whole value\n");
  REQUIRE(Parse("a:\n  - b\n c: 1\n") ==
          "f.yml:3:2: no key of this map begins here; indent it like its neighbours\n");
  REQUIRE(Parse("- - a\n  - b\n -c\n") ==
          "f.yml:3:2: no item of this list begins here; begin it with '- ', indented like its "
          "neighbours\n");
  REQUIRE(Parse("a: [1,\n  {b: 2]\n") ==
          "f.yml:2:8: this bracket closes nothing; put quotes around a value that begins with "
          "it\n");
  REQUIRE(Parse("a: [1, 2\nb: 3\n") ==
          "f.yml:1:4: the bracket that opens here is not closed before line 2\n");
  REQUIRE(Parse("a: @x\n") ==
          "f.yml:1:4: no value begins with this character; put quotes around the value\n");
  REQUIRE(Parse("a: \"\\d+\"\n") ==
          "f.yml:1:7: no such escape in double quotes; write \\\\ for a backslash, or use single "
          "quotes\n");
  REQUIRE(Parse("a: |x\n  b\n") ==
          "f.yml:1:5: unexpected text after | or >; the block begins on the next line\n");
  REQUIRE(Parse("a: - b\n") ==
          "f.yml:1:4: a list cannot begin here; begin it on a line of its own, or put quotes "
          "around a value that begins with '- '\n");
}

TEST_CASE("variables are replaced in values", "[config]") {
  REQUIRE(ParseWithVariables("a: ${PORT}\nb: \"x${PORT}y${NONE:-z}\"\nc: [ '${EMPTY:-}' ]\n") ==
          "{1:a=4:98451:b\"7:x9845yz1:c[\"0:]}");
  REQUIRE(ParseWithVariables("a: $$\nb: $${PORT}\nc: ^x$\nd: $PORT\ne: a$$$b$\n") ==
          "{1:a=1:$1:b=7:${PORT}1:c=3:^x$1:d=5:$PORT1:e=5:a$$b$}");
  REQUIRE(ParseWithVariables("${PORT}: 1\n") == "{7:${PORT}=1:1}");
  REQUIRE(Parse("a: ${PORT}$$\n") == "{1:a=9:${PORT}$$}");
}

TEST_CASE("a scalar remembers that a variable made it", "[config]") {
  Diagnostics diagnostics("f.yml");
  const auto root = ParseYaml("a: ${PORT}\nb: $${PORT}\nc: x\n",
                              {.limits = {}, .environment = Lookup}, diagnostics);
  REQUIRE(root.entries[0].second.variable);
  REQUIRE_FALSE(root.entries[1].second.variable);
  REQUIRE_FALSE(root.entries[2].second.variable);
}

TEST_CASE("variables without a value are all reported", "[config]") {
  REQUIRE(ParseWithVariables("a: ${NONE}\nb:\n  - \"${EMPTY}\"\n") ==
          "f.yml:1:4: the environment variable NONE is not set, or empty; set it, or write "
          "${NONE:-default}\n"
          "f.yml:3:5: the environment variable EMPTY is not set, or empty; set it, or write "
          "${EMPTY:-default}\n");
  REQUIRE(ParseWithVariables("a: ${PORT\n") ==
          "f.yml:1:4: '${' is not closed; write ${NAME}, or $${ for the text itself\n");
  REQUIRE(ParseWithVariables("a: ${a.b}\n") ==
          "f.yml:1:4: '${a.b}' is no variable: a name has letters, digits and _; write $${ for "
          "the text itself\n");
  REQUIRE(ParseWithVariables("a: \"${NONE:-${PORT}}\"\n") ==
          "f.yml:1:4: the default of ${NONE} cannot hold another variable\n");
}

TEST_CASE("the value of a variable cannot change the structure of the file", "[config]") {
  const YamlOptions options{.limits = {},
                            .environment = [](const std::string&) { return "x\nb: [1, \"2"; }};
  REQUIRE(Parse("a: ${V}\n", options) == "{1:a=11:x\nb: [1, \"2}");
}

TEST_CASE("a YAML file that cannot be read is a fault", "[config]") {
  TempDir dir;
  const auto path = dir.path() / "vigia.yml";
  Diagnostics missing(path.string());
  LoadYaml(path, {}, missing);
  REQUIRE(missing.ToString() == path.string() + ": No such file or directory\n");

  Diagnostics folder(dir.path().string());
  LoadYaml(dir.path(), {}, folder);
  REQUIRE(folder.ToString() == dir.path().string() + ": Is a directory\n");

  dir.Write("vigia.yml", "a: 1\n");
  Diagnostics good(path.string());
  REQUIRE(Canonical(LoadYaml(path, {}, good)) == "{1:a=1:1}");
  REQUIRE(good.ok());
}
