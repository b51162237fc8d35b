// vigia as an Alertmanager: amtool and Prometheus talk to it, and it tells people.

#include <signal.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/e2e/vigia.h"
#include "tests/support/http_stub.h"

using namespace vigia::test;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

const std::string kConfig = R"(
rules: []
alerting:
  route:
    receiver: team
    group_by: [alertname]
    group_wait: 0s
    group_interval: 1s
    routes:
    - { matchers: [ severity="page" ], receiver: pager }
  inhibit_rules:
  - { source_matchers: [ severity="page" ], target_matchers: [ severity="warning" ], equal: [host] }
  receivers:
  - { name: team, log_configs: [ {} ] }
  - { name: pager, log_configs: [ {} ] }
)";

Finished Amtool(const Vigia& vigia, std::vector<std::string> arguments) {
  std::vector<std::string> argv{
      "amtool", "--alertmanager.url=http://127.0.0.1:" + std::to_string(vigia.port())};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return RunProgram(argv);
}

bool Available(const std::string& program) {
  if (HasProgram(program)) return true;
  WARN("skipped: " + program + " is not installed");
  return false;
}

json GetJson(const Vigia& vigia, const std::string& path) {
  return json::parse(vigia.Get(path).body, nullptr, false);
}

// Asks until `done` says so, for at most 30 s.
template <typename Done>
bool Await(Done&& done) {
  for (int i = 0; i < 300; ++i) {
    if (done()) return true;
    std::this_thread::sleep_for(100ms);
  }
  return false;
}

HttpAnswer Post(const Vigia& vigia, const std::string& path, const std::string& body) {
  return Ask(vigia.port(), {.method = "POST",
                            .path = path,
                            .headers = {{"Content-Type", "application/json"}},
                            .body = body});
}

std::size_t Count(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
  return count;
}

}  // namespace

TEST_CASE("amtool works against vigia", "[e2e]") {
  if (!Available("amtool")) return;
  Vigia vigia({.config = kConfig});
  REQUIRE(Amtool(vigia, {"alert", "add", "alertname=Down", "severity=page", "host=a",
                         "--annotation=summary=gone"})
              .exit_code == 0);
  REQUIRE(
      Amtool(vigia, {"alert", "add", "alertname=Slow", "severity=warning", "host=a"}).exit_code ==
      0);
  REQUIRE(
      Amtool(vigia, {"alert", "add", "alertname=Slow", "severity=warning", "host=b"}).exit_code ==
      0);

  auto query = Amtool(vigia, {"alert", "query", "-o", "extended"});
  CHECK(query.output.find(R"(alertname="Down" host="a" severity="page")") != std::string::npos);
  CHECK(query.output.find(R"(host="b")") != std::string::npos);
  CHECK(query.output.find("gone") != std::string::npos);
  query = Amtool(vigia, {"alert", "query", "--inhibited", "-o", "extended"});
  CHECK(query.output.find(R"(alertname="Slow" host="a")") != std::string::npos);

  auto silence = Amtool(vigia, {"silence", "add", "alertname=Slow", "host=b", "-c", "known", "-a",
                                "ann", "-d", "1h"});
  REQUIRE(silence.exit_code == 0);
  const auto id = silence.output.substr(0, silence.output.find('\n'));
  CHECK(Amtool(vigia, {"silence", "query"}).output.find(id) != std::string::npos);
  CHECK(Amtool(vigia, {"alert", "query", "--silenced", "-o", "extended"})
            .output.find(R"(host="b")") != std::string::npos);
  CHECK(Amtool(vigia, {"silence", "update", "-d", "2h", id}).exit_code == 0);
  REQUIRE(Amtool(vigia, {"silence", "expire", id}).exit_code == 0);
  CHECK(Amtool(vigia, {"silence", "query"}).output.find(id) == std::string::npos);
  CHECK(Amtool(vigia, {"silence", "query", "--expired"}).output.find(id) != std::string::npos);

  const auto routes = Amtool(vigia, {"config", "routes", "test", "severity=page"});
  CHECK(routes.output == "pager\n");
  CHECK(Amtool(vigia, {"config", "routes", "show"}).output.find("receiver: pager") !=
        std::string::npos);
  CHECK(Amtool(vigia, {"cluster", "show"}).exit_code == 0);
}

