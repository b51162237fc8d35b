#include "collectors/postgres/server.h"

#include <algorithm>

namespace vigia::collectors::postgres {
namespace {

constexpr auto kFirstBackoff = 250ms;
constexpr auto kLongestBackoff = 4000ms;

}  // namespace

Server::Server(ConnectOptions options)
    : options_(std::move(options)), random_(std::random_device{}()) {}

Result<std::unique_lock<std::timed_mutex>> Server::Claim(Deadline deadline) {
  std::unique_lock lock(claimed_, deadline.Left());
  if (!lock) return Fail(ErrorCode::kTimeout, "another reading of the server takes too long");
  return lock;
}

Result<Connection*> Server::Main(Deadline deadline) { return Use(main_, "", deadline); }

Result<Connection*> Server::To(const std::string& database, Deadline deadline) {
  if (main_.connection && main_.connection->database() == database) {
    return Use(main_, "", deadline);
  }
  return Use(others_[database], database, deadline);
}

Result<Connection*> Server::Use(Slot& slot, const std::string& database, Deadline deadline) {
  fresh_ = false;
  if (slot.connection && slot.connection->alive()) return slot.connection.get();
  slot.connection.reset();
  if (slot.last_error && deadline.clock().Now() < slot.not_before) {
    return Fail(slot.last_error->In("waiting before the next attempt"));
  }
  auto connection = Connection::Open(options_, database, watchdog_, deadline);
  if (!connection) {
    NoteFailure(slot, connection.error(), deadline);
    return Fail(connection.error());
  }
  slot = Slot{std::move(*connection)};
  fresh_ = true;
  return slot.connection.get();
}

void Server::NoteFailure(Slot& slot, Error error, Deadline deadline) {
  const int doublings = std::min(slot.failures++, 10);
  const auto backoff = std::min<Duration>(kFirstBackoff * (1 << doublings), kLongestBackoff);
  // Half to all of it, so that many collectors do not come back in one wave.
  const double share = std::uniform_real_distribution<double>(0.5, 1)(random_);
  slot.not_before = deadline.clock().Now() + std::chrono::duration_cast<Duration>(backoff * share);
  slot.last_error = std::move(error);
}

void Server::DropDead(const Error& failure, Deadline deadline) {
  const auto drop = [&](Slot& slot) {
    if (!slot.connection || slot.connection->alive()) return;
    slot.connection.reset();
    if (failure.code() == ErrorCode::kTimeout) NoteFailure(slot, failure, deadline);
  };
  drop(main_);
  for (auto& [name, slot] : others_) drop(slot);
}

void Server::DropAll() {
  main_.connection.reset();
  for (auto& [name, slot] : others_) slot.connection.reset();
}

void Server::Retain(const std::set<std::string>& databases) {
  std::erase_if(others_, [&](const auto& entry) { return !databases.contains(entry.first); });
}

}  // namespace vigia::collectors::postgres
