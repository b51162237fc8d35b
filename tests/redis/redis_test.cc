// The Redis kind against a real server.

#include <dirent.h>

#include <catch2/catch.hpp>

#include "collectors/kind.h"
#include "collectors/redis/connection.h"
#include "core/config/yaml.h"
#include "tests/support/collect.h"
#include "tests/support/http_client.h"
#include "tests/support/redis_server.h"

using namespace vigia;
using namespace vigia::test;
using collectors::redis::ParseUrl;

namespace vigia::collectors {
std::vector<Part> MakeRedisCollector(config::MapReader& options);
}

namespace {

// A collector made from YAML options, with its batch.
class Subject {
 public:
  explicit Subject(const std::string& yaml) {
    config::Diagnostics diagnostics("vigia.yml");
    const auto node = config::ParseYaml(yaml, {}, diagnostics);
    config::MapReader reader(node, diagnostics);
    impl_ = std::move(collectors::MakeRedisCollector(reader)[0].impl);
    reader.Finish();
    REQUIRE(diagnostics.ToString() == "");
  }

  // The page of one run, or "error: ...".
  std::string Run(Duration timeout = 10s) {
    const auto status = impl_->Collect(Deadline::After(SystemClock(), timeout), batch_);
    if (status) return ReadingText(*batch_.Finish(0));
    code_ = status.error().code();
    const auto last_words = batch_.FinishFailure(0);
    return "error: " + status.error().message() + "\n" +
           (last_words ? ReadingText(*last_words) : "");
  }
  ErrorCode code() const { return code_; }

 private:
  std::unique_ptr<collectors::Collector> impl_;
  Batch batch_;
  ErrorCode code_{};
};

bool Has(const std::string& page, const std::string& line) {
  return ("\n" + page).find("\n" + line + "\n") != std::string::npos;
}

int OpenFiles() {
  int count = 0;
  DIR* const folder = ::opendir("/proc/self/fd");
  while (::readdir(folder)) ++count;
  ::closedir(folder);
  return count;
}

}  // namespace

TEST_CASE("redis URLs are read in all forms", "[redis]") {
  const auto plain = ParseUrl("redis://cache.example:7000/3");
  REQUIRE(plain->host == "cache.example");
  REQUIRE(plain->port == 7000);
  REQUIRE(plain->db == 3);
  REQUIRE_FALSE(plain->tls);
  const auto secured = ParseUrl("rediss://user:p%40ss@[::1]");
  REQUIRE(secured->tls);
  REQUIRE(secured->host == "::1");
  REQUIRE(secured->port == 6379);
  REQUIRE(secured->username == "user");
  REQUIRE(secured->password.Reveal() == "p@ss");
  REQUIRE(ParseUrl("unix:///run/redis.sock?db=2")->unix_path == "/run/redis.sock");
  REQUIRE(ParseUrl("unix:///run/redis.sock?db=2")->db == 2);
  REQUIRE(ParseUrl("http://x").error().message() ==
          "the URL has to begin with redis://, rediss:// or unix://");
  REQUIRE(ParseUrl("redis://:secret@h:x").error().message() ==
          "the port of the URL is not a number up to 65535");
}

TEST_CASE("a redis server is read under the names of redis_exporter", "[redis]") {
  if (!RedisServer::Available()) return;
  const RedisServer server;
  server.Cli({"SET", "a", "1"});
  server.Cli({"GET", "a"});
  Subject subject("url: " + server.url());

  const auto page = subject.Run();
  REQUIRE(Has(page, "redis_up 1"));
  REQUIRE(Has(page, "redis_db_keys{db=\"db0\"} 1"));
  REQUIRE(Has(page, "redis_db_keys{db=\"db15\"} 0"));
  REQUIRE(Has(page, "redis_commands_total{cmd=\"set\"} 1"));
  REQUIRE(Has(page, "redis_keyspace_hits_total 1"));
  REQUIRE(Has(page, "redis_config_maxclients 10000"));
  REQUIRE(Has(page, "redis_rdb_last_bgsave_status 1"));
  REQUIRE(page.find("redis_instance_info{") != std::string::npos);
  REQUIRE(page.find("quantile=\"99.9\"") != std::string::npos);
}

TEST_CASE("the hit ratio is that of the last interval", "[redis]") {
  if (!RedisServer::Available()) return;
  const RedisServer server;
  Subject subject("url: unix://" + server.socket());
  for (int i = 0; i < 100; ++i) server.Cli({"GET", "missing"});
  REQUIRE(subject.Run().find("vigia_redis_hit_ratio") == std::string::npos);
  server.Cli({"SET", "a", "1"});
  for (int i = 0; i < 3; ++i) server.Cli({"GET", "a"});
  server.Cli({"GET", "missing"});
  REQUIRE(Has(subject.Run(), "vigia_redis_hit_ratio 0.75"));
  REQUIRE(subject.Run().find("vigia_redis_hit_ratio") == std::string::npos);
}