TEST_CASE("the API of alerts and silences has Alertmanager's shapes and faults", "[e2e]") {
  Vigia vigia({.config = kConfig});
  CHECK(Post(vigia, "/api/v2/alerts", R"([{"labels":{"alertname":"A"}},{"labels":{}}])").status ==
        400);
  CHECK(Post(vigia, "/api/v2/alerts", "{").status == 400);
  const auto alerts = GetJson(vigia, "/api/v2/alerts?filter=alertname%3DA");
  REQUIRE(alerts.size() == 1);
  for (const auto* key : {"annotations", "endsAt", "fingerprint", "receivers", "startsAt", "status",
                          "updatedAt", "generatorURL", "labels"}) {
    CHECK(alerts[0].contains(key));
  }
  CHECK(alerts[0]["fingerprint"].get<std::string>().size() == 16);
  CHECK(alerts[0]["receivers"][0]["name"] == "team");
  CHECK(alerts[0]["status"]["state"] == "active");
  CHECK(GetJson(vigia, "/api/v2/alerts?filter=alertname%3DB").empty());
  CHECK(GetJson(vigia, "/api/v2/alerts?receiver=pag.*").empty());
  CHECK(GetJson(vigia, "/api/v2/alerts?active=false").empty());
  CHECK(vigia.Get("/api/v2/alerts?filter=nonsense").status == 400);
  const auto groups = GetJson(vigia, "/api/v2/alerts/groups");
  REQUIRE(groups.size() == 1);
  CHECK(groups[0]["labels"]["alertname"] == "A");
  CHECK(groups[0]["receiver"]["name"] == "team");
  CHECK(groups[0]["alerts"].size() == 1);
  CHECK(GetJson(vigia, "/api/v2/receivers").size() == 2);
  CHECK(GetJson(vigia, "/api/v2/status")["cluster"]["status"] == "disabled");
  CHECK(vigia.Get("/api/v2/silence/nothing").status == 404);
  CHECK(Post(vigia, "/api/v2/silences", R"({"matchers":[]})").status == 400);
  CHECK(Post(vigia, "/api/v2/silences",
             R"({"matchers":[{"name":"a","value":".*","isRegex":true}],"createdBy":"a",)"
             R"("comment":"c","startsAt":"2030-01-01T00:00:00Z","endsAt":"2030-01-02T00:00:00Z"})")
            .body.find("must not match the empty string") != std::string::npos);
  // What is meant by leaving out is no mistake, nor is it one for Alertmanager.
  for (const std::string pattern : {R"("page","isRegex":false)", R"("a|b","isRegex":true)"}) {
    CHECK(Post(vigia, "/api/v2/silences",
               R"({"matchers":[{"name":"a","isEqual":false,"value":)" + pattern +
                   R"(}],"createdBy":"a","comment":"c",)"
                   R"("startsAt":"2030-01-01T00:00:00Z","endsAt":"2030-01-02T00:00:00Z"})")
              .status == 200);
  }
}

TEST_CASE("alerts that are posted are read as Alertmanager reads them", "[e2e]") {
  Vigia vigia({.config = kConfig});
  const auto post = [&](const std::string& fields) {
    return Post(vigia, "/api/v2/alerts", "[{" + fields + "}]");
  };
  // Times that programs write, and what is absent.
  const std::map<std::string, std::string> times{
      {"2090-01-02T09:00:00.5", "2090-01-02T09:00:00.500Z"},
      {"2090-01-02T09:00", "2090-01-02T09:00:00.000Z"},
      {"2090-01-02T09:00Z", "2090-01-02T09:00:00.000Z"},
      {"2090-01-02T09:00:00+02:00", "2090-01-02T07:00:00.000Z"},
      {"2090-01-02T09:00:00+0200", "2090-01-02T07:00:00.000Z"},
      {"2090-01-02T09:00:00.250-0130", "2090-01-02T10:30:00.250Z"},
      {"2090-01-02 09:00:07", "2090-01-02T09:00:07.000Z"},
  };
  int number = 0;
  for (const auto& [given, read] : times) {
    INFO(given);
    const auto name = "T" + std::to_string(++number);
    REQUIRE(post(R"("labels":{"alertname":")" + name + R"("},"endsAt":")" + given + "\"").status ==
            200);
    CHECK(GetJson(vigia, "/api/v2/alerts?filter=alertname%3D" + name).at(0)["endsAt"] == read);
  }
  CHECK(post(R"("labels":{"alertname":"B","x":null},"startsAt":null,"endsAt":"")").status == 200);
  CHECK(post(R"("labels":{"alertname":"C"},"endsAt":"0001-01-01T00:00:00Z")").status == 200);
  CHECK(post(R"("labels":{"alertname":"E"},"endsAt":"1970-01-01T00:00:00Z")").status == 200);
  const auto count = GetJson(vigia, "/api/v2/alerts").size();
  CHECK(count == times.size() + 3);
  // What would be another alert than the sender means.
  const std::map<std::string, std::string> faults{
      {R"("labels":{"alertname":"D","x":5})", R"(labels: the value of \"x\" is not a string)"},
      {R"("labels":{"alertname":"D"},"annotations":{"x":true})", "annotations: the value of"},
      {R"("labels":["alertname"])", "labels is not an object"},
      {R"("labels":{"alertname":"D"},"startsAt":"yesterday")", "startsAt is not a time"},
      {R"("labels":{"alertname":"D"},"endsAt":17)", "endsAt is not a time"},
      {R"("labels":{"alertname":"D"},"endsAt":"2090-01-02 09:00")", "endsAt is not a time"},
      {R"("labels":{})", "at least one label pair required"},
  };
  for (const auto& [fields, fault] : faults) {
    const auto answer = post(fields);
    INFO(fields << "\n" << answer.body);
    CHECK(answer.status == 400);
    CHECK(answer.body.find(fault) != answer.body.npos);
  }
  CHECK(GetJson(vigia, "/api/v2/alerts").size() == count);
}

