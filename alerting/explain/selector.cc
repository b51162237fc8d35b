#include "alerting/explain/selector.h"

#include <algorithm>
#include <set>

#include "query/promql/regex.h"
#include "query/promql/syntax/printer.h"

namespace vigia::alerting::explain {
namespace {

constexpr std::int64_t kPast = std::int64_t{24} * 3600 * 1000;
constexpr std::size_t kMostValues = 5;
constexpr std::size_t kMostEmptiers = 3;
constexpr std::size_t kMostNames = 20'000;  // compared with a name that does not exist

using SeriesList = std::vector<std::shared_ptr<const StoredSeries>>;

std::string Ago(Timestamp time, Timestamp now) {
  return FormatDuration(Milliseconds(std::max<Timestamp>(0, now - time)));
}

// Reads what one selector chooses.
class Look {
 public:
  Look(const Question& question, const promql::VectorSelector& selector, std::int64_t window,
       Timestamp time)
      : question_(question),
        selector_(selector),
        lookback_(question.engine.options().lookback.count()),
        window_(window),
        time_((selector.shift.at == promql::TimeShift::At::kTime ? selector.shift.time : time) -
              selector.shift.offset),
        matchers_(selector.matchers) {
    for (auto& matcher : matchers_) {
      if (matcher.op != Matcher::Op::kRegex && matcher.op != Matcher::Op::kNotRegex) continue;
      matcher.value = promql::PatternForSource(matcher.value, question.engine.options().semantics);
    }
  }

  Selected Explain() {
    Selected out;
    const auto fitting = Select(matchers_, std::max(lookback_, window_));
    for (const auto& series : fitting) Judge(*series, out.finding);
    out.finding.series = present_;
    if (present_ > 0) {
      out.finding.text = std::to_string(present_) + " series";
      if (window_ > 0 && most_samples_ < 2) {
        out.finding.text +=
            ", none with more than one sample in " + FormatDuration(Milliseconds(window_));
      }
      return out;
    }
    out.finding.text = WhyEmpty(fitting, out.finding);
    out.cause = out.finding.text;
    return out;
  }

 private:
  SeriesList Select(const std::vector<Matcher>& matchers, std::int64_t back) const {
    auto found = question_.source.Select(matchers, {time_ - back, time_});
    if (!found) return {};
    std::erase_if(*found,
                  [&](const auto& one) { return !Concerns(question_.about, one->labels()); });
    return *std::move(found);
  }

  void Judge(const StoredSeries& series, Finding& finding) {
    Columns samples;
    const auto back = std::max(lookback_, window_);
    if (!series.Read(time_ - back + 1, time_, samples) || samples.size() == 0) return;
    const double last = samples.values.back();
    // A range keeps what was before a marker.
    const auto first_of = time_ - (window_ > 0 ? window_ : lookback_);
    std::size_t good = 0;
    std::size_t newest = 0;
    for (std::size_t i = 0; i < samples.size(); ++i) {
      if (samples.times[i] <= first_of || IsStale(samples.values[i])) continue;
      ++good;
      newest = i;
    }
    if (good == 0 || (window_ == 0 && IsStale(last))) {
      if (IsUnknown(last)) ++unknown_;
      last_seen_ = std::max(last_seen_, samples.times.back());
      return;
    }
    ++present_;
    most_samples_ = std::max(most_samples_, good);
    if (finding.readings.size() >= kMostSeries) return;
    finding.readings.push_back({series.labels(), samples.values[newest], samples.times[newest]});
  }

  std::string WhyEmpty(const SeriesList& fitting, Finding& finding) {
    if (unknown_ > 0) {
      return "data is unknown: the source of " + std::to_string(unknown_) +
             " series does not answer since " + Ago(last_seen_, time_);
    }
    if (last_seen_ > 0) {
      return std::to_string(fitting.size()) + " series, all marked as gone " +
             Ago(last_seen_, time_) + " ago";
    }
    if (const auto old = Select(matchers_, kPast); !old.empty()) return Old(old);
    finding.emptied_by = Emptiers();
    std::string out;
    for (const auto& emptier : finding.emptied_by) {
      if (!out.empty()) out += "; and ";
      out += WithoutOne(emptier);
    }
    return out.empty() ? NameAlone() : out;
  }

