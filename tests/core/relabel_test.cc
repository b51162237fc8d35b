// Relabelling rules, with the results that Prometheus gives (model/relabel).

#include "core/relabel.h"

#include <catch2/catch.hpp>

#include "core/config/yaml.h"

using namespace vigia;

namespace {

std::string Faults(const std::string& yaml) {
  config::Diagnostics diagnostics("rules.yml");
  const auto node = config::ParseYaml(yaml, {}, diagnostics);
  Relabeling::Read(node, "metric_relabel_configs", diagnostics);
  return diagnostics.ToString();
}

// The labels after `yaml`, or "dropped".
std::string Relabel(const Labels& labels, const std::string& yaml) {
  config::Diagnostics diagnostics("rules.yml");
  const auto node =
      config::ParseYaml(yaml, {.environment = config::ProcessEnvironment}, diagnostics);
  const auto relabeling = Relabeling::Read(node, "metric_relabel_configs", diagnostics);
  REQUIRE(diagnostics.ToString() == "");
  LabelsBuilder builder(labels);
  return relabeling.Apply(builder) ? builder.Build().ToString() : "dropped";
}

const Labels kAbc{{"a", "foo"}, {"b", "bar"}, {"c", "baz"}};

}  // namespace

TEST_CASE("relabelling replaces by groups of the match", "[relabel]") {
  REQUIRE(Relabel(kAbc,
                  "- { source_labels: [a], regex: 'f(.*)', target_label: d, "
                  "replacement: 'ch${1}-ch${1}' }") ==
          R"({a="foo", b="bar", c="baz", d="choo-choo"})");
  REQUIRE(Relabel(kAbc,
                  "- { source_labels: [a, b], regex: 'f(.*);(.*)r', target_label: a, "
                  "replacement: 'b${1}${2}m' }\n"
                  "- { source_labels: [c, a], regex: '(b).*b(.*)ba(.*)', target_label: d, "
                  "replacement: '$1$2$2$3' }") == R"({a="boobam", b="bar", c="baz", d="boooom"})");
  // The defaults copy a label; without one to copy, the target goes.
  REQUIRE(Relabel(kAbc, "- { source_labels: [a], target_label: b }") ==
          R"({a="foo", b="foo", c="baz"})");
  REQUIRE(Relabel(kAbc, "- { source_labels: [missing], target_label: b }") ==
          R"({a="foo", c="baz"})");
  REQUIRE(Relabel(kAbc, "- { target_label: d, replacement: x }") ==
          R"({a="foo", b="bar", c="baz", d="x"})");
  REQUIRE(Relabel(kAbc, "- { source_labels: [a], regex: 'f', target_label: b, replacement: x }") ==
          R"({a="foo", b="bar", c="baz"})");
  REQUIRE(Relabel(kAbc,
                  "- { source_labels: [a, b], separator: '', regex: 'foobar', "
                  "target_label: d, replacement: joined }") ==
          R"({a="foo", b="bar", c="baz", d="joined"})");
}

TEST_CASE("relabelling expands templates as Go does", "[relabel]") {
  const Labels labels{{"a", "some-name-value"}};
  const auto replaced = [&](const std::string& replacement) {
    return Relabel(labels,
                   "- { source_labels: [a], regex: 'some-(?P<first>[^-]+)-([^,]+)', "
                   "target_label: d, replacement: '" +
                       replacement + "' }");
  };
  REQUIRE(replaced("$0") == R"({a="some-name-value", d="some-name-value"})");
  REQUIRE(replaced("$first!") == R"({a="some-name-value", d="name!"})");
  REQUIRE(replaced("$2x") == R"({a="some-name-value"})");  // the group called "2x"
  REQUIRE(replaced("${2}x") == R"({a="some-name-value", d="valuex"})");
  REQUIRE(replaced("${3}") == R"({a="some-name-value"})");
  REQUIRE(replaced("${01}|") == R"({a="some-name-value", d="|"})");
  REQUIRE(replaced("5 $ 6 $") == R"({a="some-name-value", d="5 $ 6 $"})");
  // vigia.yml itself makes one dollar sign of two.
  REQUIRE(replaced("$$$$1") == R"({a="some-name-value", d="$1"})");
}

TEST_CASE("relabelling names its target by the match", "[relabel]") {
  const Labels labels{{"a", "some-name-value"}};
  REQUIRE(Relabel(labels,
                  "- { source_labels: [a], regex: 'some-([^-]+)-([^,]+)', replacement: '$2', "
                  "target_label: '$1' }") == R"({a="some-name-value", name="value"})");
  REQUIRE(Relabel(labels,
                  "- { source_labels: [a], regex: 'some-([^-]+)-([^,]+)', replacement: '$1', "
                  "target_label: '${3}' }") == R"({a="some-name-value"})");
  REQUIRE(Relabel({{"tags", "path:/secret,job:some-job,label:foo=bar"}},
                  "- { source_labels: [tags], regex: '(?:.+,|^)path:(/[^,]+).*', "
                  "target_label: path }\n"
                  "- { source_labels: [tags], regex: '(?:.+,|^)label:([^=]+)=([^,]+).*', "
                  "replacement: '$2', target_label: '$1' }") ==
          R"({foo="bar", path="/secret", tags="path:/secret,job:some-job,label:foo=bar"})");
}

