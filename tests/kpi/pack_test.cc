// The bundled Django pack against numbers that are computed here, from the same generated facts but
// without SQL.

#include <array>
#include <catch2/catch.hpp>
#include <map>
#include <set>

#include "core/number.h"
#include "tests/kpi/entry.h"
#include "tests/support/postgres_server.h"

using namespace vigia;
using namespace vigia::test;

namespace {

constexpr std::int64_t kHour = 3600;
constexpr std::int64_t kDay = 24 * kHour;

struct User {
  std::int64_t joined;
  std::int64_t signed_in;  // 0: never
  bool active;
  bool staff;
  bool token;
};
struct Post {
  std::size_t author;
  std::int64_t created;
  std::int64_t published;  // 0: a draft
};
struct Comment {
  std::size_t post;
  std::size_t author;
  std::int64_t created;
};

// A small linear congruential generator: the same facts in every run.
class Dice {
 public:
  std::int64_t Roll(std::int64_t sides) {
    state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<std::int64_t>((state_ >> 33) % static_cast<std::uint64_t>(sides));
  }

 private:
  std::uint64_t state_ = 42;
};

// Facts at half past some hour before `now`, so that none comes near the edge of a window while the
// test runs.
class Facts {
 public:
  explicit Facts(std::int64_t now) : now_(now) {
    for (int i = 0; i < 300; ++i) {
      const auto joined = Ago(77 * 24);
      const auto signed_in = dice_.Roll(5) == 0 ? 0 : After(joined);
      users.push_back(
          {joined, signed_in, dice_.Roll(12) != 0, dice_.Roll(25) == 0, dice_.Roll(3) == 0});
    }
    for (int i = 0; i < 120; ++i) {
      const auto author = static_cast<std::size_t>(dice_.Roll(60));
      const auto created = After(users[author].joined);
      posts.push_back({author, created, dice_.Roll(6) == 0 ? 0 : created});
    }
    for (int i = 0; i < 400; ++i) {
      const auto post = static_cast<std::size_t>(dice_.Roll(100));
      const auto author = static_cast<std::size_t>(dice_.Roll(150));
      comments.push_back(
          {post, author, After(std::max(posts[post].created, users[author].joined))});
    }
  }

  bool Counts(std::size_t user) const { return users[user].active && !users[user].staff; }
  std::int64_t now() const { return now_; }

  std::vector<User> users;
  std::vector<Post> posts;
  std::vector<Comment> comments;

 private:
  std::int64_t Ago(std::int64_t hours) { return now_ - kHour / 2 - kHour * dice_.Roll(hours); }
  // Some whole hours after `time`, and before now. Half an hour more keeps days since `time` away
  // from whole ones.
  std::int64_t After(std::int64_t time) {
    const auto hours = std::max<std::int64_t>((now_ - time) / kHour, 1);
    return std::min(time + kHour * dice_.Roll(hours) + kHour / 4, now_ - kHour / 4);
  }