TEST_CASE("silences are found by just their matchers", "[e2e]") {
  Vigia vigia({.config = kConfig});
  REQUIRE(Post(vigia, "/api/v2/silences",
               R"({"matchers":[{"name":"host","value":"a|b","isRegex":true},)"
               R"({"name":"alertname","value":"A","isRegex":false}],"createdBy":"a","comment":"c",)"
               R"("startsAt":"2030-01-01T00:00:00Z","endsAt":"2030-01-02T00:00:00Z"})")
              .status == 200);
  const auto found = [&](const std::string& filter) {
    return GetJson(vigia, "/api/v2/silences?filter=" + filter).size();
  };
  CHECK(found("host%3D~%22a%7Cb%22") == 1);
  CHECK(found("host%3D~%22a%7Cb%22&filter=alertname%3DA") == 1);
  CHECK(found("host%3D~%22a.*%22") == 0);
  CHECK(found("alertname%3D~%22A%22") == 0);
  CHECK(found("other!%3D%22A%22") == 0);
  // In the order in which they were given.
  CHECK(GetJson(vigia, "/api/v2/silences").at(0)["matchers"][0]["name"] == "host");
}

TEST_CASE("a Prometheus sends its alerts to vigia", "[e2e]") {
  if (!Available("prometheus")) return;
  Vigia vigia({.config = kConfig});
  const TempDir dir;
  dir.Write("rules.yml",
            "groups:\n- name: g\n  rules:\n  - { alert: Always, expr: vector(1), labels: "
            "{severity: page}, annotations: {summary: it fires} }\n");
  dir.Write("prometheus.yml",
            "global: { evaluation_interval: 1s }\nrule_files: [ rules.yml ]\nalerting:\n"
            "  alertmanagers:\n  - static_configs: [ { targets: [ '127.0.0.1:" +
                std::to_string(vigia.port()) + "' ] } ]\n");
  Process prometheus({"prometheus", "--config.file=" + (dir.path() / "prometheus.yml").string(),
                      "--storage.tsdb.path=" + (dir.path() / "data").string(),
                      "--rules.alert.resend-delay=1s",
                      "--web.listen-address=127.0.0.1:" + std::to_string(FreePort())});
  REQUIRE(Await([&] { return !GetJson(vigia, "/api/v2/alerts").empty(); }));
  const auto alert = GetJson(vigia, "/api/v2/alerts")[0];
  CHECK(alert["labels"]["alertname"] == "Always");
  CHECK(alert["annotations"]["summary"] == "it fires");
  CHECK(alert["receivers"][0]["name"] == "pager");
  REQUIRE(vigia.process().AwaitOutput("alert=Always"));
}

