#include "collectors/probe/trace.h"

namespace vigia::collectors::probe {

void Trace::Add(log::Level level, std::string_view message,
                std::initializer_list<log::Field> fields) {
  constexpr std::size_t kMost = 64 * 1024;
  if (text_.size() > kMost) return;
  text_ += log::FormatLine(log::Format::kLogfmt, clock_.Wall(), level, message, fields);
  text_ += '\n';
}

}  // namespace vigia::collectors::probe
