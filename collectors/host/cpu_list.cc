#include "collectors/host/cpu_list.h"

#include <algorithm>

#include "collectors/host/text.h"

namespace vigia::collectors::host {

Status CpuList::Refresh() {
  const auto text = file_.ReadIfPresent();
  if (!text) return Fail(text.error());
  auto rest = Trim(text->value_or(""));
  if (rest == text_) return Ok();
  text_.clear();
  cpus_.clear();
  const std::string parsed(rest);
  while (!rest.empty()) {
    const auto range = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), range.size() + 1));
    const auto dash = range.find('-');
    const auto first = ParseNumber<std::uint32_t>(range.substr(0, dash));
    const auto last =
        dash == range.npos ? first : ParseNumber<std::uint32_t>(range.substr(dash + 1));
    const bool ascends = first && last && *first <= *last && *last < kMaxCpus &&
                         (cpus_.empty() || cpus_.back() < *first);
    if (!ascends) {
      cpus_.clear();
      return Fail(Malformed(file_.path(), "'" + std::string(range) + "' is not a range of CPUs"));
    }
    for (auto cpu = *first; cpu <= *last; ++cpu) cpus_.push_back(cpu);
  }
  text_ = parsed;
  return Ok();
}

}  // namespace vigia::collectors::host
