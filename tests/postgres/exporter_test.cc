// The real postgres_exporter beside vigia, on one server: same names, types, labels and values.

#include <catch2/catch.hpp>
#include <cmath>
#include <iostream>
#include <regex>
#include <set>
#include <sstream>

#include "core/number.h"
#include "core/sample.h"
#include "tests/postgres/reader.h"
#include "tests/support/postgres_server.h"
#include "tests/support/process.h"

using namespace vigia;
using namespace vigia::test;

namespace {

struct Page {
  std::map<std::string, std::string> types;  // by family
  std::map<std::string, double> samples;     // by series, labels sorted, without `server`
};

// Reads what postgres_exporter writes: no escapes in the values that occur here.
Page ParsePage(const std::string& text) {
  static const std::regex kLabel("([a-z_]+)=\"([^\"]*)\"");
  Page page;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string hash, what, name, type;
    if (line.starts_with("# TYPE ")) {
      words >> hash >> what >> name >> type;
      page.types[name] = type;
    }
    if (line.empty() || line[0] == '#') continue;
    const auto blank = line.rfind(' ');
    const auto brace = line.find('{');
    std::string series = line.substr(0, std::min(brace, blank));
    std::map<std::string, std::string> labels;
    if (brace != line.npos) {
      const std::string inside = line.substr(brace, blank - brace);
      for (std::sregex_iterator at(inside.begin(), inside.end(), kLabel), end; at != end; ++at) {
        if ((*at)[1] != "server" && (*at)[2] != "") labels[(*at)[1]] = (*at)[2];
      }
    }
    std::string list;
    for (const auto& [key, value] : labels) {
      list += (list.empty() ? "" : ",") + key + "=\"" + value + "\"";
    }
    if (!list.empty()) series += "{" + list + "}";
    page.samples[series] = ParseDouble(line.substr(blank + 1)).value_or(kNaN);
  }
  return page;
}

// Starts the exporter on some free port and fetches its page.
Page ExporterPage(const std::string& dsn, const std::string& queries) {
  TempDir folder;
  folder.Write("queries.yaml", queries);
  for (int port = 39187; port < 39287; port += 7) {
    Process exporter(
        {"prometheus-postgres-exporter", "--web.listen-address=127.0.0.1:" + std::to_string(port),
         "--extend.query-path=" + (folder.path() / "queries.yaml").string()},
        {{"DATA_SOURCE_NAME", dsn}});
    // Its log differs by version, so it is asked until it answers or has ended (port taken).
    for (int i = 0; i < 200 && !exporter.Wait(std::chrono::milliseconds(50)); ++i) {
      const auto answer =
          RunProgram({"curl", "-s", "http://127.0.0.1:" + std::to_string(port) + "/metrics"});
      if (answer.output.find("\npg_up 1\n") != std::string::npos) return ParsePage(answer.output);
    }
  }
  throw std::runtime_error("postgres_exporter does not answer");
}

// Two of the packaged example queries, those of the tables, written anew.
constexpr const char* kQueries = R"(
pg_stat_user_tables:
  query: "SELECT current_database() datname, schemaname, relname, seq_scan, seq_tup_read, idx_scan, idx_tup_fetch, n_tup_ins, n_tup_upd, n_tup_del, n_tup_hot_upd, n_live_tup, n_dead_tup, n_mod_since_analyze, vacuum_count, autovacuum_count, analyze_count, autoanalyze_count, COALESCE(last_analyze, '1970-01-01Z') last_analyze FROM pg_stat_user_tables"
  metrics:
    - datname: { usage: "LABEL", description: "d" }
    - schemaname: { usage: "LABEL", description: "d" }
    - relname: { usage: "LABEL", description: "d" }
    - seq_scan: { usage: "COUNTER", description: "d" }
    - seq_tup_read: { usage: "COUNTER", description: "d" }
    - idx_scan: { usage: "COUNTER", description: "d" }
    - idx_tup_fetch: { usage: "COUNTER", description: "d" }
    - n_tup_ins: { usage: "COUNTER", description: "d" }
    - n_tup_upd: { usage: "COUNTER", description: "d" }
    - n_tup_del: { usage: "COUNTER", description: "d" }
    - n_tup_hot_upd: { usage: "COUNTER", description: "d" }
    - n_live_tup: { usage: "GAUGE", description: "d" }
    - n_dead_tup: { usage: "GAUGE", description: "d" }
    - n_mod_since_analyze: { usage: "GAUGE", description: "d" }
    - vacuum_count: { usage: "COUNTER", description: "d" }
    - autovacuum_count: { usage: "COUNTER", description: "d" }
    - analyze_count: { usage: "COUNTER", description: "d" }
    - autoanalyze_count: { usage: "COUNTER", description: "d" }
    - last_analyze: { usage: "GAUGE", description: "d" }
