// Asks a Prometheus for the past: query_range, in pieces that it can answer.

#pragma once

#include <functional>
#include <map>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/http_client.h"
#include "core/labels.h"
#include "exporter/config/datasource.h"

namespace vigia::exporter {

// `expression` with `matchers` added to each of its selectors: what asks a server that has the
// series of many machines for those of one. What is not PromQL is returned as it is.
std::string Narrowed(const std::string& expression, const std::vector<Matcher>& matchers);

// Not thread-safe.
class Datasource {
 public:
  explicit Datasource(const DatasourceConfig& config) : config_(config), client_(config.http) {}

  struct Range {
    Timestamp from = 0;
    Timestamp to = 0;
    std::int64_t step = 0;  // milliseconds
  };
  // Called for each value, series by series within a piece, each in the order of time. Labels are
  // without the name and what drop_labels names.
  using Take = std::function<void(const Labels& labels, Timestamp time, double value)>;

  // Reads a range piece by piece, the oldest first. A piece has at most 11,000 steps, and so few
  // that about 100,000 values come at once. Where two series look the same once labels are dropped,
  // the second one is left out and counted by left_out(). Errors are those of HttpClient; what the
  // server says where the answer is no success: kInvalid where the expression is to blame, else
  // kUnavailable.
  Status Read(const std::string& expression, Range range, const Take& take, std::stop_token stop);

  // Of the last Read().
  std::size_t left_out() const { return left_out_.size(); }

 private:
  // What one request brought.
  struct Piece {
    bool too_large = false;  // nothing was taken
    std::size_t series = 0;
  };

  Result<Piece> ReadPiece(const std::string& query, Range range, const Take& take,
                          std::stop_token stop);
  // Whether a series is taken; `own` are its labels as the baseline has them.
  bool Admit(const Labels& all, Labels& own);

  const DatasourceConfig config_;
  HttpClient client_;
  std::map<Labels, Labels> admitted_;  // own labels, and all of the series that has them
  std::set<Labels> left_out_;
};

}  // namespace vigia::exporter