  const std::int64_t now_;
  Dice dice_;
};

std::string Time(std::int64_t seconds) {
  return seconds == 0 ? "NULL" : "to_timestamp(" + std::to_string(seconds) + ")";
}
std::string Bool(bool value) { return value ? "true" : "false"; }

// Tables as Django makes them, under names of the application's own where `names` says so.
void Fill(const PostgresServer& server, const Facts& facts, const std::string& users,
          const std::string& joined) {
  std::string sql = "CREATE TABLE " + users +
                    " (id serial PRIMARY KEY, last_login timestamptz, is_staff bool NOT NULL,"
                    " is_active bool NOT NULL, " +
                    joined +
                    " timestamptz NOT NULL);"
                    "CREATE TABLE blog_post (id serial PRIMARY KEY, author_id int NOT NULL,"
                    " created_at timestamptz NOT NULL, published_at timestamptz);"
                    "CREATE TABLE blog_comment (id serial PRIMARY KEY, post_id int NOT NULL,"
                    " author_id int NOT NULL, created_at timestamptz NOT NULL);"
                    "CREATE TABLE authtoken_token (key varchar(40) PRIMARY KEY, user_id int);";
  for (std::size_t i = 0; i < facts.users.size(); ++i) {
    const auto& user = facts.users[i];
    const auto id = std::to_string(i);
    sql += "INSERT INTO " + users + " VALUES (" + id + ',' + Time(user.signed_in) + ',' +
           Bool(user.staff) + ',' + Bool(user.active) + ',' + Time(user.joined) + ");";
    if (user.token) sql += "INSERT INTO authtoken_token VALUES (" + id + ',' + id + ");";
  }
  for (std::size_t i = 0; i < facts.posts.size(); ++i) {
    const auto& post = facts.posts[i];
    sql += "INSERT INTO blog_post VALUES (" + std::to_string(i) + ',' +
           std::to_string(post.author) + ',' + Time(post.created) + ',' + Time(post.published) +
           ");";
  }
  for (const auto& comment : facts.comments) {
    sql += "INSERT INTO blog_comment (post_id, author_id, created_at) VALUES (" +
           std::to_string(comment.post) + ',' + std::to_string(comment.author) + ',' +
           Time(comment.created) + ");";
  }
  server.Sql(sql);
}

// "name" -> value.
using Numbers = std::map<std::string, double>;

struct Window {
  const char* name;
  std::int64_t length;
};
constexpr std::array kWindows{Window{"1d", kDay}, Window{"7d", 7 * kDay}, Window{"30d", 30 * kDay}};

void CountAccounts(const Facts& facts, Numbers& numbers) {
  for (const auto& user : facts.users) {
    ++numbers[std::string("kpi_users{state=\"") +
              (user.staff    ? "staff"
               : user.active ? "active"
                             : "inactive") +
              "\"}"];
  }
  for (const auto& window : kWindows) {
    const auto label = std::string("{window=\"") + window.name + "\"}";
    const auto begin = facts.now() - window.length;
    auto& joined = numbers["kpi_new_users" + label];
    auto& signed_in = numbers["kpi_signed_in_users" + label];
    for (const auto& user : facts.users) {
      joined += !user.staff && user.joined > begin;
      signed_in += user.active && !user.staff && user.signed_in > begin;
    }
  }
}

void CountActivity(const Facts& facts, Numbers& numbers) {
  for (const auto& window : kWindows) {
    const auto label = std::string("{window=\"") + window.name + "\"}";
    const auto begin = facts.now() - window.length;
    std::set<std::size_t> engaged;
    auto& posts = numbers["kpi_new_posts" + label];
    for (const auto& post : facts.posts) {
      if (post.created <= begin) continue;
      ++posts;
      if (facts.Counts(post.author)) engaged.insert(post.author);
    }
    auto& comments = numbers["kpi_new_comments" + label];
    for (const auto& comment : facts.comments) {
      if (comment.created <= begin) continue;
      ++comments;
      if (facts.Counts(comment.author)) engaged.insert(comment.author);
    }
    auto active = engaged;
    for (std::size_t i = 0; i < facts.users.size(); ++i) {
      if (facts.Counts(i) && facts.users[i].signed_in > begin) active.insert(i);
    }
    numbers["kpi_engaged_users" + label] = static_cast<double>(engaged.size());
    numbers["kpi_active_users" + label] = static_cast<double>(active.size());
  }
  numbers["kpi_stickiness_ratio"] =
      numbers["kpi_active_users{window=\"1d\"}"] / numbers["kpi_active_users{window=\"30d\"}"];
}

void CountContent(const Facts& facts, Numbers& numbers) {
  double eligible = 0;
  double engaged = 0;
  double comments = 0;
  for (std::size_t i = 0; i < facts.posts.size(); ++i) {
    const auto published = facts.posts[i].published;
    ++numbers[published ? "kpi_posts{state=\"published\"}" : "kpi_posts{state=\"draft\"}"];
    const auto age = facts.now() - published;
    if (published == 0 || age < 7 * kDay || age >= 37 * kDay) continue;
    ++eligible;
    double of_post = 0;
    for (const auto& comment : facts.comments) {
      of_post += comment.post == i && comment.created <= published + 7 * kDay;
    }
    engaged += of_post > 0;
    comments += of_post;
  }
  numbers["kpi_content_engagement_ratio"] = engaged / eligible;
  numbers["kpi_comments_per_post"] = comments / eligible;

  double holders = 0;
  double recent = 0;
  double recent_holders = 0;
  for (std::size_t i = 0; i < facts.users.size(); ++i) {
    if (!facts.Counts(i)) continue;
    const auto& user = facts.users[i];
    holders += user.token;
    if (user.signed_in <= facts.now() - 30 * kDay) continue;
    ++recent;
    recent_holders += user.token;
  }
  numbers["kpi_api_users"] = holders;
  numbers["kpi_api_adoption_ratio"] = recent_holders / recent;
}

// "2026-11-23", the Monday of the week in UTC.
std::string Monday(std::int64_t time) {
  const auto days = time / kDay;
  // The epoch was a Thursday.
  const std::chrono::sys_days monday{std::chrono::days(days - (days + 3) % 7)};
  const std::chrono::year_month_day date{monday};
  const auto two = [](unsigned number) {
    return (number < 10 ? "-0" : "-") + std::to_string(number);
  };
  return std::to_string(static_cast<int>(date.year())) + two(static_cast<unsigned>(date.month())) +
         two(static_cast<unsigned>(date.day()));
}

void CountRetention(const Facts& facts, Numbers& numbers) {
  std::vector<std::vector<std::int64_t>> activity(facts.users.size());
  for (std::size_t i = 0; i < facts.users.size(); ++i) {
    if (facts.users[i].signed_in) activity[i].push_back(facts.users[i].signed_in);
  }
  for (const auto& post : facts.posts) activity[post.author].push_back(post.created);
  for (const auto& comment : facts.comments) activity[comment.author].push_back(comment.created);

  struct Cohort {
    double eligible = 0, classic = 0, rolling = 0;
  };
  std::map<std::string, Cohort> cohorts;
  for (const std::int64_t day : {1, 7, 30}) {
    for (std::size_t i = 0; i < facts.users.size(); ++i) {
      const auto joined = facts.users[i].joined;
      if (!facts.Counts(i) || joined >= facts.now() - (day + 1) * kDay) continue;
      bool classic = false;
      bool rolling = false;
      for (const auto done : activity[i]) {
        rolling |= done >= joined + day * kDay;
        classic |= done >= joined + day * kDay && done < joined + (day + 1) * kDay;
      }
      auto& cohort =
          cohorts["cohort=\"" + Monday(joined) + "\",day=\"" + std::to_string(day) + '"'];
      ++cohort.eligible;
      cohort.classic += classic;
      cohort.rolling += rolling;
    }
  }
  for (const auto& [labels, cohort] : cohorts) {
    numbers["kpi_retention_eligible_users{" + labels + '}'] = cohort.eligible;
    numbers["kpi_retention_ratio{" + labels + ",kind=\"classic\"}"] =
        cohort.classic / cohort.eligible;
    numbers["kpi_retention_ratio{" + labels + ",kind=\"rolling\"}"] =
        cohort.rolling / cohort.eligible;
  }
}

Numbers Expected(const Facts& facts) {
  Numbers numbers;
  CountAccounts(facts, numbers);
  CountActivity(facts, numbers);
  CountContent(facts, numbers);
  CountRetention(facts, numbers);
  return numbers;
}

std::int64_t ServerTime(const PostgresServer& server) {
  return *ParseInt([&] {
    auto text = server.Sql("SELECT floor(extract(epoch FROM now()))::bigint");
    text.pop_back();
    return text;
  }());
}

void RequireAgreement(Entry& entry, const Facts& facts) {
  REQUIRE(entry.faults().empty());
  REQUIRE(entry.Run());
  const auto expected = Expected(facts);
  std::size_t lines = 0;
  for (const char c : entry.Values()) lines += c == '\n';
  CHECK(lines == expected.size());
  for (const auto& [series, value] : expected) {
    INFO(series);
    REQUIRE(entry[series]);
    CHECK(*entry[series] == Approx(value).epsilon(1e-12));
  }
}

}  // namespace

