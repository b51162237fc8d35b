#include "collectors/redis/sentinel.h"

#include <array>

namespace vigia::collectors::redis {
namespace {

enum { kOkReplicas, kOkSentinels, kQuorum };

constexpr std::array kMetrics{
    Metric{"redis_sentinel_master_ok_slaves",
           "Replicas of a master that the Sentinel does not take for down."},
    Metric{"redis_sentinel_master_ok_sentinels",
           "Sentinels of a master that are not taken for down, this one included."},
    Metric{"redis_sentinel_master_ckquorum_status",
           "Whether a quorum for a failover of the master can be reached."},
};

// Of a list of name-value lists, those that are not down in anybody's view.
double CountUp(const Reply& list) {
  double count = 0;
  for (const auto& entry : list.items) {
    bool down = false;
    for (std::size_t i = 0; i + 1 < entry.items.size(); i += 2) {
      const auto& flags = entry.items[i + 1].text;
      down = down || (entry.items[i].text == "flags" && flags.find("_down") != flags.npos);
    }
    if (!down) ++count;
  }
  return count;
}

}  // namespace

std::span<const Metric> SentinelMetrics() { return kMetrics; }

Status AddSentinel(Connection& connection, const InfoFacts& facts, Deadline deadline,
                   Batch& batch) {
  if (facts.mode != "sentinel") return Ok();
  std::vector<Command> commands;
  for (const auto& master : facts.masters) {
    commands.push_back({"SENTINEL", "SLAVES", master.name});
    commands.push_back({"SENTINEL", "SENTINELS", master.name});
    commands.push_back({"SENTINEL", "CKQUORUM", master.name});
  }
  if (commands.empty()) return Ok();
  const auto replies = connection.Run(commands, deadline);
  if (!replies) return Fail(replies.error());
  for (std::size_t i = 0; i < facts.masters.size(); ++i) {
    const auto& master = facts.masters[i];
    const LabelView labels[] = {{"master_name", master.name}, {"master_address", master.address}};
    const auto& replicas = (*replies)[3 * i];
    const auto& sentinels = (*replies)[3 * i + 1];
    const auto& quorum = (*replies)[3 * i + 2];
    if (replicas.IsArray()) batch.Add(kMetrics[kOkReplicas], std::span(labels), CountUp(replicas));
    if (sentinels.IsArray()) {
      batch.Add(kMetrics[kOkSentinels], std::span(labels), CountUp(sentinels) + 1);
    }
    const bool asked = !quorum.IsError() || quorum.text.starts_with("NOQUORUM");
    if (!asked) continue;
    const LabelView with_message[] = {{"master_name", master.name}, {"message", quorum.text}};
    batch.Add(kMetrics[kQuorum], std::span(with_message), quorum.IsError() ? 0 : 1);
  }
  return Ok();
}

}  // namespace vigia::collectors::redis
