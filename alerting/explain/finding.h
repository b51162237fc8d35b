// What was found in an expression that explains its result. Plain values.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/labels.h"
#include "core/sample.h"

namespace vigia::alerting::explain {

// A sample that a selector chose.
struct Reading {
  Labels labels;
  double value = 0;
  Timestamp time = 0;
};

// One comparison of two samples.
struct Compared {
  Labels labels;  // of the series side, the left one where both are series
  double left = 0;
  double right = 0;
  bool holds = false;

  // How far the two are apart; NaN where one of them is.
  double by() const;
};

// A matcher without which a selector would choose something.
struct Emptier {
  std::string matcher;              // `job="x"`
  std::size_t series = 0;           // chosen without it
  std::vector<std::string> values;  // that its label has in these, the first few
};

// About one part of the expression.
struct Finding {
  enum class Kind { kSelector, kComparison, kMatch, kFunction };

  Kind kind = Kind::kSelector;
  std::string expression;  // canonical; cut where it is long
  std::string text;        // in words
  std::size_t series = 0;  // in its result
  // Of the kind that has them, the first few.
  std::vector<Reading> readings;
  std::string_view op;  // of the comparison
  std::vector<Compared> compared;
  std::vector<Emptier> emptied_by;
};

std::string_view Name(Finding::Kind kind);

// About the whole expression.
struct Explanation {
  std::size_t series = 0;         // in the result: 0 means that nothing can fire
  std::string cause;              // why there is none
  std::vector<Finding> findings;  // in the order of the expression
  bool complete = true;           // else it was too large, or took too long
};

}  // namespace vigia::alerting::explain
