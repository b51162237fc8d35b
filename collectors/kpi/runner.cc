#include "collectors/kpi/runner.h"

#include <algorithm>

#include "collectors/postgres/server.h"
#include "core/log.h"

namespace vigia::collectors::kpi {
namespace {

// The server ends a statement itself at its timeout; only if it does not, the connection is given
// up a little later.
constexpr auto kGrace = 1000ms;
constexpr auto kLongestTick = 15'000ms;
constexpr auto kShortestTick = 1000ms;

// The sessions of a Connection look names up in pg_catalog alone, for our own statements; these
// statements are the user's. Timestamps are printed in the one form that is read.
constexpr const char* kSessionSql =
    "SELECT set_config('search_path', reset_val, false), set_config('DateStyle', 'ISO, YMD', false)"
    " FROM pg_settings WHERE name = 'search_path'";

// A query and when it is due.
struct Job {
  const Query* query;
  std::size_t index;  // on the board
  Milliseconds interval;
  Instant due = Instant::min();
  bool failing = false;  // and that is in the log
};

class Runner final : public Collector {
 public:
  Runner(std::shared_ptr<const Definition> definition, std::shared_ptr<Board> board,
         RunnerOptions options)
      : definition_(std::move(definition)),
        board_(std::move(board)),
        options_(std::move(options)),
        slack_(TickOf(*definition_, options_) / 2),
        server_(options_.connect) {
    for (const auto& query : definition_->queries) {
      jobs_.push_back({&query, jobs_.size(), IntervalOf(query, options_)});
    }
  }

  std::span<const Metric> Metrics() const override { return {}; }

  Status Collect(Deadline deadline, Batch&) override {
    std::vector<Job*> due;
    for (auto& job : jobs_) {
      if (IsDue(job, deadline)) due.push_back(&job);
    }
    std::stable_sort(due.begin(), due.end(),
                     [](const Job* a, const Job* b) { return a->due < b->due; });
    for (Job* job : due) {
      if (deadline.Left() < options_.timeout) break;  // the others at the next tick
      auto status = Run(*job, deadline);
      if (status) continue;
      for (const Job* other : due) {
        if (IsDue(*other, deadline)) board_->NoteUnavailable(other->index, status.error());
      }
      return status;
    }
    return Ok();
  }

 private:
  // A tick that comes a little early is this query's nevertheless.
  bool IsDue(const Job& job, Deadline deadline) const {
    return job.due == Instant::min() || deadline.clock().Now() >= job.due - slack_;
  }

  // Fails if the query could not be asked: it is then still due.
  Status Run(Job& job, Deadline deadline) {
    const Clock& clock = deadline.clock();
    for (;;) {
      auto connection = Connect(deadline);
      if (!connection) return Fail(connection.error());
      const Instant begin = clock.Now();
      const bool kept = !server_.fresh();
      AnswerReader reader(*job.query);
      const auto status = (*connection)
                              ->Stream(job.query->sql, options_.limits,
                                       Deadline::After(clock, options_.timeout + kGrace), reader);
      const bool lost = !status && !(*connection)->alive();
      if (lost && kept && status.error().code() == ErrorCode::kUnavailable) {
        // A connection that was kept open may have died long ago, which its first use tells.
        server_.DropAll();
        continue;
      }
      if (lost) server_.DropDead(status.error(), deadline);

      job.due = std::max(job.due, begin) + job.interval;
      const Duration took = clock.Now() - begin;
      if (status) {
        auto answer = reader.Take();
        for (const auto& sink : options_.sinks) sink->Push(*answer, clock.Wall());
        board_->NoteAnswer(job.index, std::move(answer), begin, took);
        LogRecovery(job);
      } else {
        const auto error = status.error().In(job.query->place + ": query " + job.query->name);
        board_->NoteError(job.index, error, took);
        LogFailure(job, error);
      }
      return Ok();
    }
  }

  Result<postgres::Connection*> Connect(Deadline deadline) {
    const auto bounded = Deadline::After(deadline.clock(),
                                         std::min<Milliseconds>(deadline.Left(), options_.timeout));
    auto connection = server_.Main(bounded);
    if (!connection || !server_.fresh()) return connection;
    const auto ready = (*connection)->Query("kpi_session", kSessionSql, bounded);
    if (ready) return connection;
    server_.DropDead(ready.error(), deadline);
    return Fail(ready.error().In("cannot set the session up"));
  }

  static void LogFailure(Job& job, const Error& error) {
    if (std::exchange(job.failing, true)) return;
    log::Warn("kpi query failed", {{"collector", job.query->collector},
                                   {"query", job.query->name},
                                   {"error", error.message()}});
  }

  static void LogRecovery(Job& job) {
    if (!std::exchange(job.failing, false)) return;
    log::Info("kpi query recovered",
              {{"collector", job.query->collector}, {"query", job.query->name}});
  }

  const std::shared_ptr<const Definition> definition_;
  const std::shared_ptr<Board> board_;
  const RunnerOptions options_;
  const Duration slack_;
  postgres::Server server_;
  std::vector<Job> jobs_;
};

}  // namespace

Milliseconds IntervalOf(const Query& query, const RunnerOptions& options) {
  return query.interval > 0ms ? query.interval : options.interval;
}

Milliseconds TickOf(const Definition& definition, const RunnerOptions& options) {
  Milliseconds tick = kLongestTick;
  for (const auto& query : definition.queries) tick = std::min(tick, IntervalOf(query, options));
  return std::max<Milliseconds>(tick, kShortestTick);
}

Milliseconds LongestRun(const Definition& definition, const RunnerOptions& options) {
  constexpr Milliseconds kLongest = 1h;
  const auto count = static_cast<std::int64_t>(definition.queries.size()) + 1;
  // Each may need a new connection first.
  const Milliseconds one = 2 * options.timeout + kGrace;
  return std::max(std::min(count * one, kLongest), 2 * one);
}

std::unique_ptr<Collector> MakeRunner(std::shared_ptr<const Definition> definition,
                                      std::shared_ptr<Board> board, RunnerOptions options) {
  return std::make_unique<Runner>(std::move(definition), std::move(board), std::move(options));
}

}  // namespace vigia::collectors::kpi