TEST_CASE("relabelling keeps and drops by whole values", "[relabel]") {
  const auto by = [](const std::string& action, const std::string& regex) {
    return Relabel({{"a", "foo"}},
                   "- { source_labels: [a], regex: '" + regex + "', action: " + action + " }");
  };
  REQUIRE(by("drop", ".*o.*") == "dropped");
  REQUIRE(by("drop", "f|o") == R"({a="foo"})");
  REQUIRE(by("drop", "no-match") == R"({a="foo"})");
  REQUIRE(by("keep", "f.*") == R"({a="foo"})");
  REQUIRE(by("keep", "no-match") == "dropped");
  REQUIRE(by("Keep", "fo") == "dropped");
  REQUIRE(by("keep", "") == "dropped");
  // The first rule that drops ends it.
  REQUIRE(Relabel({{"a", "foo"}},
                  "- { source_labels: [a], regex: foo, action: drop }\n"
                  "- { target_label: d, replacement: x }") == "dropped");
  // A dot is any byte, a newline too.
  REQUIRE(Relabel({{"a", "foo\nbar"}}, "- { source_labels: [a], regex: 'f.*r', action: drop }") ==
          "dropped");
}

TEST_CASE("relabelling hashes as Prometheus does", "[relabel]") {
  REQUIRE(Relabel(kAbc,
                  "- { source_labels: [c], target_label: d, action: hashmod, "
                  "modulus: 1000 }") == R"({a="foo", b="bar", c="baz", d="976"})");
  REQUIRE(Relabel({{"a", "foo\nbar"}},
                  "- { source_labels: [a], target_label: b, action: hashmod, modulus: 1000 }") ==
          R"({a="foo\nbar", b="734"})");
}

TEST_CASE("relabelling maps keeps and drops label names", "[relabel]") {
  const Labels labels{{"a", "foo"}, {"b1", "bar"}, {"b2", "baz"}};
  REQUIRE(Relabel(labels, "- { regex: '(b.*)', replacement: 'bar_${1}', action: labelmap }") ==
          R"({a="foo", b1="bar", b2="baz", bar_b1="bar", bar_b2="baz"})");
  REQUIRE(Relabel({{"__meta_my_bar", "aaa"}, {"__meta_other", "ccc"}},
                  "- { regex: '__meta_(my.*)', action: labelmap }") ==
          R"({__meta_my_bar="aaa", __meta_other="ccc", my_bar="aaa"})");
  REQUIRE(Relabel(labels, "- { regex: '(b.*)', action: labelkeep }") == R"({b1="bar", b2="baz"})");
  REQUIRE(Relabel(labels, "- { regex: '(b.*)', action: labeldrop }") == R"({a="foo"})");
}

TEST_CASE("relabelling changes case and compares labels", "[relabel]") {
  REQUIRE(Relabel({{"foo", "bAr123Foo"}},
                  "- { source_labels: [foo], action: uppercase, target_label: up }\n"
                  "- { source_labels: [foo], action: lowercase, target_label: low }") ==
          R"({foo="bAr123Foo", low="bar123foo", up="BAR123FOO"})");
  const Labels ports{{"port", "1234"}, {"same", "1234"}, {"other", "5678"}};
  const auto equal = [&](const std::string& action, const std::string& target) {
    return Relabel(ports, "- { source_labels: [port], action: " + action +
                              ", target_label: " + target + " }") != "dropped";
  };
  REQUIRE(equal("keepequal", "same"));
  REQUIRE_FALSE(equal("keepequal", "other"));
  REQUIRE_FALSE(equal("dropequal", "same"));
  REQUIRE(equal("dropequal", "other"));
}

TEST_CASE("relabelling tells what is wrong with a rule", "[relabel]") {
  REQUIRE(Faults("- { action: explode, target_label: a }") ==
          "rules.yml:1:5: action: 'explode' is no action of relabelling\n");
  REQUIRE(Faults("- { source_labels: [a], action: hashmod, target_label: b }").find("modulus") !=
          std::string::npos);
  REQUIRE(Faults("- { source_labels: [a] }").find("replace needs it") != std::string::npos);
  REQUIRE(Faults("- { target_label: a, action: lowercase, replacement: x }")
              .find("cannot be set for lowercase") != std::string::npos);
  REQUIRE(Faults("- { regex: a, source_labels: [b], action: labeldrop }")
              .find("cannot be set for labeldrop") != std::string::npos);
  REQUIRE(Faults("- { source_labels: [b], target_label: c, regex: x, action: keepequal }")
              .find("cannot be set for keepequal") != std::string::npos);
  REQUIRE(Faults("- { target_label: a, regex: '(' }").find("missing") != std::string::npos);
  REQUIRE(Faults("- { target_label: a, sourcelabels: [b] }").find("source_labels") !=
          std::string::npos);
  REQUIRE(Faults("a: b").find("expected a list of rules") != std::string::npos);
}