TEST_CASE("chosen keys, counts and streams of a redis server are reported", "[redis]") {
  if (!RedisServer::Available()) return;
  const RedisServer server;
  server.Cli({"RPUSH", "celery", "a", "b", "c"});
  server.Cli({"SET", "limit", "42.5"});
  server.Cli({"-n", "2", "MSET", "session:1", "x", "session:2", "y", "other", "z"});
  server.Cli({"XADD", "events", "1500-0", "k", "v"});
  server.Cli({"XADD", "events", "1600-0", "k", "v"});
  server.Cli({"XGROUP", "CREATE", "events", "workers", "0"});
  server.Cli({"XREADGROUP", "GROUP", "workers", "w1", "COUNT", "1", "STREAMS", "events", ">"});
  Subject subject("url: " + server.url() +
                  "\nqueues: [celery]\nkeys: [limit, absent]\ncount_keys: ['db2=session:*']\n"
                  "streams: [events]\n");
  const auto page = subject.Run();
  REQUIRE(Has(page, "redis_key_size{db=\"db0\",key=\"celery\"} 3"));
  REQUIRE(Has(page, "redis_key_size{db=\"db0\",key=\"limit\"} 4"));
  REQUIRE(Has(page, "redis_key_value{db=\"db0\",key=\"limit\"} 42.5"));
  REQUIRE(page.find("absent") == std::string::npos);
  REQUIRE(Has(page, "redis_keys_count{db=\"db2\",key=\"session:*\"} 2"));
  REQUIRE(Has(page, "redis_stream_length{db=\"db0\",stream=\"events\"} 2"));
  REQUIRE(Has(page, "redis_stream_last_generated_id{db=\"db0\",stream=\"events\"} 1600"));
  REQUIRE(Has(page, "redis_stream_group_lag{db=\"db0\",group=\"workers\",stream=\"events\"} 1"));
  REQUIRE(
      Has(page,
          "redis_stream_group_messages_pending{db=\"db0\",group=\"workers\",stream=\"events\"} 1"));
  REQUIRE(Has(page,
              "redis_stream_group_consumer_messages_pending{consumer=\"w1\",db=\"db0\",group="
              "\"workers\",stream=\"events\"} 1"));
}

TEST_CASE("a redis that hangs is given up at the deadline and nothing piles up", "[redis]") {
  if (!RedisServer::Available()) return;
  const RedisServer server;
  Subject subject("url: " + server.url());
  REQUIRE(Has(subject.Run(), "redis_up 1"));
  const int files = OpenFiles();
  server.Freeze();
  for (int i = 0; i < 20; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    REQUIRE(subject.Run(50ms) == "error: no answer in time\nredis_up 0\n");
    REQUIRE(subject.code() == ErrorCode::kTimeout);
    REQUIRE(std::chrono::steady_clock::now() - begin < 5s);
  }
  REQUIRE(OpenFiles() <= files);
  server.Thaw();
  REQUIRE(Has(subject.Run(), "redis_up 1"));
}

TEST_CASE("a redis that was restarted is read on at once", "[redis]") {
  if (!RedisServer::Available()) return;
  RedisServer server;
  Subject subject("url: " + server.url());
  REQUIRE(Has(subject.Run(), "redis_up 1"));
  server.Stop();
  REQUIRE(subject.Run() == "error: connect: Connection refused\nredis_up 0\n");
  server.Start();
  REQUIRE(Has(subject.Run(), "redis_up 1"));
  server.Stop();
  server.Start();
  REQUIRE(Has(subject.Run(), "redis_up 1"));  // the kept connection was dead
}

TEST_CASE("redis passwords and ACL users are honoured", "[redis]") {
  if (!RedisServer::Available()) return;
  const RedisServer server({"--requirepass", "s3cret"});
  Subject without("url: " + server.url());
  REQUIRE(without.Run().starts_with("error: INFO: NOAUTH"));
  const TempDir dir;
  dir.Write("wrong", "nonsense\n");
  dir.Write("password", "s3cret\n");
  Subject wrong("url: " + server.url() + "\npassword_file: " + (dir.path() / "wrong").string());
  const auto refused = wrong.Run();
  REQUIRE(refused.starts_with("error: AUTH: WRONGPASS"));
  REQUIRE(refused.find("nonsense") == std::string::npos);
  Subject right("url: " + server.url() + "\npassword_file: " + (dir.path() / "password").string());
  REQUIRE(Has(right.Run(), "redis_up 1"));

  // A user who may only ask for INFO: the rest is left out, not a failure.
  server.Cli({"-a", "s3cret", "ACL", "SETUSER", "monitor", "on", ">pw", "+info"});
  Subject limited("url: redis://monitor:pw@127.0.0.1:" + std::to_string(server.port()));
  const auto page = limited.Run();
  REQUIRE(Has(page, "redis_up 1"));
  REQUIRE(page.find("redis_config_maxclients") == std::string::npos);
  REQUIRE(page.find("redis_slowlog_length") == std::string::npos);
  // Nor is what it may not do with keys.
  Subject keys("url: redis://monitor:pw@127.0.0.1:" + std::to_string(server.port()) +
               "\nkey_patterns: ['a*']\nkeys: [db2=b]");
  const auto without_keys = keys.Run();
  REQUIRE(Has(without_keys, "redis_up 1"));
  REQUIRE(without_keys.find("redis_key_size") == std::string::npos);
}

