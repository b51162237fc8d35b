// Go's template language. The expected texts follow the documentation of text/template and fmt.

#include <catch2/catch.hpp>

#include "tests/templates/expand.h"

using vigia::test::Expanded;

TEST_CASE("templates print constants, fields and variables", "[templates]") {
  CHECK(Expanded("plain } text {") == "plain } text {");
  CHECK(Expanded("{{1}} {{-3}} {{0x1F}} {{1_000}} {{0b11}} {{0o17}} {{'a'}} {{1e3}} {{.5}}") ==
        "1 -3 31 1000 3 15 97 1000 0.5");
  CHECK(Expanded("{{\"a\\tb\\u00f1\\\"\"}}{{`raw \\n`}}{{true}}") == "a\tbñ\"raw \\ntrue");
  CHECK(Expanded("{{.Labels.job}} {{$labels.instance}} {{$value}} {{.Value}}") ==
        "node db1:9100 1234.5 1234.5");
  CHECK(Expanded("{{$externalLabels.site}} {{.ExternalLabels.site}} {{$externalURL}}") ==
        "madrid madrid http://vigia.example:9845/base");
  CHECK(Expanded("{{$labels.missing}}|{{.Labels.missing}}") == "|");
  CHECK(Expanded("{{$.Labels.job}}{{(.Labels).job}}") == "nodenode");
  CHECK(Expanded("{{$x := 1}}{{$x}}{{$x = 2}}{{$x}}") == "12");
  CHECK(Expanded("{{$labels}}") == "map[instance:db1:9100 job:node path:/a b]");
}

TEST_CASE("templates trim, comment and span lines", "[templates]") {
  CHECK(Expanded("a  {{- 1 -}}  b") == "a1b");
  CHECK(Expanded("a \n {{- /* gone */ -}} \n b") == "ab");
  CHECK(Expanded("a {{/* gone */}} b") == "a  b");
  CHECK(Expanded("{{23 -}} < {{- 45}}") == "23<45");
  CHECK(Expanded("{{if true\n}}x{{\nend}}") == "x");
}

TEST_CASE("templates branch", "[templates]") {
  CHECK(Expanded("{{if eq $labels.job \"node\"}}yes{{else}}no{{end}}") == "yes");
  CHECK(Expanded("{{if .Labels.none}}a{{else if gt $value 1000.0}}b{{else}}c{{end}}") == "b");
  CHECK(Expanded("{{if 0}}a{{else if \"\"}}b{{else if false}}c{{else}}d{{end}}") == "d");
  CHECK(Expanded("{{with .Labels.job}}[{{.}}]{{end}}{{with .Labels.none}}x{{else}}-{{end}}") ==
        "[node]-");
  CHECK(Expanded("{{with $x := 3}}{{$x}}{{.}}{{end}}") == "33");
  CHECK(Expanded("{{with 0}}a{{else with 5}}{{.}}{{else}}c{{end}}") == "5");
  CHECK(Expanded("{{$x := 1}}{{if true}}{{$x := 2}}{{$x}}{{end}}{{$x}}") == "21");
  CHECK(Expanded("{{$x := 1}}{{if true}}{{$x = 2}}{{end}}{{$x}}") == "2");
}

TEST_CASE("templates loop", "[templates]") {
  CHECK(Expanded("{{range $k, $v := .Labels}}{{$k}}={{$v}};{{end}}") ==
        "instance=db1:9100;job=node;path=/a b;");
  CHECK(Expanded("{{range query \"up\"}}{{.Labels.instance}}:{{.Value}} {{end}}") == "b:1 a:0 ");
  CHECK(Expanded("{{range $i, $s := query \"up\"}}{{$i}}{{$s.Labels.instance}}{{end}}") == "0b1a");
  CHECK(Expanded("{{range query \"none\"}}x{{else}}nothing{{end}}") == "nothing");
  CHECK(Expanded("{{range 3}}{{.}}{{end}}") == "012");
  CHECK(Expanded("{{range $i := 5}}{{if eq $i 1}}{{continue}}{{end}}{{if eq $i 3}}{{break}}{{end}}"
                 "{{$i}}{{end}}") == "02");
  CHECK(Expanded("{{$n := 0}}{{range 3}}{{$n = .}}{{end}}{{$n}}") == "2");
}

