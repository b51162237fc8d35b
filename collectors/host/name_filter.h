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

  // Reads two expressions, of which one may be given; `exclude` stands where neither is. Faults
  // go to `options`.
  static NameFilter Read(config::MapReader& options, std::string_view include_key,
                         std::string_view exclude_key, std::string_view exclude);
  // Read() of `device_include` and `device_exclude`.
  static NameFilter ReadDevices(config::MapReader& options, std::string_view exclude) {
    return Read(options, "device_include", "device_exclude", exclude);
  }
  // Reads one expression that a name has to match; an empty one matches every name.
  static NameFilter ReadInclude(config::MapReader& options, std::string_view key,
                                std::string_view include);

  bool Accepts(std::string_view name) const;

 private:
  static std::unique_ptr<re2::RE2> Compile(config::MapReader& options, std::string_view key,
                                           const std::string& expression);

  std::unique_ptr<re2::RE2> include_;  // null: all
  std::unique_ptr<re2::RE2> exclude_;  // null: none
};

}  // namespace vigia::collectors::host
