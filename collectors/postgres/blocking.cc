// Blocking chains: sessions that wait for a lock, and the sessions at the root of the waiting.

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "collectors/postgres/subjects.h"

namespace vigia::collectors::postgres {
namespace {

constexpr std::array kMetrics{
    Metric{"vigia_postgres_blocked_sessions", "Sessions that wait for a lock."},
    Metric{"vigia_postgres_blocked_seconds",
           "Longest time that a session has been waiting for a lock.", MetricType::kGauge,
           "seconds"},
    Metric{"vigia_postgres_blocking_chain_length",
           "Sessions in the longest chain of waiting, the one waited for included; 0: nobody "
           "waits."},
    Metric{"vigia_postgres_blocker_victims",
           "Sessions that wait, directly or through others, for this one, which itself waits for "
           "no lock. The ten with most victims."},
};
const Metric& kBlocked = kMetrics[0];
const Metric& kBlockedSeconds = kMetrics[1];
const Metric& kChainLength = kMetrics[2];
const Metric& kVictims = kMetrics[3];

constexpr std::size_t kMaxBlockers = 10;

// The waiting sessions with the longest wait; pg_blocking_pids is asked for them only, since it
// stops the lock manager for a moment. 100 are enough to find the root of any pile-up.
constexpr const char* kWaiting = R"(
SELECT a.pid, array_to_string(pg_blocking_pids(a.pid), ','),
       date_part('epoch', clock_timestamp() - coalesce(a.query_start, a.xact_start)),
       a.waiters
FROM (SELECT pid, query_start, xact_start, count(*) OVER () AS waiters
      FROM pg_stat_activity WHERE wait_event_type = 'Lock'
      ORDER BY query_start LIMIT 100) a)";

constexpr const char* kSessions = R"(
SELECT pid, datname, usename, application_name, state FROM pg_stat_activity
WHERE backend_type IS NOT NULL)";

using Pid = std::int64_t;

// Who waits for whom: a graph whose edges lead from a waiting session to those in its way.
class WaitGraph {
 public:
  void Add(Pid waiter, std::string_view blockers) {
    auto& list = blockers_[waiter];
    while (!blockers.empty()) {
      const auto comma = blockers.find(',');
      if (const auto pid = ParseNumber(blockers.substr(0, comma))) {
        list.push_back(static_cast<Pid>(*pid));
      }
      blockers.remove_prefix(comma == blockers.npos ? blockers.size() : comma + 1);
    }
  }

  // Sessions from `pid` to the end of the longest chain. A cycle (a deadlock not yet broken) ends
  // where it closes.
  std::size_t Length(Pid pid) {
    const auto known = lengths_.find(pid);
    if (known != lengths_.end()) return known->second;
    lengths_[pid] = 1;  // while on the path
    std::size_t longest = 0;
    const auto at = blockers_.find(pid);
    if (at != blockers_.end()) {
      for (const Pid blocker : at->second) longest = std::max(longest, Length(blocker));
    }
    return lengths_[pid] = longest + 1;
  }

  // For each session that others wait for and that waits for none: how many do.
  std::map<Pid, std::size_t> Victims() const {
    std::map<Pid, std::size_t> victims;
    for (const auto& [waiter, ignored] : blockers_) {
      std::set<Pid> reached{waiter};
      std::vector<Pid> pending{waiter};
      while (!pending.empty()) {
        const auto at = blockers_.find(pending.back());
        if (at == blockers_.end()) {
          ++victims[pending.back()];
          pending.pop_back();
          continue;
        }
        pending.pop_back();
        for (const Pid blocker : at->second) {
          if (reached.insert(blocker).second) pending.push_back(blocker);
        }
      }
    }
    return victims;
  }

 private:
  std::map<Pid, std::vector<Pid>> blockers_;
  std::map<Pid, std::size_t> lengths_;
};

class BlockingSubject final : public Subject {
 public:
  BlockingSubject() : Subject("blocking") {}

  void Describe(std::vector<Metric>& metrics) const override {
    metrics.insert(metrics.end(), kMetrics.begin(), kMetrics.end());
  }

  Status Read(Connection& connection, Deadline deadline, Batch& batch) override {
    // Not asked ahead: within a transaction the list of sessions is that of its first use, while
    // what they wait for is of now.
    const auto waiting = connection.Query("blocking", kWaiting, deadline);
    if (!waiting) return Fail(waiting.error());
    WaitGraph graph;
    std::vector<Pid> waiters;
    double count = 0;
    double longest_wait = 0;
    auto status = waiting->ForEach([&](Row row) -> Status {
      const auto pid = ParseNumber(row[0].text);
      if (!pid) return Fail(pid.error());
      graph.Add(waiters.emplace_back(static_cast<Pid>(*pid)), row[1].text);
      longest_wait = std::max(longest_wait, ParseNumber(row[2].text).value_or(0));
      count = ParseNumber(row[3].text).value_or(0);
      return Ok();
    });
    if (!status) return status;

    std::size_t length = 0;
    for (const Pid pid : waiters) length = std::max(length, graph.Length(pid));
    batch.Add(kBlocked, count);
    batch.Add(kBlockedSeconds, longest_wait);
    batch.Add(kChainLength, static_cast<double>(length));
    return waiters.empty() ? Ok() : AddBlockers(graph.Victims(), connection, deadline, batch);
  }

 private:
  static Status AddBlockers(const std::map<Pid, std::size_t>& victims, Connection& connection,
                            Deadline deadline, Batch& batch) {
    std::vector<std::pair<std::size_t, Pid>> worst;
    for (const auto& [pid, count] : victims) worst.emplace_back(count, pid);
    std::sort(worst.rbegin(), worst.rend());
    if (worst.size() > kMaxBlockers) worst.resize(kMaxBlockers);

    const auto sessions = connection.Query("blocking_sessions", kSessions, deadline);
    if (!sessions) return Fail(sessions.error());
    return sessions->ForEach([&](Row row) -> Status {
      const auto pid = ParseNumber(row[0].text);
      if (!pid) return Fail(pid.error());
      for (const auto& [count, blocker] : worst) {
        if (blocker != static_cast<Pid>(*pid)) continue;
        batch.Add(kVictims,
                  {{"pid", row[0].text},
                   {"datname", row[1].text},
                   {"usename", row[2].text},
                   {"application_name", row[3].text},
                   {"state", row[4].text}},
                  static_cast<double>(count));
      }
      return Ok();
    });
  }
};

}  // namespace

void AddBlocking(Subjects& subjects) { subjects.push_back(std::make_unique<BlockingSubject>()); }

}  // namespace vigia::collectors::postgres