TEST_CASE("templates define and call templates", "[templates]") {
  CHECK(Expanded("{{define \"x\"}}<{{.}}>{{end}}{{template \"x\" .Labels.job}}") == "<node>");
  CHECK(Expanded("{{template \"x\"}}{{define \"x\"}}[{{.}}]{{end}}") == "[<no value>]");
  CHECK(Expanded("{{block \"b\" $value}}({{.}}){{end}}{{template \"b\" 7}}") == "(1234.5)(7)");
  CHECK(Expanded("{{define \"x\"}}{{.arg0}}-{{.arg1}}{{end}}{{template \"x\" (args 1 \"b\")}}") ==
        "1-b");
}

TEST_CASE("templates pipe", "[templates]") {
  CHECK(Expanded("{{$labels.job | toUpper | printf \"%s-%s\" \"x\"}}") == "x-NODE");
  CHECK(Expanded("{{printf \"%d%%\" (len $labels.job)}}") == "4%");
  CHECK(Expanded("{{\"output\" | printf \"%q\"}}") == "\"output\"");
  CHECK(Expanded("{{(index (query \"up\") 1).Labels.instance}}") == "a");
  // A pointer shows itself to printf alone.
  CHECK(Expanded("{{query \"up\" | first}}") == "{map[instance:b] 1}");
  CHECK(Expanded("{{query \"up\" | first | printf \"%v\"}}") == "&{map[instance:b] 1}");
  CHECK(Expanded("{{query \"up\" | sortByLabel \"instance\" | first | label \"instance\"}}") ==
        "a");
}

TEST_CASE("templates compare and decide as Go does", "[templates]") {
  CHECK(
      Expanded("{{eq 1 2 1}} {{ne 1 2}} {{lt 1 2}} {{le 2 2}} {{gt 1.5 1.0}} {{ge \"b\" \"a\"}}") ==
      "true true true true true true");
  CHECK(Expanded("{{and 1 0 2}} {{and 1 2}} {{or 0 \"\" 3}} {{or 0 \"\"}}|{{not 0}}") ==
        "0 2 3 |true");
  CHECK(Expanded("{{or true (index (query \"none\") 9)}}") == "true");
  CHECK(Expanded("{{eq 1 1.0}}") ==
        "error: error executing template t: template: t:1:2: executing \"t\" at <eq 1 1.0>: error "
        "calling eq: incompatible types for comparison");
}

TEST_CASE("templates index, slice and measure", "[templates]") {
  CHECK(Expanded("{{index $labels \"job\"}}{{index $labels \"none\"}}") == "node");
  CHECK(Expanded("{{slice \"abcdef\" 1 3}} {{slice \"abc\" 1}} {{len \"ñ\"}} {{len $labels}}") ==
        "bc bc 2 3");
  CHECK(Expanded("{{index \"abc\" 1}}") == "98");
  CHECK(Expanded("{{slice \"abc\" 5}}") ==
        "error: error executing template t: template: t:1:2: executing \"t\" at <slice \"abc\" 5>: "
        "error calling slice: index out of range: 5");
}

TEST_CASE("templates escape", "[templates]") {
  CHECK(Expanded("{{html \"<a href='x'>&\\\"\"}}") == "&lt;a href=&#39;x&#39;&gt;&amp;&#34;");
  CHECK(Expanded("{{js \"\\u2028é\\u00a0\"}}") == "\\u2028é\\u00A0");
  CHECK(Expanded("{{js \"<it's>\\n\"}}") == "\\u003Cit\\'s\\u003E\\u000A");
  CHECK(Expanded("{{urlquery $labels.path \"&\"}}") == "%2Fa+b%26");
  CHECK(Expanded("{{print 1 2 \"a\" \"b\" 3}}|{{println \"a\" 1}}") == "1 2ab3|a 1\n");
}

