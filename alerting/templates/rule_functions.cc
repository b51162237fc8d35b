// The functions of templates in rule files, as Prometheus has them.

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "alerting/templates/common_functions.h"
#include "alerting/templates/escape.h"
#include "alerting/templates/function.h"
#include "alerting/templates/go_time.h"
#include "alerting/templates/humanize.h"
#include "alerting/templates/strings.h"
#include "core/duration.h"

namespace vigia::alerting::templates {
namespace {

using common::Arguments;

tl::unexpected<Error> Wrong(std::string what) { return Fail(ErrorCode::kInvalid, std::move(what)); }

template <std::string (*form)(double)>
Result<Value> OfNumber(const Environment&, Arguments arguments) {
  const auto number = ToFloat(arguments[0]);
  return number ? Result<Value>(form(*number)) : Fail(number.error());
}

Result<Value> Query(const Environment& environment, Arguments arguments) {
  if (!environment.query) return Wrong("queries are not available here");
  const auto samples = environment.query(Text(arguments[0]));
  if (!samples) return Fail(samples.error());
  List list{.type = "template.queryResult"};
  for (const auto& sample : *samples) {
    list.items.emplace_back(
        Struct{.fields = {{"Labels", StringMap(sample.labels)}, {"Value", sample.value}},
               .type = "*template.sample"});
  }
  return Value(std::move(list));
}

Result<Value> First(const Environment&, Arguments arguments) {
  const auto& items = arguments[0].list()->items;
  if (items.empty()) return Wrong("first() called on vector with no elements");
  return items.front();
}

const Value& LabelOf(const Value& sample, std::string_view name) {
  const Map& labels = *sample.structure()->fields[0].second.map();
  const Value* value = labels.Find(name);
  return value ? *value : labels.missing;
}

Result<Value> Label(const Environment&, Arguments arguments) {
  return LabelOf(arguments[1], Text(arguments[0]));
}
Result<Value> StringValue(const Environment&, Arguments arguments) {
  return LabelOf(arguments[0], "__value__");
}
Result<Value> SampleValue(const Environment&, Arguments arguments) {
  return arguments[0].structure()->fields[1].second;
}

Result<Value> SortByLabel(const Environment&, Arguments arguments) {
  List sorted = *arguments[1].list();
  const auto& label = Text(arguments[0]);
  std::stable_sort(sorted.items.begin(), sorted.items.end(), [&](const Value& a, const Value& b) {
    return Text(LabelOf(a, label)) < Text(LabelOf(b, label));
  });
  return Value(std::move(sorted));
}

Result<Value> Args(const Environment&, Arguments arguments) {
  Map map;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    map.Set("arg" + std::to_string(i), arguments[i]);
  }
  return Value(std::move(map));
}

Result<Value> TitleCase(const Environment&, Arguments arguments) {
  return Value(Title(Text(arguments[0])));
}

Result<Value> GraphLink(const Environment&, Arguments arguments) {
  return Value("/graph?g0.expr=" + EscapeQuery(Text(arguments[0])) + "&g0.tab=0");
}
Result<Value> TableLink(const Environment&, Arguments arguments) {
  return Value("/graph?g0.expr=" + EscapeQuery(Text(arguments[0])) + "&g0.tab=1");
}
Result<Value> QueryEscape(const Environment&, Arguments arguments) {
  return Value(EscapeQuery(Text(arguments[0])));
}

Result<Value> StripPort(const Environment&, Arguments arguments) {
  std::string_view host;
  std::string_view port;
  return SplitHostPort(Text(arguments[0]), host, port) ? Value(host) : arguments[0];
}

bool IsAddress(const std::string& host) {
  in6_addr address{};
  return inet_pton(AF_INET, host.c_str(), &address) == 1 ||
         inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

Result<Value> StripDomain(const Environment&, Arguments arguments) {
  std::string_view host;
  std::string_view port;
  if (!SplitHostPort(Text(arguments[0]), host, port)) {
    host = Text(arguments[0]);
    port = {};
  }
  if (IsAddress(std::string(host))) return arguments[0];
  std::string out(host.substr(0, host.find('.')));
  if (!port.empty()) out += ":" + std::string(port);
  return Value(out);
}

// A number of seconds that fits into nanoseconds.
Result<double> Seconds(const Value& value) {
  const auto seconds = ToFloat(value);
  if (!seconds) return seconds;
  if (!std::isfinite(*seconds)) return Wrong("value is NaN or Inf");
  if (std::fabs(*seconds) > 9.2e9) {
    return Wrong("value cannot be represented as a nanoseconds timestamp since it overflows int64");
  }
  return seconds;
}

Time FromSeconds(double seconds) {
  // In nanoseconds, rounded down to milliseconds as a Prometheus timestamp is.
  return Time::FromMilliseconds(static_cast<std::int64_t>(std::trunc(seconds * 1e9)) / 1'000'000);
}

Result<Value> ToTime(const Environment&, Arguments arguments) {
  const auto seconds = Seconds(arguments[0]);
  return seconds ? Result<Value>(FromSeconds(*seconds)) : Fail(seconds.error());
}

Result<Value> ToDuration(const Environment&, Arguments arguments) {
  const auto seconds = Seconds(arguments[0]);
  if (!seconds) return Fail(seconds.error());
  return Value(GoDuration{static_cast<std::int64_t>(*seconds * 1e9)});
}

Result<Value> HumanizeTimestamp(const Environment& environment, Arguments arguments) {
  const auto number = ToFloat(arguments[0]);
  if (!number) return Fail(number.error());
  if (!std::isfinite(*number)) return Value(Humanize(*number));
  const auto time = ToTime(environment, arguments);
  if (!time) return time;
  return Value(FormatTime(*time->As<Time>(), kTimeString));
}

Result<Value> ParseDurationText(const Environment&, Arguments arguments) {
  auto text = std::string_view(Text(arguments[0]));
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const auto duration = ParseDuration(text);
  if (!duration) return Fail(duration.error());
  return Value(static_cast<double>(duration->count()) / (negative ? -1000.0 : 1000.0));
}

Result<Value> Now(const Environment& environment, Arguments) {
  return Value(static_cast<double>(environment.now) / 1000.0);
}

Result<Value> ExternalUrl(const Environment& environment, Arguments) {
  return Value(environment.external_url);
}

// The path of the URL: what stands behind the host.
Result<Value> PathPrefix(const Environment& environment, Arguments) {
  const std::string_view url = environment.external_url;
  const auto scheme = url.find("://");
  const auto path = url.find('/', scheme == url.npos ? 0 : scheme + 3);
  return Value(path == url.npos ? std::string_view() : url.substr(path));
}

constexpr std::array kFunctions{
    Function{"args", "a*", Args},
    Function{"externalURL", "", ExternalUrl},
    Function{"first", "q", First},
    Function{"graphLink", "s", GraphLink},
    Function{"humanize", "n", OfNumber<Humanize>},
    Function{"humanize1024", "n", OfNumber<Humanize1024>},
    Function{"humanizeDuration", "n", common::DurationForPeople},
    Function{"humanizePercentage", "n", OfNumber<HumanizePercentage>},
    Function{"humanizeTimestamp", "n", HumanizeTimestamp},
    Function{"label", "sp", Label},
    Function{"match", "ss", common::Match},
    Function{"now", "", Now},
    Function{"parseDuration", "s", ParseDurationText},
    Function{"pathPrefix", "", PathPrefix},
    Function{"query", "s", Query},
    Function{"reReplaceAll", "sss", common::ReplaceAll},
    Function{"safeHtml", "s", common::SafeHtml},
    Function{"sortByLabel", "sq", SortByLabel},
    Function{"stripDomain", "s", StripDomain},
    Function{"stripPort", "s", StripPort},
    Function{"strvalue", "p", StringValue},
    Function{"tableLink", "s", TableLink},
    Function{"title", "s", TitleCase},
    Function{"toDuration", "n", ToDuration},
    Function{"toLower", "s", common::Lower},
    Function{"toTime", "n", ToTime},
    Function{"toUpper", "s", common::Upper},
    Function{"urlQueryEscape", "s", QueryEscape},
    Function{"value", "p", SampleValue},
};

}  // namespace

std::span<const Function> RuleFunctions() { return kFunctions; }

}  // namespace vigia::alerting::templates
