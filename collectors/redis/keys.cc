#include "collectors/redis/keys.h"

#include <algorithm>
#include <array>

#include "core/number.h"

namespace vigia::collectors::redis {
namespace {

enum {
  kKeySize,
  kKeyValue,
  kKeysCount,
  kStreamLength,
  kStreamRadixKeys,
  kStreamRadixNodes,
  kStreamLastId,
  kStreamGroups,
  kGroupConsumers,
  kGroupPending,
  kGroupLastId,
  kGroupLag,
  kGroupEntriesRead,
  kConsumerPending,
  kConsumerIdle,
};

constexpr std::array kMetrics{
    Metric{"redis_key_size", "Length of a key's value: elements, or bytes of a string."},
    Metric{"redis_key_value", "Value of a key that holds a number."},
    Metric{"redis_keys_count", "Keys that match a pattern."},
    Metric{"redis_stream_length", "Entries in a stream."},
    Metric{"redis_stream_radix_tree_keys", "Keys of the radix tree that holds a stream."},
    Metric{"redis_stream_radix_tree_nodes", "Nodes of the radix tree that holds a stream."},
    Metric{"redis_stream_last_generated_id", "Time part of the last id of a stream, in ms."},
    Metric{"redis_stream_groups", "Consumer groups of a stream."},
    Metric{"redis_stream_group_consumers", "Consumers in a group."},
    Metric{"redis_stream_group_messages_pending",
           "Entries delivered to a group, not acknowledged."},
    Metric{"redis_stream_group_last_delivered_id",
           "Time part of the last id delivered to a group, in ms."},
    Metric{"redis_stream_group_lag", "Entries of the stream that the group has still to be given."},
    Metric{"redis_stream_group_entries_read", "Entries that the group has been given."},
    Metric{"redis_stream_group_consumer_messages_pending",
           "Entries delivered to a consumer, not acknowledged."},
    Metric{"redis_stream_group_consumer_idle_seconds",
           "Seconds since a consumer last tried to do anything."},
};

// "name" or "db3=name".
KeySpec ParseSpec(std::string_view text) {
  if (text.starts_with("db")) {
    const std::size_t equals = text.find('=');
    if (equals != text.npos) {
      if (const auto db = ParseInt(text.substr(2, equals - 2)); db && *db >= 0 && *db <= 65535) {
        return {static_cast<int>(*db), std::string(text.substr(equals + 1))};
      }
    }
  }
  return {0, std::string(text)};
}

void ReadSpecs(config::MapReader& options, std::string_view key, std::vector<KeySpec>& out) {
  std::vector<std::string> texts;
  if (!options.Read(key, texts)) return;
  for (const auto& text : texts) out.push_back(ParseSpec(text));
}

// The command that measures a value of `type`; empty for types that have no size.
Command SizeCommand(std::string_view type, const std::string& key) {
  constexpr std::array<std::pair<std::string_view, const char*>, 6> kCommands{{{"string", "STRLEN"},
                                                                               {"list", "LLEN"},
                                                                               {"set", "SCARD"},
                                                                               {"zset", "ZCARD"},
                                                                               {"hash", "HLEN"},
                                                                               {"stream", "XLEN"}}};
  for (const auto& [name, command] : kCommands) {
    if (name == type) return {command, key};
  }
  return {};
}

// XINFO answers a flat list of names and values.
const Reply* FieldOf(const Reply& reply, std::string_view name) {
  for (std::size_t i = 0; i + 1 < reply.items.size(); i += 2) {
    if (reply.items[i].text == name) return &reply.items[i + 1];
  }
  return nullptr;
}

// "1526569498055-0" -> 1526569498055
double IdTime(std::string_view id) { return ParseDouble(id.substr(0, id.find('-'))).value_or(0); }

}  // namespace

KeyOptions ReadKeyOptions(config::MapReader& options) {
  KeyOptions keys;
  ReadSpecs(options, "keys", keys.keys);
  ReadSpecs(options, "queues", keys.keys);
  ReadSpecs(options, "key_patterns", keys.key_patterns);
  ReadSpecs(options, "count_keys", keys.count_patterns);
  ReadSpecs(options, "streams", keys.streams);
  ReadSpecs(options, "stream_patterns", keys.stream_patterns);
  options.Read("scan_budget", keys.scan_budget);
  std::int64_t max_keys = 1000;
  options.Read("max_keys", max_keys, 1, 1'000'000);
  keys.max_keys = static_cast<std::size_t>(max_keys);
  return keys;
}

Status KeyReader::Select(int db, Connection& connection, Deadline deadline) {
  if (db == selected_) return Ok();
  const auto reply = connection.Run({"SELECT", std::to_string(db)}, deadline);
  if (!reply) return Fail(reply.error());
  if (reply->IsError()) return Fail(ErrorCode::kInvalid, "SELECT: " + reply->text);
  selected_ = db;
  return Ok();
}

Status KeyReader::Advance(const KeySpec& spec, Scan& scan, Connection& connection,
                          Deadline deadline, Instant until) {
  do {
    const auto reply =
        connection.Run({"SCAN", scan.cursor, "MATCH", spec.key, "COUNT", "1000"}, deadline);
    if (!reply) return Fail(reply.error());
    if (reply->IsError() || reply->items.size() != 2) {
      return Fail(ErrorCode::kInvalid, "SCAN: " + reply->text);
    }
    scan.cursor = reply->items[0].text;
    for (const auto& key : reply->items[1].items) {
      ++scan.counted;
      if (scan.found.size() < options_.max_keys) scan.found.insert(key.text);
    }
    if (scan.cursor == "0") {
      scan.complete = true;
      scan.keys.assign(scan.found.begin(), scan.found.end());
      // SCAN may name a key twice; where all were kept the count of distinct ones is exact.
      scan.count = scan.found.size() < options_.max_keys ? scan.found.size() : scan.counted;
      scan.found.clear();
      scan.counted = 0;
      return Ok();
    }
  } while (deadline.clock().Now() < until);
  return Ok();
}

Status KeyReader::AddSizes(int db, std::span<const std::string> keys, Connection& connection,
                           Deadline deadline, Batch& batch) {
  if (auto status = Select(db, connection, deadline); !status) return status;
  std::vector<Command> types;
  for (const auto& key : keys) types.push_back({"TYPE", key});
  const auto answers = connection.Run(types, deadline);
  if (!answers) return Fail(answers.error());

  std::vector<Command> sizes;
  std::vector<std::pair<const std::string*, bool>> asked;  // key, whether its value was asked too
  for (std::size_t i = 0; i < keys.size(); ++i) {
    auto command = SizeCommand((*answers)[i].text, keys[i]);
    if (command.empty()) continue;
    const bool is_string = (*answers)[i].text == "string";
    sizes.push_back(std::move(command));
    // Enough of a string to tell whether it is a number; longer ones are not.
    if (is_string) sizes.push_back({"GETRANGE", keys[i], "0", "32"});
    asked.emplace_back(&keys[i], is_string);
  }
  const auto replies = connection.Run(sizes, deadline);
  if (!replies) return Fail(replies.error());
  const std::string name = "db" + std::to_string(db);
  std::size_t at = 0;
  for (const auto& [key, is_string] : asked) {
    const LabelView labels[] = {{"db", name}, {"key", *key}};
    const auto& size = (*replies)[at++];
    if (!size.IsError()) batch.Add(kMetrics[kKeySize], std::span(labels), size.Number());
    if (!is_string) continue;
    const auto& value = (*replies)[at++];
    if (const auto number = ParseDouble(value.text); number && !value.IsError()) {
      batch.Add(kMetrics[kKeyValue], std::span(labels), *number);
    }
  }
  return Ok();
}

namespace {

void AddStream(const std::string& db, const std::string& key, const Reply& info,
               const Reply& groups, Batch& batch) {
  const LabelView labels[] = {{"db", db}, {"stream", key}};
  const auto add = [&](int metric, std::string_view field) {
    const Reply* value = FieldOf(info, field);
    if (value)
      batch.Add(kMetrics[static_cast<std::size_t>(metric)], std::span(labels), value->Number());
  };
  add(kStreamLength, "length");
  add(kStreamRadixKeys, "radix-tree-keys");
  add(kStreamRadixNodes, "radix-tree-nodes");
  add(kStreamGroups, "groups");
  if (const Reply* id = FieldOf(info, "last-generated-id")) {
    batch.Add(kMetrics[kStreamLastId], std::span(labels), IdTime(id->text));
  }
  for (const auto& group : groups.items) {
    const Reply* name = FieldOf(group, "name");
    if (!name) continue;
    const LabelView of_group[] = {{"db", db}, {"stream", key}, {"group", name->text}};
    const auto add_group = [&](int metric, std::string_view field) {
      const Reply* value = FieldOf(group, field);
      // The lag is nil where Redis cannot tell it (entries were deleted): missing, not zero.
      if (value && value->kind != Reply::Kind::kNil) {
        batch.Add(kMetrics[static_cast<std::size_t>(metric)], std::span(of_group), value->Number());
      }
    };
    add_group(kGroupConsumers, "consumers");
    add_group(kGroupPending, "pending");
    add_group(kGroupLag, "lag");
    add_group(kGroupEntriesRead, "entries-read");
    if (const Reply* id = FieldOf(group, "last-delivered-id")) {
      batch.Add(kMetrics[kGroupLastId], std::span(of_group), IdTime(id->text));
    }
  }
}

void AddConsumers(const std::string& db, const std::string& key, const std::string& group,
                  const Reply& consumers, Batch& batch) {
  for (const auto& consumer : consumers.items) {
    const Reply* name = FieldOf(consumer, "name");
    if (!name) continue;
    const LabelView labels[] = {
        {"db", db}, {"stream", key}, {"group", group}, {"consumer", name->text}};
    if (const Reply* pending = FieldOf(consumer, "pending")) {
      batch.Add(kMetrics[kConsumerPending], std::span(labels), pending->Number());
    }
    if (const Reply* idle = FieldOf(consumer, "idle")) {
      batch.Add(kMetrics[kConsumerIdle], std::span(labels), idle->Number() / 1000);
    }
  }
}

}  // namespace

Status KeyReader::AddStreams(int db, std::span<const std::string> keys, Connection& connection,
                             Deadline deadline, Batch& batch) {
  if (auto status = Select(db, connection, deadline); !status) return status;
  std::vector<Command> commands;
  for (const auto& key : keys) {
    commands.push_back({"XINFO", "STREAM", key});
    commands.push_back({"XINFO", "GROUPS", key});
  }
  const auto replies = connection.Run(commands, deadline);
  if (!replies) return Fail(replies.error());

  const std::string name = "db" + std::to_string(db);
  std::vector<Command> more;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto& info = (*replies)[2 * i];
    const auto& groups = (*replies)[2 * i + 1];
    if (!info.IsArray() || !groups.IsArray()) continue;  // no such stream, or another type
    AddStream(name, keys[i], info, groups, batch);
    for (const auto& group : groups.items) {
      if (const Reply* group_name = FieldOf(group, "name")) {
        more.push_back({"XINFO", "CONSUMERS", keys[i], group_name->text});
      }
    }
  }
  const auto consumers = connection.Run(more, deadline);
  if (!consumers) return Fail(consumers.error());
  for (std::size_t i = 0; i < more.size(); ++i) {
    AddConsumers(name, more[i][2], more[i][3], (*consumers)[i], batch);
  }
  return Ok();
}