TEST_CASE("secrets among the settings of a redis server are not shown", "[redis]") {
  if (!RedisServer::Available()) return;
  const RedisServer server({"--requirepass", "s3cret", "--masterauth", "m4ster"});
  Subject subject("url: redis://:s3cret@127.0.0.1:" + std::to_string(server.port()) +
                  "\nconfig: true\n");
  const auto page = subject.Run();
  REQUIRE(Has(page, "redis_config_value{key=\"maxclients\"} 10000"));
  REQUIRE(page.find("s3cret") == std::string::npos);
  REQUIRE(page.find("m4ster") == std::string::npos);
}

TEST_CASE("a redis server is read over TLS and its certificate is verified", "[redis]") {
  if (!RedisServer::Available() || !HasProgram("openssl")) return;
  const TempDir dir;
  const std::string key = dir.path() / "key.pem";
  const std::string cert = dir.path() / "cert.pem";
  REQUIRE(RunProgram({"openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key,
                      "-out", cert, "-days", "2", "-subj", "/CN=localhost", "-addext",
                      "subjectAltName=DNS:localhost,IP:127.0.0.1"})
              .exit_code == 0);
  const int port = FreePort();
  const RedisServer server({"--tls-port", std::to_string(port), "--tls-cert-file", cert,
                            "--tls-key-file", key, "--tls-ca-cert-file", cert, "--tls-auth-clients",
                            "no"});
  const std::string url = "url: rediss://127.0.0.1:" + std::to_string(port);
  Subject trusting(url + "\ntls: { ca_file: " + cert + " }\n");
  REQUIRE(Has(trusting.Run(), "redis_up 1"));
  Subject distrusting(url);
  REQUIRE(distrusting.Run().find("certificate verify failed") != std::string::npos);
}

TEST_CASE("a sentinel tells which replicas and sentinels it takes for reachable", "[redis]") {
  if (!RedisServer::Available()) return;
  RedisServer master;
  auto replica = std::make_unique<RedisServer>(
      std::vector<std::string>{"--replicaof", "127.0.0.1 " + std::to_string(master.port())});
  const TempDir dir;
  const int port = FreePort();
  dir.Write("sentinel.conf",
            "port " + std::to_string(port) + "\nbind 127.0.0.1\nsentinel monitor main 127.0.0.1 " +
                std::to_string(master.port()) + " 1\nsentinel down-after-milliseconds main 500\n");
  const Process sentinel({"redis-server", dir.path() / "sentinel.conf", "--sentinel"});
  const std::string labels =
      "{master_address=\"127.0.0.1:" + std::to_string(master.port()) + "\",master_name=\"main\"}";
  Subject subject("url: redis://127.0.0.1:" + std::to_string(port));
  const auto await = [&](const std::string& line) {
    std::string page;
    // The sentinel asks the master for its replicas every ten seconds.
    for (int i = 0; i < 300 && !Has(page, line); ++i) {
      RunProgram({"sleep", "0.1"});
      page = subject.Run();
    }
    INFO(page);
    REQUIRE(Has(page, line));
    return page;
  };
  auto page = await("redis_sentinel_master_ok_slaves" + labels + " 1");
  REQUIRE(Has(page, "redis_sentinel_master_slaves" + labels + " 1"));
  REQUIRE(Has(page, "redis_sentinel_master_ok_sentinels" + labels + " 1"));
  REQUIRE(page.find("redis_sentinel_master_ckquorum_status{master_name=\"main\",message=\"OK ") !=
          std::string::npos);
  replica->Stop();
  page = await("redis_sentinel_master_ok_slaves" + labels + " 0");
  REQUIRE(Has(page, "redis_sentinel_master_slaves" + labels + " 1"));
}

TEST_CASE("a server that does not speak the redis protocol is an error", "[redis]") {
  Subject subject("url: redis://127.0.0.1:1");
  REQUIRE(subject.Run() == "error: connect: Connection refused\nredis_up 0\n");
}
