// Fills in the templates of labels and annotations.

#pragma once

#include <string>
#include <string_view>

#include "core/labels.h"
#include "core/result.h"
#include "core/sample.h"

namespace vigia::alerting::rules {

// Thread-safe.
class Expander {
 public:
  virtual ~Expander() = default;

  // What the template `text` of alert `rule` says at `time` about a result with these labels (its
  // metric name among them) and this value.
  virtual Result<std::string> Expand(std::string_view rule, std::string_view text,
                                     const Labels& labels, double value, Timestamp time) const = 0;
};

}  // namespace vigia::alerting::rules