Status KeyReader::Collect(Connection& connection, Deadline deadline, Batch& batch) {
  selected_ = db_;
  std::map<int, std::set<std::string>> sizes;
  std::map<int, std::set<std::string>> streams;
  for (const auto& spec : options_.keys) sizes[spec.db].insert(spec.key);
  for (const auto& spec : options_.streams) streams[spec.db].insert(spec.key);

  const Instant until = deadline.clock().Now() + options_.scan_budget;
  const auto scan = [&](const KeySpec& spec) -> Result<const Scan*> {
    auto& state = scans_[{spec.db, spec.key}];
    if (auto status = Select(spec.db, connection, deadline); !status) return Fail(status.error());
    auto status = Advance(spec, state, connection, deadline, until);
    if (!status) return Fail(status.error());
    return &state;
  };
  for (const auto* specs : {&options_.key_patterns, &options_.stream_patterns}) {
    auto& chosen = specs == &options_.key_patterns ? sizes : streams;
    for (const auto& spec : *specs) {
      const auto state = scan(spec);
      if (!state) return Fail(state.error());
      chosen[spec.db].insert((*state)->keys.begin(), (*state)->keys.end());
    }
  }
  for (const auto& spec : options_.count_patterns) {
    const auto state = scan(spec);
    if (!state) return Fail(state.error());
    if (!(*state)->complete) continue;
    batch.Add(kMetrics[kKeysCount], {{"db", "db" + std::to_string(spec.db)}, {"key", spec.key}},
              static_cast<double>((*state)->count));
  }
  for (const auto& [db, keys] : sizes) {
    const std::vector<std::string> list(keys.begin(), keys.end());
    if (auto status = AddSizes(db, list, connection, deadline, batch); !status) return status;
  }
  for (const auto& [db, keys] : streams) {
    const std::vector<std::string> list(keys.begin(), keys.end());
    if (auto status = AddStreams(db, list, connection, deadline, batch); !status) return status;
  }
  return Select(db_, connection, deadline);
}

std::span<const Metric> KeyMetrics() { return kMetrics; }

}  // namespace vigia::collectors::redis