pg_statio_user_tables:
  query: "SELECT current_database() datname, schemaname, relname, heap_blks_read, heap_blks_hit, idx_blks_read, idx_blks_hit, toast_blks_read, toast_blks_hit, tidx_blks_read, tidx_blks_hit FROM pg_statio_user_tables"
  metrics:
    - datname: { usage: "LABEL", description: "d" }
    - schemaname: { usage: "LABEL", description: "d" }
    - relname: { usage: "LABEL", description: "d" }
    - heap_blks_read: { usage: "COUNTER", description: "d" }
    - heap_blks_hit: { usage: "COUNTER", description: "d" }
    - idx_blks_read: { usage: "COUNTER", description: "d" }
    - idx_blks_hit: { usage: "COUNTER", description: "d" }
    - toast_blks_read: { usage: "COUNTER", description: "d" }
    - toast_blks_hit: { usage: "COUNTER", description: "d" }
    - tidx_blks_read: { usage: "COUNTER", description: "d" }
    - tidx_blks_hit: { usage: "COUNTER", description: "d" }
)";

// What each of the two reports of itself, or what moves between two readings.
bool Own(const std::string& series) {
  static const std::regex kOwn(
      "^(go_|process_|promhttp_|postgres_exporter_|pg_exporter_|pg_scrape_collector_).*");
  return std::regex_match(series, kOwn);
}
bool Moves(const std::string& series) {
  static const std::regex kMoves(
      "^(pg_stat_activity_|pg_stat_database_|pg_locks_count|pg_stat_bgwriter_|"
      "pg_settings_extra_float_digits).*");
  return std::regex_match(series, kMoves);
}

}  // namespace

TEST_CASE("vigia reports what postgres_exporter reports", "[postgres]") {
  if (!PostgresServer::Installed()) return;
  if (!HasProgram("prometheus-postgres-exporter") || !HasProgram("curl")) {
    std::cerr << "*** SKIPPED: no prometheus-postgres-exporter or no curl in PATH\n";
    return;
  }
  PostgresServer server({"autovacuum = off"});
  for (int i = 0; i < 5; ++i) {
    const std::string t = "t" + std::to_string(i);
    server.Sql("CREATE TABLE " + t + " (id int PRIMARY KEY, big text); CREATE INDEX ON " + t +
               " (big); INSERT INTO " + t + " SELECT i, repeat(md5(i::text), " +
               std::to_string(1 + 200 * i) + ") FROM generate_series(1, 50) i; DELETE FROM " + t +
               " WHERE id = 1; ANALYZE " + t);
  }
  server.Sql("CREATE TABLE bare (id int)");
  server.Sql("CREATE MATERIALIZED VIEW seen AS SELECT * FROM t1");
  server.Sql(
      "CREATE TABLE parts (id int) PARTITION BY RANGE (id);"
      "CREATE TABLE part1 PARTITION OF parts FOR VALUES FROM (0) TO (10)");
  server.AwaitSql("SELECT sum(n_tup_del) FROM pg_stat_user_tables", "5\n");

  const auto page = ExporterPage(
      "user=postgres dbname=postgres sslmode=disable host=" + server.socket_dir().string(),
      kQueries);
  Reader reader("dsn: '" + server.dsn() + "'");
  REQUIRE(reader.Read());

  {
    INFO("names and types");
    std::size_t families = 0;
    std::set<std::string> missing;
    for (const auto& [name, type] : page.types) {
      if (Own(name)) continue;
      ++families;
      const auto at = reader.types().find(name);
      if (at == reader.types().end() || TypeNameInText(at->second) != type) missing.insert(name);
    }
    REQUIRE(families > 300);
    // NULL in PostgreSQL, which the exporter reports as NaN: nothing archived yet, no checksums,
    // statistics never reset.
    REQUIRE(missing == std::set<std::string>{"pg_stat_archiver_last_archive_age",
                                             "pg_stat_database_checksum_failures",
                                             "pg_stat_database_checksum_last_failure",
                                             "pg_stat_database_stats_reset"});
  }
  {
    INFO("labels and values");
    std::size_t compared = 0;
    for (const auto& [series, value] : page.samples) {
      if (Own(series) || std::isnan(value)) continue;
      CAPTURE(series);
      const auto ours = reader[series];
      REQUIRE(ours);
      if (Moves(series)) continue;
      REQUIRE(*ours == Approx(value));
      ++compared;
    }
    REQUIRE(compared > 400);
  }
}