  std::string Old(const SeriesList& series) const {
    Timestamp newest = 0;
    for (const auto& one : series) {
      Columns samples;
      if (one->Read(time_ - kPast, time_, samples) && samples.size() > 0) {
        newest = std::max(newest, samples.times.back());
      }
    }
    return std::to_string(series.size()) + " series, the newest sample " + Ago(newest, time_) +
           " old: a sample counts for " +
           FormatDuration(Milliseconds(window_ > 0 ? window_ : lookback_));
  }

  // Each matcher without which there are series.
  std::vector<Emptier> Emptiers() const {
    std::vector<Emptier> out;
    if (matchers_.size() < 2) return out;
    for (std::size_t i = 0; i < matchers_.size() && out.size() < kMostEmptiers; ++i) {
      if (matchers_[i].name == kMetricName) continue;
      auto others = matchers_;
      others.erase(others.begin() + static_cast<std::ptrdiff_t>(i));
      const auto left = Select(others, kPast);
      if (!left.empty()) out.push_back(Describe(selector_.matchers[i], left));
    }
    return out;
  }

  static Emptier Describe(const Matcher& matcher, const SeriesList& series) {
    Emptier out{.matcher = promql::ToString(matcher), .series = series.size(), .values = {}};
    std::set<std::string> values;
    for (const auto& one : series) {
      if (values.size() >= kMostValues) break;
      values.emplace(one->labels().Get(matcher.name));
    }
    out.values.assign(values.begin(), values.end());
    return out;
  }

  static std::string WithoutOne(const Emptier& emptier) {
    std::string out = emptier.matcher + " fits none of " + std::to_string(emptier.series) +
                      " series; there the label is ";
    for (std::size_t i = 0; i < emptier.values.size(); ++i) {
      out += i > 0 ? ", " : "";
      out += emptier.values[i].empty() ? "missing" : "\"" + emptier.values[i] + "\"";
    }
    return out + (emptier.values.size() == kMostValues ? ", ..." : "");
  }

  // No single matcher is to blame: the name, or several at once.
  std::string NameAlone() const {
    const auto name = std::find_if(matchers_.begin(), matchers_.end(), [](const auto& matcher) {
      return matcher.name == kMetricName && matcher.op == Matcher::Op::kEqual;
    });
    if (name == matchers_.end()) return "no series fits";
    const auto named = Select({*name}, kPast);
    if (!named.empty()) {
      return "no series fits; " + std::to_string(named.size()) + " are named " + name->value +
             ", and no single matcher alone is what they lack";
    }
    std::string out = question_.about.empty() ? "" : "of what was asked for, ";
    out += "no series is named " + name->value + " in the last 24h";
    const auto near = NearestName(name->value);
    return near.empty() ? out : out + "; the nearest name is " + near;
  }

  std::string NearestName(const std::string& wanted) const {
    const auto names = question_.source.LabelValues(kMetricName, {}, {time_ - kPast, time_});
    if (!names) return {};
    std::string best;
    std::size_t fewest = std::max<std::size_t>(2, wanted.size() / 4) + 1;
    for (std::size_t i = 0; i < std::min(names->size(), kMostNames); ++i) {
      const auto distance = Distance(wanted, (*names)[i], fewest);
      if (distance >= fewest) continue;
      fewest = distance;
      best = (*names)[i];
    }
    return best;
  }

  // Levenshtein's distance, or `most` where it is not below.
  static std::size_t Distance(std::string_view a, std::string_view b, std::size_t most) {
    const auto longer = std::max(a.size(), b.size());
    if (longer - std::min(a.size(), b.size()) >= most) return most;
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
      std::size_t diagonal = std::exchange(row[0], i);
      for (std::size_t j = 1; j <= b.size(); ++j) {
        const auto swapped = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
        diagonal = row[j];
        row[j] = std::min({row[j] + 1, row[j - 1] + 1, swapped});
      }
    }
    return std::min(row.back(), most);
  }

  const Question& question_;
  const promql::VectorSelector& selector_;
  const std::int64_t lookback_;
  const std::int64_t window_;
  const Timestamp time_;
  std::vector<Matcher> matchers_;

  std::size_t present_ = 0;
  std::size_t unknown_ = 0;
  std::size_t most_samples_ = 0;
  Timestamp last_seen_ = 0;
};

}  // namespace

Selected ExplainSelector(const Question& question, const promql::VectorSelector& selector,
                         std::int64_t window, Timestamp time) {
  return Look(question, selector, window, time).Explain();
}

}  // namespace vigia::alerting::explain
