// Silences: who is not to be told about what, from when until when, by whom and why.
//
// As Alertmanager's: a silence is pending, active or expired; an edit that would change the past
// (matchers or start of one that has begun) ends it and makes a new one. Not thread-safe: the
// dispatcher guards the book.

#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "alerting/route/matcher.h"
#include "core/result.h"
#include "core/sample.h"

namespace vigia::alerting::dispatch {

enum class SilenceState { kPending, kActive, kExpired };

// "pending", "active", "expired".
std::string_view Name(SilenceState state);

struct Silence {
  std::string id;
  // Any of the sets silences, each set by all of its matchers. Never empty.
  std::vector<route::Matchers> matchers;
  Timestamp starts_at = 0;
  Timestamp ends_at = 0;
  Timestamp updated_at = 0;
  std::string created_by;
  std::string comment;
  std::map<std::string, std::string> annotations;

  SilenceState StateAt(Timestamp now) const;
  bool Matches(const Labels& labels) const;
};

class SilenceBook {
 public:
  // What an edit comes to: the silences to keep from now on, the one that answers for it last.
  using Edit = std::vector<Silence>;

  // What Set() would change; nothing is changed yet. An empty id is a new silence.
  // kInvalid: no matchers, none that needs a label, no end after the start, an end in the past;
  // kUnavailable: no silence of that id.
  Result<Edit> PrepareSet(Silence silence, Timestamp now) const;
  // The same to end one: it expires at `now`. Nothing is to change where it has already.
  Result<Edit> PrepareExpire(std::string_view id, Timestamp now) const;
  // Takes what was prepared, or restored.
  void Apply(const Edit& edit);

  const Silence* Find(std::string_view id) const;
  // Sorted as Alertmanager does: active by end, pending by start, expired by end, newest first.
  std::vector<Silence> List(Timestamp now) const;
  // The ids of those that are active and match, sorted.
  std::vector<std::string> Silencing(const Labels& labels, Timestamp now) const;

  // Forgets what expired before `before`; returns the ids.
  std::vector<std::string> Forget(Timestamp before);
  std::size_t CountIn(SilenceState state, Timestamp now) const;

 private:
  std::map<std::string, Silence, std::less<>> silences_;
};

}  // namespace vigia::alerting::dispatch