TEST_CASE("the Django pack agrees with numbers computed without SQL", "[kpi]") {
  if (!PostgresServer::Installed()) return;
  PostgresServer server;
  const Facts facts(ServerTime(server));
  Fill(server, facts, "auth_user", "date_joined");
  Entry entry({}, "file: django, dsn: '" + server.dsn() + "', timeout: 1m");
  RequireAgreement(entry, facts);
}

TEST_CASE("the Django pack reads tables of other names", "[kpi]") {
  if (!PostgresServer::Installed()) return;
  PostgresServer server;
  const Facts facts(ServerTime(server));
  server.Sql("CREATE SCHEMA accounts");
  Fill(server, facts, "accounts.\"User\"", "\"order\"");
  Entry entry({}, "file: django, dsn: '" + server.dsn() +
                      "', timeout: 1m, parameters: {users: accounts.User, user_joined: order}");
  RequireAgreement(entry, facts);
}

TEST_CASE("a query of the Django pack whose table is missing leaves the others alone", "[kpi]") {
  if (!PostgresServer::Installed()) return;
  PostgresServer server;
  const Facts facts(ServerTime(server));
  Fill(server, facts, "auth_user", "date_joined");
  server.Sql("DROP TABLE authtoken_token");
  Entry entry({}, "file: django, dsn: '" + server.dsn() + "', timeout: 1m");
  REQUIRE(entry.Run());
  CHECK(entry["vigia_kpi_query_up{collector=\"django\",query=\"api_adoption\"}"] == 0);
  CHECK(entry["vigia_kpi_query_up{collector=\"django\",query=\"retention\"}"] == 1);
  CHECK(entry["kpi_posts{state=\"published\"}"]);
  CHECK_FALSE(entry["kpi_api_users"]);

  Entry without({}, "file: django, exclude: [api_adoption], dsn: '" + server.dsn() + "'");
  REQUIRE(without.faults().empty());
  REQUIRE(without.Run());
  CHECK_FALSE(without["vigia_kpi_query_up{collector=\"django\",query=\"api_adoption\"}"]);
}
