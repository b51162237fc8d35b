// A Trace takes down what one probe does, line by line, for people who ask for it: `debug=true` of
// /probe. Used by the thread that probes.

#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/log.h"

namespace vigia::collectors::probe {

class Trace {
 public:
  // `clock` outlives the trace.
  explicit Trace(const Clock& clock) : clock_(clock) {}

  // Lines beyond 64 KiB in all are left out.
  void Add(log::Level level, std::string_view message, std::initializer_list<log::Field> fields);
  // All lines so far, in logfmt, secrets hidden.
  const std::string& text() const { return text_; }

 private:
  const Clock& clock_;
  std::string text_;
};

}  // namespace vigia::collectors::probe