TEST_CASE("an acknowledgement is shown, and explain and the events tell the story", "[e2e]") {
  Vigia vigia({.config = kConfig});
  const auto answer =
      Post(vigia, "/api/v2/alerts", R"([{"labels":{"alertname":"A","severity":"page"}}])");
  REQUIRE(answer.status == 200);
  REQUIRE(vigia.process().AwaitOutput("alert=A"));
  CHECK(Post(vigia, "/api/vigia/v1/alerts/ack", R"({"alert":"Nothing","who":"ann"})").status ==
        404);
  CHECK(Post(vigia, "/api/vigia/v1/alerts/ack", R"({"alert":"A"})").status == 400);
  REQUIRE(Post(vigia, "/api/vigia/v1/alerts/ack",
               R"({"alert":"A","who":"ann","until":"2h","comment":"on it"})")
              .status == 200);
  CHECK(GetJson(vigia, "/api/v2/alerts")[0]["acknowledged"]["by"] == "ann");

  REQUIRE(Await([&] {
    return vigia.Get("/api/vigia/v1/events?type=notification.sent").body.find("pager") !=
           std::string::npos;
  }));
  const auto explained = GetJson(vigia, "/api/vigia/v1/explain?alert=A")["alerts"];
  REQUIRE(explained.size() == 1);
  const auto& route = explained[0]["routes"][0];
  CHECK(route["receiver"] == "pager");
  CHECK(route["held_back"] == "");
  CHECK(route["notifications"][0]["told_firing"] == true);
  CHECK(explained[0]["acknowledged"]["comment"] == "on it");
  const auto text = RunProgram({VigiaProgram(), "explain", "A", "--url",
                                "http://127.0.0.1:" + std::to_string(vigia.port())});
  CHECK(text.exit_code == 0);
  CHECK(text.output.find("acknowledged by ann: on it") != std::string::npos);
  CHECK(text.output.find("log: told that it fires") != std::string::npos);
  CHECK(RunProgram({VigiaProgram(), "explain", "B", "--url",
                    "http://127.0.0.1:" + std::to_string(vigia.port())})
            .exit_code == 3);
}

TEST_CASE("explain says since when an alert is resolved, and that its end was told", "[e2e]") {
  Vigia vigia({.config = kConfig});
  const std::string labels = R"("labels":{"alertname":"A","severity":"page"})";
  const auto post = [&](const std::string& times) {
    REQUIRE(Post(vigia, "/api/v2/alerts", "[{" + labels + times + "}]").status == 200);
  };
  const auto told = [&](std::string_view reason) {
    return Await([&] {
      return vigia.Get("/api/vigia/v1/events?type=notification.queued").body.find(reason) !=
             std::string::npos;
    });
  };
  post(R"(,"startsAt":"2026-01-01T00:00:00Z")");
  REQUIRE(told("first notification"));
  post(R"(,"startsAt":"2026-01-01T00:00:00Z","endsAt":"2026-01-02T00:00:00Z")");
  REQUIRE(told("all alerts resolved"));
  const auto text = RunProgram({VigiaProgram(), "explain", "A", "--url",
                                "http://127.0.0.1:" + std::to_string(vigia.port())})
                        .output;
  INFO(text);
  CHECK(text.find("is resolved since 2026-01-02T00:00:00.000Z") != std::string::npos);
  CHECK(text.find("log: nothing left to tell, last told at ") != std::string::npos);
}

TEST_CASE("kill -9 loses no silence and no acknowledgement, and nothing is told twice", "[e2e]") {
  Vigia vigia({.config = kConfig});
  REQUIRE(Post(vigia, "/api/v2/alerts",
               R"([{"labels":{"alertname":"A","severity":"page","host":"a"}},)"
               R"({"labels":{"alertname":"W","severity":"warning","host":"a"}}])")
              .status == 200);
  REQUIRE(vigia.process().AwaitOutput("alert=A"));
  REQUIRE(
      Post(vigia, "/api/v2/silences",
           R"({"matchers":[{"name":"alertname","value":"S","isRegex":false}],"createdBy":"a",)"
           R"("comment":"c","startsAt":"2026-01-01T00:00:00Z","endsAt":"2099-01-02T00:00:00Z"})")
          .status == 200);
  REQUIRE(Post(vigia, "/api/vigia/v1/alerts/ack", R"({"alert":"A","who":"ann"})").status == 200);
  REQUIRE(Await([&] {
    return vigia.Get("/api/vigia/v1/events?type=notification.sent").body.find("pager") !=
           std::string::npos;
  }));
  vigia.process().Signal(SIGKILL);
  vigia.process().Wait();

  const int port = FreePort();
  Process again({VigiaProgram(), "serve", "--config", vigia.dir().path() / "vigia.yml", "--listen",
                 "127.0.0.1:" + std::to_string(port), "--data-dir", vigia.dir().path() / "data"});
  REQUIRE(again.AwaitOutput("msg=ready"));
  const auto alerts = json::parse(Get(port, "/api/v2/alerts").body);
  REQUIRE(alerts.size() == 2);
  CHECK(json::parse(Get(port, "/api/v2/silences").body)[0]["status"]["state"] == "active");
  CHECK(Get(port, "/api/v2/alerts?filter=alertname%3DA").body.find("\"by\":\"ann\"") !=
        std::string::npos);
  REQUIRE(
      Ask(port,
          {.method = "POST", .path = "/api/v2/alerts", .body = R"([{"labels":{"alertname":"B"}}])"})
          .status == 200);
  REQUIRE(again.AwaitOutput("alert=B"));
  CHECK(Count(again.Output(), "alert=A") == 0);
  CHECK(Count(again.Output(), "alert=W") == 0);  // inhibited by A, also at the start
}

