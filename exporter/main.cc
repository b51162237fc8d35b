// The command line.

#include <unistd.h>

#include <CLI/CLI.hpp>

#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "exporter/cli/backtest.h"
#include "exporter/cli/baseline.h"
#include "exporter/cli/baselines.h"
#include "exporter/cli/check.h"
#include "exporter/cli/exit.h"
#include "exporter/cli/explain.h"
#include "exporter/cli/mark.h"
#include "exporter/cli/metrics.h"
#include "exporter/cli/notify.h"
#include "exporter/cli/query.h"
#include "exporter/cli/routes.h"
#include "exporter/cli/test_rules.h"
#include "exporter/daemon.h"
#include "exporter/version.h"

namespace {

using namespace vigia;
using namespace vigia::exporter;

constexpr const char* kDescription =
    "vigia, the lookout: watches a web application and its host, answers Prometheus,\n"
    "and tells people.\n";

constexpr const char* kFooter =
    "\nExamples:\n"
    "  vigia serve                              watch this host on http://127.0.0.1:9845\n"
    "  vigia serve --config vigia.yml           with a configuration\n"
    "  vigia check vigia.yml                    what is wrong with it: file:line:column\n"
    "  vigia query 'rate(node_cpu_seconds_total[5m])' --start -1h\n"
    "  curl -s localhost:9845/metrics           what Prometheus sees\n"
    "\nExit codes: 0 fine, 1 error, 2 wrong usage or configuration, 3 findings.\n";

void AddQueryOptions(CLI::App& ask, cli::QueryRequest& query) {
  ask.add_option("EXPR", query.expression, "the PromQL expression")->required();
  auto* url = ask.add_option("--url", query.url,
                             "the server: a vigia, or whatever has Prometheus' API (default "
                             "http://127.0.0.1:9845)")
                  ->type_name("URL");
  ask.add_option("--data", query.data, "a file of OpenMetrics text to ask instead of a server")
      ->type_name("FILE")
      ->excludes(url);
  constexpr const char* kTimes = "TIME";
  ask.add_option("--time", query.time,
                 "when: Unix seconds, RFC 3339, now (default), or how long ago, such as -1h")
      ->type_name(kTimes);
  ask.add_option("--start", query.start, "the begin of a range; times as for --time")
      ->type_name(kTimes);
  ask.add_option("--end", query.end, "its end (default now)")->type_name(kTimes);
  ask.add_option("--step", query.step, "the time between its points (default: about 120 points)")
      ->type_name("DURATION");
  ask.add_option("--format", query.format, "table (default), json or csv")
      ->type_name("FORMAT")
      ->check(CLI::IsMember({"table", "json", "csv"}));
  ask.add_flag("--prometheus2", query.prometheus2, "the language of Prometheus 2.42, for --data");
}

// The options of a baseline, as in vigia.yml; left alone, the same for every series.
void AddDetectorOptions(CLI::App& command, alerting::baseline::Detector::Options& options) {
  using alerting::baseline::Direction;
  using alerting::baseline::Season;
  static const std::map<std::string, Season> kSeasons{{"auto", Season::kAuto},
                                                      {"none", Season::kNone},
                                                      {"daily", Season::kDaily},
                                                      {"weekly", Season::kWeekly}};
  static const std::map<std::string, Direction> kDirections{
      {"up", Direction::kUp}, {"down", Direction::kDown}, {"both", Direction::kBoth}};
  command.add_option("--season", options.season, "auto, none, daily or weekly")
      ->transform(CLI::CheckedTransformer(kSeasons));
  command.add_option("--direction", options.direction, "which change is worse: up, down or both")
      ->transform(CLI::CheckedTransformer(kDirections));
  command
      .add_option("--min-change", options.min_change, "ratio - 1 that is reported (default 0.5)")
      ->check(CLI::Range(0.01, 100.0));
  command.add_option("--lesser-changes", options.lesser_changes,
                     "whether lesser ones are, once they have lasted for hours (default true)");
  command.add_option("--floor", options.floor, "absolute change that is reported at least")
      ->check(CLI::NonNegativeNumber);
  command.add_option("--sensitivity", options.sensitivity, "2: half the band (default 1)")
      ->check(CLI::Range(0.1, 10.0));
}

int Run(int argc, char** argv) {
  CLI::App app(kDescription);
  app.name("vigia");
  app.footer(kFooter);
  app.require_subcommand(1);
  app.set_version_flag("--version", "vigia " + std::string(kVersion));

  Daemon::Options options;
  auto* serve = app.add_subcommand("serve", "Runs the daemon.");
  serve->add_option("--config", options.config, "vigia.yml; without it: this host, defaults")
      ->type_name("FILE");
  serve
      ->add_option(
          "--listen", options.listen,
          "where to listen, instead of the configuration's (default 127.0.0.1:9845; port 0 "
          "picks one; may be repeated)")
      ->type_name("ADDRESS:PORT");
  serve->add_option("--data-dir", options.data_dir, "where state is kept (default ./data)")
      ->type_name("DIR");
  serve->add_option("--log.level", options.log_level, "debug, info, warn or error")
      ->type_name("LEVEL")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}));

  cli::CheckOptions checks;
  auto* check = app.add_subcommand("check", "Tells what is wrong with configuration files.");
  check
      ->add_option("FILE", checks.files,
                   "vigia.yml, web.yml, alertmanager.yml, rule files, unit tests of rules")
      ->required();
  check->add_flag("--live", checks.live, "also name selectors of rules that match no series");
  check->add_option("--url", checks.url, "for --live: a vigia or a Prometheus")
      ->capture_default_str();

  cli::TestRulesOptions tests;
  auto* test = app.add_subcommand("test", "Runs tests.");
  test->require_subcommand(1);
  auto* test_rules = test->add_subcommand("rules", "Unit tests of rules, as promtool has them.");
  test_rules->add_option("FILE", tests.files, "test files")->required();
  test_rules->add_option("--run", tests.run, "only tests whose name this regular expression fits")
      ->type_name("REGEX");
  test_rules->add_option("--junit", tests.junit, "write the results as JUnit XML")
      ->type_name("FILE");
  test_rules->add_flag("--diff", tests.diff, "show failures as differences");
  test_rules->add_flag("--ignore-unknown-fields", tests.ignore_unknown_fields,
                       "accept keys that are not known");
  cli::QueryRequest query;
  auto* ask = app.add_subcommand("query", "Asks a PromQL query.");
  AddQueryOptions(*ask, query);

  cli::BacktestCommand past;
  auto* backtest = app.add_subcommand(
      "backtest", "Which alerts would have fired over the past, and who would have been told.");
  backtest->add_option("RULES", past.files, "rule files or patterns")->required();
  backtest->add_option("--since", past.since, "how far back")->capture_default_str();
  backtest->add_option("--until", past.until, "Unix seconds or RFC 3339 (default now)");
  backtest->add_option("--step", past.step, "least distance of evaluations")->capture_default_str();
  backtest->add_option("--url", past.url, "a vigia or a Prometheus that has the samples")
      ->capture_default_str();
  backtest->add_option("--data-dir", past.data_dir, "of a vigia that is not running, instead")
      ->type_name("DIR");
  backtest
      ->add_option("--config", past.config,
                   "alertmanager.yml or vigia.yml whose routing counts the messages, and whose "
                   "baselines are run (default: all to the log; the bundled baselines)")
      ->type_name("FILE");
  backtest->add_flag("--json", past.json, "print JSON");

  auto* routes = app.add_subcommand("routes", "Who would be told.");
  routes->require_subcommand(1);
  auto* test_routes = routes->add_subcommand("test", "Who would be told of an alert.");
  std::string routes_file;
  std::string routes_expected;
  std::vector<std::string> labels;
  test_routes->add_option("--config", routes_file, "alertmanager.yml or vigia.yml")
      ->type_name("FILE")
      ->required();
  test_routes
      ->add_option("--verify.receivers", routes_expected,
                   "who has to be told, separated by commas; exit code 3 if it is another")
      ->type_name("RECEIVERS");
  test_routes->add_option("LABEL", labels, "the alert's labels: key=value ...");

  std::string url = "http://127.0.0.1:9845";
  std::string alert;
  auto* explain = app.add_subcommand(
      "explain", "Why an alert fires or does not, and why people were told or nobody was.");
  explain->add_option("ALERT", alert, "its name, or matchers such as {host=\"a\"}")->required();
  explain->add_option("--url", url, "where vigia answers")->type_name("URL");

  std::string notification;
  const auto add_resend = [&](CLI::App& parent) {
    auto* command =
        parent.add_subcommand("resend", "Sends notifications that were given up again.");
    command->add_option("ID", notification, "one of them, or all")->required();
    command->add_option("--url", url, "where vigia answers")->type_name("URL");
    return command;
  };
  auto* resend = add_resend(app);

  cli::NotifyOptions notify;
  auto* notifies = app.add_subcommand("notify", "What receivers are sent.");
  notifies->require_subcommand(1);
  auto* test_notify =
      notifies->add_subcommand("test", "Sends a test to a receiver and prints what it answers.");
  auto* render = notifies->add_subcommand("render", "Prints what a receiver would be sent.");
  for (auto* const command : {test_notify, render}) {
    command->add_option("RECEIVER", notify.receiver, "its name")->required();
    command->add_option("LABEL", notify.labels, "labels of the alert: key=value ...");
    command->add_option("--config", notify.config, "alertmanager.yml or vigia.yml")
        ->type_name("FILE")
        ->required();
    command->add_flag("--resolved", notify.resolved, "the alert has ended");
    command
        ->add_option("--from-history", notify.event,
                     "of the event with this number, see /api/vigia/v1/events")
        ->type_name("ID");
    command->add_option("--url", url, "where vigia answers")->type_name("URL");
  }
  auto* resend_too = add_resend(*notifies);

  cli::MarkOptions mark;
  auto* marks =
      app.add_subcommand("mark", "Declares a deploy, or maintenance, to a running vigia.");
  marks->require_subcommand(1);
  auto* deploy =
      marks->add_subcommand("deploy", "A version was deployed: changes near it name it.");
  deploy->add_option("VERSION", mark.version, "such as v1.2.3")->required();
  auto* maintenance =
      marks->add_subcommand("maintenance", "Baselines learn nothing from what happens meanwhile.");
  maintenance->add_option("--for", mark.lasting, "how long, such as 1h30m")->type_name("DURATION");
  maintenance->add_option("--end", mark.end, "instead: until when")->type_name("TIME");
  for (auto* const what : {deploy, maintenance}) {
    what->add_option("--time", mark.time,
                     "when it began, in Unix seconds or RFC 3339 (default now)")
        ->type_name("TIME");
    what->add_option("--text", mark.text, "for people");
    what->add_option("--url", url, "where vigia answers")->type_name("URL");
  }

  auto* baseline = app.add_subcommand("baseline", "What is normal for a series, and what is not.");
  baseline->require_subcommand(1);
  auto* replay = baseline->add_subcommand(
      "replay",
      "Reads timestamp,value lines and says of each row what the daemon would have said.");
  std::string replay_format = "csv";
  alerting::baseline::Detector::Options detector;
  AddDetectorOptions(*replay, detector);
  replay->add_option("--format", replay_format, "csv")->check(CLI::IsMember({"csv"}));

  std::string name;
  std::string matchers;
  auto* show_baseline =
      baseline->add_subcommand("show", "Prints the series of a baseline, or of all of them.");
  show_baseline->add_option("NAME", name, "of the baseline");
  auto* accept = baseline->add_subcommand("accept", "The present level is the normal from now on.");
  auto* undo = baseline->add_subcommand("undo", "Takes the last change of the normal back.");
  auto* reset = baseline->add_subcommand("reset", "Learns series anew.");
  for (auto* const command : {accept, undo, reset}) {
    command->add_option("NAME", name, "of the baseline")->required();
    command->add_option("MATCHERS", matchers, "of series, such as {path=\"/a\"} (default all)");
  }
  for (auto* const command : {show_baseline, accept, undo, reset}) {
    command->add_option("--url", url, "where vigia answers")->type_name("URL");
  }

  cli::BaselineFile states;
  auto* export_baselines = baseline->add_subcommand(
      "export", "Writes what has been learnt of series to a file, to be imported elsewhere.");
  export_baselines->add_option("NAME", states.name, "of the baseline (default all)");
  export_baselines->add_option("MATCHERS", states.matchers, "of series (default all)");
  export_baselines->add_option("-o,--output", states.file, "the file (default stdout)")
      ->type_name("FILE");
  auto* import_baselines = baseline->add_subcommand(
      "import", "Takes over what a file of `export` has, where nothing newer is known.");
  import_baselines->add_option("FILE", states.file, "of `export`; - for stdin")->required();
  import_baselines->add_option("NAME", states.name, "of the baseline (default all)");
  import_baselines->add_option("MATCHERS", states.matchers, "of series (default all)");
  import_baselines->add_flag("--force", states.force,
                             "also where newer values, or another expression, have been learnt");
  import_baselines->add_flag("--check", states.check, "says what it would do, and does nothing");
  for (auto* const command : {export_baselines, import_baselines}) {
    command->add_option("--url", url, "where vigia answers")->type_name("URL");
  }

  auto* metrics = app.add_subcommand("metrics", "Prints every metric that vigia can emit.");
  auto* version = app.add_subcommand("version", "Prints the version.");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitFine : kExitUsage;
  }
  if (*serve) return Daemon::Main(options);
  if (*check) return cli::Check(checks);
  if (*backtest) return cli::RunBacktestCommand(past);
  if (*test_rules) return cli::TestRules(tests);
  if (*ask) return cli::Query(query);
  if (*test_routes) return cli::TestRoutes(routes_file, labels, routes_expected);
  if (*explain) return cli::ExplainAlert(url, alert);
  notify.url = url;
  if (*test_notify) return cli::TestNotification(notify);
  if (*render) return cli::RenderNotification(notify);
  if (*resend || *resend_too) return cli::ResendNotification(url, notification);
  if (*deploy || *maintenance) {
    mark.url = url;
    mark.type = *deploy ? "deploy" : "maintenance";
    return cli::Mark(mark);
  }
  if (*show_baseline) return cli::ShowBaseline(url, name);
  for (const auto* const command : {accept, undo, reset}) {
    if (*command) return cli::DecideBaseline(url, command->get_name(), name, matchers);
  }
  states.url = url;
  if (*export_baselines) return cli::ExportBaselines(states);
  if (*import_baselines) return cli::ImportBaselines(states);
  if (*replay) return cli::ReplayBaseline(detector, STDIN_FILENO, stdout);
  if (*metrics) {
    std::fputs(cli::MetricsPage().c_str(), stdout);
    return kExitFine;
  }
  if (*version) {
    std::printf("vigia %s (revision %s)\n", std::string(kVersion).c_str(),
                std::string(kRevision).c_str());
  }
  return kExitFine;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return Run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "vigia: %s\n", error.what());
    return kExitError;
  }
}
