#include "exporter/discovery.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "collectors/postgres/connection.h"
#include "collectors/redis/connection.h"
#include "core/clock.h"
#include "core/config/yaml.h"
#include "core/log.h"
#include "core/number.h"
#include "core/redact.h"

namespace vigia::exporter {
namespace {

namespace postgres = collectors::postgres;
namespace redis = collectors::redis;

// For each place that is tried.
constexpr auto kPatience = 2s;

// What came of looking for one kind of server.
struct Search {
  std::string_view kind;
  std::string yaml;                // the collector's entry; empty: none is added
  std::string found;               // where
  std::vector<std::string> tried;  // "place: why not"
};

std::string Variable(const char* name) {
  const char* const value = std::getenv(name);
  return value ? value : "";
}

bool Exists(const std::filesystem::path& path) {
  std::error_code error;
  return std::filesystem::exists(path, error);
}

// "host=/run/postgresql port=5432" for every socket ".s.PGSQL.5432".
std::vector<std::string> PostgresSockets() {
  constexpr std::string_view kPrefix = ".s.PGSQL.";
  std::vector<std::string> found;
  for (const std::filesystem::path folder : {"/run/postgresql", "/tmp"}) {
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
      const auto name = entry.path().filename().string();
      if (!name.starts_with(kPrefix) || !ParseUint(name.substr(kPrefix.size()))) continue;
      found.push_back("host=" + folder.string() + " port=" + name.substr(kPrefix.size()));
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

Search FindPostgres() {
  Search search{"postgres", {}, {}, {}};
  // libpq reads the PG* variables itself.
  const bool told = !Variable("PGHOST").empty() || !Variable("PGHOSTADDR").empty() ||
                    !Variable("PGSERVICE").empty();
  auto places = told ? std::vector<std::string>{""} : PostgresSockets();
  if (places.empty()) search.tried.push_back("no socket in /run/postgresql or /tmp");
  for (auto place : places) {
    if (Variable("PGDATABASE").empty() && Variable("PGSERVICE").empty()) {
      place += std::string(place.empty() ? "" : " ") + "dbname=postgres";
    }
    postgres::ConnectOptions options;
    options.dsn = place;
    postgres::Watchdog watchdog;
    const auto connection = postgres::Connection::Open(options, "", watchdog,
                                                       Deadline::After(SystemClock(), kPatience));
    const std::string shown = told ? "PG* variables" : place;
    // One that is down, or busy for now, is there nevertheless.
    if (connection || connection.error().code() != ErrorCode::kInvalid) {
      search.found = shown;
      search.yaml = "postgres: { dsn: \"" + place + "\" }";
      if (!connection) search.tried.push_back(shown + ": " + connection.error().message());
      break;
    }
    search.tried.push_back(shown + ": " + connection.error().message());
  }
  return search;
}

// Whether a server answers there and lets us ask.
Status TryRedis(const std::string& url) {
  const auto address = redis::ParseUrl(url);
  if (!address) return Fail(address.error());
  const auto deadline = Deadline::After(SystemClock(), kPatience);
  const auto connection = redis::Connection::Open(*address, deadline);
  if (!connection) return Fail(connection.error());
  const auto reply = (*connection)->Run({"PING"}, deadline);
  if (!reply) return Fail(reply.error());
  if (reply->IsError() && reply->text.starts_with("NOAUTH")) {
    return Fail(ErrorCode::kInvalid, "it wants a password: name it in vigia.yml");
  }
  return Ok();
}

Search FindRedis() {
  Search search{"redis", {}, {}, {}};
  const auto told = Variable("REDIS_URL");
  std::vector<std::string> places{told};
  if (told.empty()) {
    places = {"redis://127.0.0.1:6379"};
    for (const auto* socket : {"/run/redis/redis-server.sock", "/run/redis/redis.sock"}) {
      if (Exists(socket)) places.push_back(std::string("unix://") + socket);
    }
  }
  for (const auto& place : places) {
    const auto shown = Redact(place);
    const auto status = TryRedis(place);
    if (status) {
      search.found = shown;
      search.yaml =
          told.empty() ? "redis: { url: \"" + place + "\" }" : "redis: { url: \"${REDIS_URL}\" }";
      break;
    }
    search.tried.push_back(shown + ": " + Redact(status.error().message()));
  }
  return search;
}

void Log(const Search& search) {
  std::string tried;
  for (const auto& place : search.tried) tried += (tried.empty() ? "" : "; ") + place;
  if (search.found.empty()) {
    log::Info("found nothing to watch", {{"kind", search.kind}, {"tried", tried}});
  } else if (tried.empty()) {
    log::Info("found and watched", {{"kind", search.kind}, {"at", search.found}});
  } else {
    log::Info("found and watched", {{"kind", search.kind}, {"at", search.found}, {"tried", tried}});
  }
}

}  // namespace

void AddDiscovered(Config& config) {
  std::string yaml = "collectors:\n";
  bool any = false;
  for (const auto& search : {FindPostgres(), FindRedis()}) {
    Log(search);
    if (search.yaml.empty()) continue;
    any = true;
    yaml += "  " + search.yaml + "\n";
  }
  if (!any) return;
  config::Diagnostics diagnostics("what was found");
  auto found = ParseConfig(yaml, {}, config::ProcessEnvironment, diagnostics);
  if (!diagnostics.ok()) {
    log::Error("what was found cannot be watched", {{"fault", diagnostics.ToString()}});
    return;
  }
  for (auto& instance : found.collectors) config.collectors.push_back(std::move(instance));
}

}  // namespace vigia::exporter
