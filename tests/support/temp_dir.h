// A temporary folder that is removed with its content.

#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace vigia::test {

class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::filesystem::path& path() const { return path_; }
  // Writes a file, and the folders above it.
  void Write(const std::filesystem::path& name, std::string_view content) const;
  std::string Read(const std::filesystem::path& name) const;

 private:
  std::filesystem::path path_;
};

}  // namespace vigia::test
