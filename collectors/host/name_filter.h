// Chooses devices or fields by name, with regular expressions (RE2's syntax).
//
// As in node_exporter an expression may match anywhere in the name unless it is anchored.
// Constant after construction, so any thread may ask.

#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/config/reader.h"

namespace re2 {
class RE2;
}

namespace vigia::collectors::host {

class NameFilter {
 public:
  // Accepts every name.
  NameFilter() = default;
  NameFilter(NameFilter&&) noexcept;
  NameFilter& operator=(NameFilter&&) noexcept;
  ~NameFilter();

  // Reads the options `<what>_include` and `<what>_exclude` ("device_include"), of which one may
  // be given; `exclude` stands where neither is. Faults go to `options`.
  static NameFilter Read(config::MapReader& options, const std::string& what,
                         std::string_view exclude);
  // Reads one expression that a name has to match; an empty one matches every name.
  static NameFilter ReadInclude(config::MapReader& options, std::string_view key,
                                std::string_view include);
  // Reads the same options as Read(), as expressions for the whole name that both apply; these
  // stand where one is not given.
  static NameFilter ReadWhole(config::MapReader& options, const std::string& what,
                              std::string_view include, std::string_view exclude);

  bool Accepts(std::string_view name) const;

 private:
  static std::unique_ptr<re2::RE2> Compile(config::MapReader& options, std::string_view key,
                                           const std::string& expression);

  std::unique_ptr<re2::RE2> include_;  // null: all
  std::unique_ptr<re2::RE2> exclude_;  // null: none
};

}  // namespace vigia::collectors::host
