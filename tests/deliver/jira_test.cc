// Issues of Jira, against a server that keeps one.

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "alerting/deliver/receiver.h"
#include "alerting/deliver/signature.h"
#include "tests/deliver/channels.h"
#include "tests/deliver/groups.h"
#include "tests/support/http_stub.h"

using namespace vigia;
using namespace vigia::alerting;
using namespace vigia::alerting::deliver;
using nlohmann::json;
using test::Group;
using test::MakeReceiver;
using test::Resolved;
using test::Send;
using test::StubAnswer;
using test::StubRequest;
using test::To;
using Kind = Outcome::Kind;

namespace {

// A Jira with one project that has at most one issue.
class JiraStub {
 public:
  JiraStub() {
    stub_.Decide("/x/search", [this](const StubRequest& request) { return Search(request); });
    stub_.Decide("/x/issue", [this](const StubRequest& request) {
      made_ = json::parse(request.body)["fields"];
      key_ = "OPS-7";
      return StubAnswer{.status = 201, .body = R"({"id":"7","key":"OPS-7"})"};
    });
    stub_.Decide("/x/issue/OPS-7", [this](const StubRequest& request) {
      if (request.method == "GET") return StubAnswer{.body = Issue().dump()};
      changed_ = json::parse(request.body);
      return StubAnswer{.status = 204};
    });
    stub_.Decide("/x/issue/OPS-7/transitions", [this](const StubRequest& request) {
      if (request.method == "GET") {
        return StubAnswer{.body = R"({"transitions":[{"id":"31","name":"Done"},
                                                     {"id":"11","name":"Reopen"}]})"};
      }
      done_ = json::parse(request.body)["transition"]["id"] == "31";
      return StubAnswer{.status = 204};
    });
  }

  std::unique_ptr<Receiver> Configured(const std::string& more = {}) {
    return MakeReceiver("jira_configs: [{api_url: '" + stub_.Url("/x") +
                        "', project: OPS, issue_type: Bug, resolve_transition: done, "
                        "reopen_transition: Reopen" +
                        more + "}]");
  }

  const test::HttpStub& stub() const { return stub_; }
  // The fields of the issue as it was made, and the last change.
  json made() const { return made_; }
  json changed() const { return changed_; }
  bool done() const { return done_; }
  std::string query() const { return query_; }
  // Somebody closes it.
  void Close() { done_ = true; }
  // It has not reached the index that searches read.
  void Lag(bool lags) { lags_ = lags; }

 private:
  json Issue() const {
    return {{"key", key_},
            {"fields", {{"status", {{"statusCategory", {{"key", done_ ? "done" : "new"}}}}}}}};
  }

  StubAnswer Search(const StubRequest& request) {
    query_ = json::parse(request.body)["jql"];
    const bool open_alone = query_.find("statusCategory != Done") != query_.npos;
    const bool found = !key_.empty() && !lags_ && !(open_alone && done_);
    return {.body = json{{"issues", found ? json::array({Issue()}) : json::array()}}.dump()};
  }

  std::string key_;
  json made_;
  json changed_;
  bool done_ = false;
  bool lags_ = false;
  std::string query_;
  test::HttpStub stub_;  // last: its thread ends first
};

}  // namespace

TEST_CASE("an issue of Jira is made, changed, resolved and reopened", "[deliver]") {
  JiraStub jira;
  auto receiver = jira.Configured(
      ", labels: [vigia, 'team {{ .Receiver }}'], reopen_duration: 2h30m, wont_fix_resolution: "
      "'Won''t \"Fix\"', fields: {components: [{name: '{{ .CommonLabels.severity }}'}], "
      "customfield_1: 3}");
  auto group = Group(1);
  const auto first = Send(*receiver, group);
  INFO(first.message);
  REQUIRE(first.kind == Kind::kDelivered);
  CHECK(first.handle == "OPS-7");
  // As Alertmanager names a group, so that its issues go on.
  const auto label = "ALERT{" + Hex(Sha256(group.group_key)) + "}";
  auto made = jira.made();
  CHECK(made["labels"] == json({"vigia", "team_team", label}));
  CHECK(made["project"] == json{{"key", "OPS"}});
  CHECK(made["issuetype"] == json{{"name", "Bug"}});
  CHECK(made["summary"] == "[FIRING:1] Down (host0 warning)");
  CHECK(made["priority"] == json{{"name", "Medium"}});
  CHECK(made["components"] == json::parse(R"([{"name":"warning"}])"));
  CHECK(made["customfield_1"] == 3);
  CHECK(made["description"].get<std::string>().find("host0 is down") != std::string::npos);
  CHECK(jira.query() ==
        "(resolution is EMPTY or resolution != \"Won't \\\"Fix\\\"\") and (resolutiondate is EMPTY "
        "or resolutiondate >= -150m) and project = \"OPS\" and labels = \"" +
            label + "\" order by status ASC, resolutiondate DESC");

  // Told again: searches may lag behind, the key does not.
  jira.Lag(true);
  group.handle = first.handle;
  REQUIRE(Send(*receiver, group).handle == "OPS-7");
  jira.Lag(false);
  CHECK(To(jira.stub(), "/x/issue").size() == 1);
  CHECK_FALSE(jira.changed()["fields"].contains("labels"));  // people's labels stay
  CHECK(jira.changed()["update"]["labels"][0] == json{{"add", "vigia"}});
  CHECK_FALSE(jira.done());

  auto over = Resolved();
  over.handle = first.handle;
  const auto end = Send(*receiver, over);
  REQUIRE(end.kind == Kind::kDelivered);
  CHECK(end.handle.empty());
  CHECK(jira.done());
  CHECK(jira.changed()["fields"]["summary"] == "[RESOLVED] Down (host0 warning)");

  group.handle.clear();
  REQUIRE(Send(*receiver, group).kind == Kind::kDelivered);
  CHECK_FALSE(jira.done());
  CHECK(To(jira.stub(), "/x/issue").size() == 1);
}

