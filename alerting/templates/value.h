// A Value is what a template computes with: one of the kinds of Go that templates can meet.
//
// Lists, maps and structs are immutable and shared. Maps and structs can have methods, which a
// template writes like fields (`.Labels.Names`). Plain values; any thread may use its own.

#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/labels.h"

namespace vigia::alerting::templates {

struct List;
struct Map;
struct Struct;
struct Function;  // function.h

// Go's time.Time: an instant, and the zone that it is shown in.
struct Time {
  std::int64_t seconds = -62'135'596'800;  // Unix; by default Go's zero time, year 1
  std::int32_t nanoseconds = 0;
  std::string zone = "UTC";

  static Time FromMilliseconds(std::int64_t time);
  bool IsZero() const { return seconds == -62'135'596'800 && nanoseconds == 0; }
  friend bool operator==(const Time& a, const Time& b) {
    return a.seconds == b.seconds && a.nanoseconds == b.nanoseconds;
  }
};

// Go's time.Duration.
struct GoDuration {
  std::int64_t nanoseconds = 0;
  friend bool operator==(const GoDuration&, const GoDuration&) = default;
};

// Text that is markup already (html/template.HTML and its like): never escaped.
struct Markup {
  std::string text;
  std::string_view type = "template.HTML";
  friend bool operator==(const Markup& a, const Markup& b) { return a.text == b.text; }
};

struct Value {
  using Data = std::variant<std::monostate, bool, std::int64_t, double, std::string, Markup, Time,
                            GoDuration, std::shared_ptr<const List>, std::shared_ptr<const Map>,
                            std::shared_ptr<const Struct>>;

  Value() = default;  // nil
  Value(bool value) : data(value) {}
  Value(std::int64_t value) : data(value) {}
  Value(int value) : data(std::int64_t{value}) {}
  Value(std::size_t value) : data(static_cast<std::int64_t>(value)) {}
  Value(double value) : data(value) {}
  Value(std::string value) : data(std::move(value)) {}
  Value(std::string_view value) : data(std::string(value)) {}
  Value(const char* value) : data(std::string(value)) {}
  Value(Markup value) : data(std::move(value)) {}
  Value(Time value) : data(std::move(value)) {}
  Value(GoDuration value) : data(value) {}
  Value(List value);
  Value(Map value);
  Value(Struct value);

  template <typename T>
  const T* As() const {
    return std::get_if<T>(&data);
  }
  // nullptr if it is no such thing.
  const List* list() const;
  const Map* map() const;
  const Struct* structure() const;
  const std::string* string() const { return As<std::string>(); }
  bool IsNil() const { return data.index() == 0; }

  Data data;
};

struct List {
  std::vector<Value> items;
  std::string_view type = "[]interface {}";
  std::span<const Function> methods = {};
};

struct Map {
  std::vector<std::pair<std::string, Value>> entries;  // sorted by key, keys unique
  std::string_view type = "map[string]interface {}";
  std::span<const Function> methods = {};
  Value missing = {};  // what a key that is not there gives ("missingkey=zero")

  const Value* Find(std::string_view key) const;
  void Set(std::string key, Value value);
};

struct Struct {
  std::vector<std::pair<std::string_view, Value>> fields;
  std::string_view type;
  std::span<const Function> methods = {};
};

// A list of strings; a map of a label set, type map[string]string unless said otherwise.
Value StringList(std::vector<std::string> strings);
Map StringMap(const Labels& labels);

// As Go's `%T`: "string", "float64", "map[string]string", "<nil>".
std::string_view TypeName(const Value& value);
// Whether `if` takes it for true: not zero, not empty. Structs are always true.
bool IsTrue(const Value& value);

// The methods of `value`, its own or those of its kind.
std::span<const Function> MethodsOf(const Value& value);

}  // namespace vigia::alerting::templates