TEST_CASE("template errors have Go's words and places", "[templates]") {
  const std::string parsing = "error: error parsing template t: template: t:";
  CHECK(Expanded("{{if}}x{{end}}") == parsing + "1: missing value for if");
  CHECK(Expanded("{{.X") == parsing + "1: unclosed action");
  CHECK(Expanded("a\n{{nothing 1}}") == parsing + "2: function \"nothing\" not defined");
  CHECK(Expanded("{{$x}}") == parsing + "1: undefined variable \"$x\"");
  CHECK(Expanded("{{define \"d\"}}{{$labels}}{{end}}") ==
        parsing + "1: undefined variable \"$labels\"");
  CHECK(Expanded("{{end}}") == parsing + "1: unexpected {{end}}");
  CHECK(Expanded("{{if true}}x") == parsing + "1: unexpected EOF");
  CHECK(Expanded("{{\"a}}") == parsing + "1: unterminated quoted string");
  CHECK(Expanded("{{break}}") == parsing + "1: {{break}} outside {{range}}");
  CHECK(Expanded("{{1 | 2}}") == parsing + "1: non executable command in pipeline stage 2");
  CHECK(Expanded("{{.A , 1}}") == parsing + "1: unexpected \",\" in operand");
  CHECK(Expanded("{{1x}}") == parsing + "1: bad number syntax: \"1x\"");
  CHECK(Expanded("{{/* a }}") == parsing + "1: unclosed comment");
  CHECK(Expanded("{{(1}}") == parsing + "1: unclosed left paren");

  const std::string executing = "error: error executing template t: template: t:";
  CHECK(Expanded("line\n  {{.Nope}}") ==
        executing +
            "2:4: executing \"t\" at <.Nope>: can't evaluate field Nope in type "
            "template.AlertTemplateData");
  CHECK(Expanded("{{.Labels.job.deeper}}") ==
        executing +
            "1:9: executing \"t\" at <.Labels.job.deeper>: can't evaluate field deeper in "
            "type string");
  CHECK(Expanded("{{query \"bad\"}}") ==
        executing +
            "1:2: executing \"t\" at <query \"bad\">: error calling query: cannot answer bad");
  CHECK(Expanded("{{query \"none\" | first | value}}") ==
        executing +
            "1:17: executing \"t\" at <first>: error calling first: first() called on vector "
            "with no elements");
  CHECK(Expanded("{{toUpper 1}}") ==
        executing + "1:10: executing \"t\" at <1>: expected string; found 1");
  CHECK(Expanded("{{toUpper $value}}") ==
        executing +
            "1:10: executing \"t\" at <$value>: wrong type for value; expected string; got "
            "float64");
  CHECK(Expanded("{{toUpper}}") ==
        executing +
            "1:2: executing \"t\" at <toUpper>: wrong number of args for toUpper: want 1 got "
            "0");
  CHECK(Expanded("{{template \"gone\" .}}") ==
        executing +
            "1:11: executing \"t\" at <{{template \"gone\" .}...>: template \"gone\" not "
            "defined");
  CHECK(Expanded("{{range $value}}x{{end}}") ==
        executing + "1:8: executing \"t\" at <$value>: range can't iterate over 1234.5");
  CHECK(Expanded("{{1 2}}") ==
        executing + "1:2: executing \"t\" at <1>: can't give argument to non-function 1");
  CHECK(Expanded("{{print 1 | len}}{{toLower \"aaaaaaaaaaaaaaaaaaaaaaaa\" \"b\"}}") ==
        executing +
            "1:19: executing \"t\" at <toLower>: wrong number of args for toLower: want 1 "
            "got 2");
}

TEST_CASE("templates that would not end are ended", "[templates]") {
  const auto ends_with = [](const std::string& text, std::string_view end) {
    INFO(text);
    return text.ends_with(end);
  };
  CHECK(ends_with(Expanded("{{define \"x\"}}{{template \"x\"}}{{end}}{{template \"x\"}}"),
                  "exceeded maximum template depth (100)"));
  CHECK(ends_with(Expanded("{{range 1000000000}}{{end}}"), "maximum number of steps (200000)"));
  CHECK(ends_with(Expanded("{{range 100}}{{printf \"%100000d\" 1}}{{end}}"),
                  "exceeded maximum output size (1048576)"));
  CHECK(ends_with(Expanded("{{$x := \"aaaaaaaa\"}}{{range 100}}{{$x = print $x $x}}{{end}}"),
                  "exceeded maximum size of a value"));
  CHECK(ends_with(Expanded(std::string(5000, '(')), std::string(5000, '(')));
  CHECK(ends_with(Expanded("{{" + std::string(5000, '(') + "1"), "nested too deeply"));
}