TEST_CASE("an end without an issue makes none, and a closed issue stays closed", "[deliver]") {
  JiraStub jira;
  auto receiver = jira.Configured();
  CHECK(Send(*receiver, Resolved()).message == "there is no open issue");
  CHECK(To(jira.stub(), "/x/issue").empty());
  REQUIRE(Send(*receiver, Group(1)).kind == Kind::kDelivered);
  jira.Close();
  auto over = Resolved();
  over.handle = "OPS-7";
  CHECK(Send(*receiver, over).message == "there is no open issue");
  CHECK(To(jira.stub(), "/x/issue/OPS-7/transitions").empty());
}

TEST_CASE("texts of an issue that people change are left alone where it is asked for",
          "[deliver]") {
  JiraStub jira;
  auto receiver = jira.Configured(
      ", summary: {template: 'a {{ .Status }}', enable_update: false}, description: {template: d}");
  REQUIRE(Send(*receiver, Group(1)).kind == Kind::kDelivered);
  CHECK(jira.made()["summary"] == "a firing");
  REQUIRE(Send(*receiver, Group(1)).kind == Kind::kDelivered);
  CHECK_FALSE(jira.changed()["fields"].contains("summary"));
  CHECK(jira.changed()["fields"]["description"] == "d");
}

TEST_CASE("a transition that an issue has not is named with those it has", "[deliver]") {
  JiraStub jira;
  auto receiver = MakeReceiver("jira_configs: [{api_url: '" + jira.stub().Url("/x") +
                               "', project: OPS, issue_type: Bug, resolve_transition: Close}]");
  REQUIRE(Send(*receiver, Group(1)).kind == Kind::kDelivered);
  const auto outcome = Send(*receiver, Resolved());
  CHECK(outcome.kind == Kind::kRejected);
  CHECK(outcome.message == "OPS-7 has no transition 'Close' now, but Done, Reopen");
}

TEST_CASE("version 3 of Jira's API gets documents", "[deliver]") {
  const auto made = [](const std::string& description) {
    test::HttpStub stub;
    stub.Answer("/rest/api/3/search/jql", {.body = R"({"issues":[]})"});
    stub.Answer("/rest/api/3/issue", {.status = 201, .body = R"({"key":"A-1"})"});
    auto receiver = MakeReceiver("jira_configs: [{api_url: '" + stub.Url("/rest/api/3/") +
                                 "', api_type: cloud, project: A, issue_type: Bug, description: '" +
                                 description + "'}]");
    REQUIRE(Send(*receiver, Group(1)).kind == Kind::kDelivered);
    return json::parse(stub.requests().back().body)["fields"]["description"];
  };
  CHECK(made("{{ .Status }}{{ \"\\n\" }}now") ==
        json::parse(R"({"type":"doc","version":1,"content":[{"type":"paragraph","content":[
                        {"type":"text","text":"firing"},{"type":"hardBreak"},
                        {"type":"text","text":"now"}]}]})"));
  CHECK(made(R"({"type":"doc","version":1,"content":[]})") ==
        json::parse(R"({"type":"doc","version":1,"content":[]})"));
}

TEST_CASE("Jira Cloud's search has a path of its own", "[deliver]") {
  test::HttpStub stub;
  stub.Answer("/rest/api/3/search/jql", {.body = R"({"issues":[{"key":"A-1"}]})"});
  stub.Answer("/rest/api/2/issue/A-1", {.status = 204});
  auto receiver = MakeReceiver("jira_configs: [{api_url: '" + stub.Url("/rest/api/2") +
                               "', api_type: cloud, project: A, issue_type: Bug}]");
  CHECK(Send(*receiver, Group(1)).handle == "A-1");
}