TEST_CASE("vigia routes test and vigia check read alertmanager.yml", "[e2e]") {
  const TempDir dir;
  dir.Write("am.yml",
            "route:\n  receiver: team\n  routes:\n  - { match: {severity: page}, receiver: pager, "
            "continue: true }\n  - { match: {team: db}, receiver: db }\n"
            "receivers: [ { name: team }, { name: pager }, { name: db } ]\n");
  const std::string file = dir.path() / "am.yml";
  const auto both = RunProgram({VigiaProgram(), "routes", "test", "--config", file,
                                "--verify.receivers", "pager,db", "severity=page", "team=db"});
  CHECK(both.exit_code == 0);
  CHECK(both.output.find("pager\n  route: {}/{severity=\"page\"}") == 0);
  CHECK(RunProgram({VigiaProgram(), "routes", "test", "--config", file, "--verify.receivers",
                    "pager", "severity=info"})
            .exit_code == 3);
  CHECK(RunProgram({VigiaProgram(), "check", file}).output == file + ": ok\n");
  dir.Write("am.yml", "route: { receiver: x, group_wiat: 1s }\nreceivers: [ { name: y } ]\n");
  const auto wrong = RunProgram({VigiaProgram(), "check", file});
  CHECK(wrong.exit_code == 1);
  CHECK(wrong.output.find(file + ":1:23: unknown key 'group_wiat' in route, did you mean "
                                 "'group_wait'?") != std::string::npos);
  CHECK(wrong.output.find("the receiver 'x' does not exist") != std::string::npos);
}

TEST_CASE("vigia notify shows and tries a receiver", "[e2e]") {
  HttpStub chat;
  chat.Answer("/hook", {});
  const TempDir dir;
  dir.Write("am.yml",
            "route: { receiver: team }\nreceivers: [ { name: team, webhook_configs: [ { url: '" +
                chat.Url("/hook") + "' } ] } ]\n");
  const std::string file = dir.path() / "am.yml";
  const auto shown =
      RunProgram({VigiaProgram(), "notify", "render", "team", "--config", file, "host=a"});
  CHECK(shown.exit_code == 0);
  CHECK(shown.output.find("\"host\":\"a\"") != std::string::npos);
  CHECK(shown.output.find("/hook") == std::string::npos);  // a URL may be a secret
  CHECK(chat.requests().empty());
  const auto sent = RunProgram({VigiaProgram(), "notify", "test", "team", "--config", file});
  CHECK(sent.exit_code == 0);
  CHECK(sent.output == "webhook: delivered, status 200\n");
  REQUIRE(chat.requests().size() == 1);
  chat.Answer("/hook", {.status = 400, .body = "no"});
  const auto refused = RunProgram({VigiaProgram(), "notify", "test", "team", "--config", file});
  CHECK(refused.exit_code == 3);
  CHECK(refused.output == "webhook: rejected: status 400: no\n");
  CHECK(RunProgram({VigiaProgram(), "notify", "test", "nobody", "--config", file}).exit_code == 2);
}

TEST_CASE("nothing is lost in a run of kill -9", "[e2e]") {
  if (!Available("python3")) return;
  const auto run = RunProgram({"python3", std::string(VIGIA_SOURCE_DIR) + "/scripts/crash_run",
                               "--vigia", VigiaProgram(), "--kills", "15", "--seed", "7"});
  INFO(run.output);
  CHECK(run.exit_code == 0);
}
