// Writes JSON as a stream: nothing is built in memory but the text itself.
//
//     JsonWriter json(out);
//     json.BeginObject();
//     json.Key("status").String("firing");
//     json.Key("alerts").BeginArray();
//     ...
//     json.EndArray();
//     json.EndObject();
//
// Commas are put by the writer; that objects and arrays are closed, and that keys stand only in
// objects, is the caller's part. Text that is not UTF-8 is repaired. Not thread-safe.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace vigia::text {

// Appends `text` in quotes. Control characters are escaped; `<`, `>` and `&` are not.
void AppendJsonString(std::string& out, std::string_view text);

class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  JsonWriter& BeginObject() { return Begin('{'); }
  JsonWriter& EndObject() { return End('}'); }
  JsonWriter& BeginArray() { return Begin('['); }
  JsonWriter& EndArray() { return End(']'); }

  JsonWriter& Key(std::string_view key);
  JsonWriter& String(std::string_view value);
  JsonWriter& Integer(std::int64_t value);
  // The shortest form; null for what JSON has no number for (NaN, infinities).
  JsonWriter& Number(double value);
  JsonWriter& Bool(bool value);
  JsonWriter& Null() { return Raw("null"); }
  // A value that is JSON already.
  JsonWriter& Raw(std::string_view json);

  // A key with its value.
  JsonWriter& Field(std::string_view key, std::string_view value) { return Key(key).String(value); }

 private:
  JsonWriter& Begin(char bracket);
  JsonWriter& End(char bracket);
  // The comma that stands before a value that is not the first.
  void Separate();

  std::string& out_;
  bool comma_ = false;  // whether the next value needs one
};

}  // namespace vigia::text
