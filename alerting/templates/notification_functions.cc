// The functions of notification templates, as Alertmanager has them.

#include <array>

#include "alerting/templates/common_functions.h"
#include "alerting/templates/go_time.h"
#include "alerting/templates/print.h"
#include "alerting/templates/strings.h"
#include "core/base64.h"
#include "core/text/json.h"

namespace vigia::alerting::templates {
namespace {

using common::Arguments;

tl::unexpected<Error> Wrong(std::string what) { return Fail(ErrorCode::kInvalid, std::move(what)); }

Result<Value> TitleCase(const Environment&, Arguments arguments) {
  return Value(TitleAndLower(Text(arguments[0])));
}
Result<Value> Trim(const Environment&, Arguments arguments) {
  return Value(TrimSpace(Text(arguments[0])));
}
Result<Value> Join(const Environment&, Arguments arguments) {
  std::string out;
  bool first = true;
  for (const Value& item : arguments[1].list()->items) {
    if (!first) out += Text(arguments[0]);
    first = false;
    out += Text(item);
  }
  return Value(std::move(out));
}

Result<Value> SafeUrl(const Environment&, Arguments arguments) {
  return Value(Markup{.text = Text(arguments[0]), .type = "template.URL"});
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char letter = static_cast<char>(c | 0x20);
  return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

Result<Value> UrlUnescape(const Environment&, Arguments arguments) {
  const auto& text = Text(arguments[0]);
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      const int high = i + 2 < text.size() ? HexDigit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? HexDigit(text[i + 2]) : -1;
      if (high < 0 || low < 0) return Wrong("invalid URL escape " + Quote(text.substr(i, 3)));
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return Value(std::move(out));
}

Result<Value> StringSlice(const Environment&, Arguments arguments) {
  return Value(List{.items = {arguments.begin(), arguments.end()}, .type = "[]string"});
}
Result<Value> MakeList(const Environment&, Arguments arguments) {
  return Value(List{.items = {arguments.begin(), arguments.end()}});
}
Result<Value> Append(const Environment&, Arguments arguments) {
  if (!arguments[0].list()) {
    return Wrong("append to " + std::string(TypeName(arguments[0])) + ", which is no list");
  }
  List list = *arguments[0].list();
  list.items.insert(list.items.end(), arguments.begin() + 1, arguments.end());
  return Value(std::move(list));
}
Result<Value> Dict(const Environment&, Arguments arguments) {
  if (arguments.size() % 2 != 0) return Wrong("dict expects an even number of arguments");
  Map map;
  for (std::size_t i = 0; i < arguments.size(); i += 2) {
    if (!arguments[i].string()) return Wrong("dict keys must be strings");
    map.Set(Text(arguments[i]), arguments[i + 1]);
  }
  return Value(std::move(map));
}

Result<Value> Date(const Environment&, Arguments arguments) {
  return Value(FormatTime(*arguments[1].As<Time>(), Text(arguments[0])));
}
Result<Value> InZone(const Environment&, Arguments arguments) {
  if (!KnowsZone(Text(arguments[0]))) return Wrong("unknown time zone " + Text(arguments[0]));
  Time time = *arguments[1].As<Time>();
  time.zone = Text(arguments[0]);
  return Value(std::move(time));
}
Result<Value> Now(const Environment& environment, Arguments) {
  return Value(Time::FromMilliseconds(environment.now));
}
Result<Value> Since(const Environment& environment, Arguments arguments) {
  const Time& time = *arguments[0].As<Time>();
  const auto now = Time::FromMilliseconds(environment.now);
  return Value(GoDuration{(now.seconds - time.seconds) * 1'000'000'000 + now.nanoseconds -
                          time.nanoseconds});
}

Result<Value> Encode64(const Environment&, Arguments arguments) {
  return Value(EncodeBase64(Text(arguments[0]), true));
}
Result<Value> Decode64(const Environment&, Arguments arguments) {
  auto text = DecodeBase64(Text(arguments[0]));
  return text ? Result<Value>(*std::move(text)) : Fail(text.error());
}

// As Go's encoding/json with the names that Alertmanager's types have there.
void AppendJson(text::JsonWriter& json, const Value& value);

void AppendFields(text::JsonWriter& json, const Struct& structure) {
  json.BeginObject();
  for (const auto& [name, value] : structure.fields) {
    std::string key(name);
    if (structure.type != "template.Pair") key[0] = static_cast<char>(key[0] | 0x20);
    json.Key(key);
    AppendJson(json, value);
  }
  json.EndObject();
}

void AppendJson(text::JsonWriter& json, const Value& value) {
  if (const auto* truth = value.As<bool>()) {
    json.Bool(*truth);
  } else if (const auto* number = value.As<std::int64_t>()) {
    json.Integer(*number);
  } else if (const auto* real = value.As<double>()) {
    json.Number(*real);
  } else if (const auto* duration = value.As<GoDuration>()) {
    json.Integer(duration->nanoseconds);
  } else if (const auto* time = value.As<Time>()) {
    json.String(FormatTime(*time, "2006-01-02T15:04:05.999999999Z07:00"));
  } else if (const auto* list = value.list()) {
    json.BeginArray();
    for (const Value& item : list->items) AppendJson(json, item);
    json.EndArray();
  } else if (const auto* map = value.map()) {
    json.BeginObject();
    for (const auto& [key, item] : map->entries) {
      json.Key(key);
      AppendJson(json, item);
    }
    json.EndObject();
  } else if (const auto* structure = value.structure()) {
    AppendFields(json, *structure);
  } else if (value.IsNil()) {
    json.Null();
  } else {
    json.String(Show(value));
  }
}

Result<Value> ToJson(const Environment&, Arguments arguments) {
  std::string out;
  text::JsonWriter json(out);
  AppendJson(json, arguments[0]);
  return Value(std::move(out));
}

constexpr std::array kFunctions{
    Function{"append", "aa*", Append},
    Function{"base64decode", "s", Decode64},
    Function{"base64encode", "s", Encode64},
    Function{"date", "st", Date},
    Function{"dict", "a*", Dict},
    Function{"humanizeDuration", "n", common::DurationForPeople},
    Function{"join", "sl", Join},
    Function{"list", "a*", MakeList},
    Function{"match", "ss", common::Match},
    Function{"now", "", Now},
    Function{"reReplaceAll", "sss", common::ReplaceAll},
    Function{"safeHtml", "s", common::SafeHtml},
    Function{"safeUrl", "s", SafeUrl},
    Function{"since", "t", Since},
    Function{"stringSlice", "s*", StringSlice},
    Function{"title", "s", TitleCase},
    Function{"toJson", "a", ToJson},
    Function{"toLower", "s", common::Lower},
    Function{"toUpper", "s", common::Upper},
    Function{"trimSpace", "s", Trim},
    Function{"tz", "st", InZone},
    Function{"urlUnescape", "s", UrlUnescape},
};

}  // namespace

std::span<const Function> NotificationFunctions() { return kFunctions; }

}  // namespace vigia::alerting::templates
