// Attributes and folders of /sys, read again and again. Not thread-safe.
//
// An attribute is a file of at most one page that the kernel hands over in one read. One that
// cannot be read is nothing to report: drivers refuse what their device does not know (EINVAL,
// EOPNOTSUPP), sensors fail now and then (EIO, ENODATA), and a device may go at any moment.

#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"

namespace vigia::collectors::host {

// Room for any attribute.
using SysBuffer = std::array<char, 4096>;

// It stays open between reads, as long as there are not too many: a host with hundreds of
// containers has tens of thousands of attributes.
class SysFile {
 public:
  static constexpr int kMaxOpen = 384;  // of all

  explicit SysFile(std::filesystem::path path) : path_(std::move(path)) {}
  SysFile(SysFile&& other) noexcept;
  SysFile& operator=(SysFile&& other) noexcept;
  ~SysFile();

  // The content without blanks around it, cut to `buffer`, in which it stands; nothing if it
  // cannot be read.
  std::optional<std::string_view> Read(std::span<char> buffer);

  // The content as a number, "0x" before a hexadecimal one; nothing if it cannot be read,
  // kCorrupt if it is no number.
  Result<std::optional<std::int64_t>> ReadNumber();

  const std::filesystem::path& path() const { return path_; }

 private:
  void Close();

  static std::atomic<int> open_;

  std::filesystem::path path_;
  int descriptor_ = -1;
};

// What a folder contains. Listing it again is cheap as long as nothing changed.
class SysFolder {
 public:
  struct Entry {
    std::string name;
    bool is_file = false;  // a plain file, not a folder or a link to one
  };

  explicit SysFolder(std::filesystem::path path) : path_(std::move(path)) {}
  SysFolder(SysFolder&& other) noexcept;
  SysFolder& operator=(SysFolder&&) = delete;
  ~SysFolder();

  // Lists again; true if entries() changed. A folder that is not there is empty.
  bool Refresh();

  // Sorted by name, but "cpu2" before "cpu10"; without hidden ones.
  const std::vector<Entry>& entries() const { return entries_; }
  const std::filesystem::path& path() const { return path_; }

 private:
  bool ReadRaw(std::string& raw);
  void Parse(std::string_view raw);
  void Close();

  const std::filesystem::path path_;
  int descriptor_ = -1;
  std::string raw_;      // what entries_ was made from
  std::string scratch_;  // of the next listing
  std::vector<Entry> entries_;
};

// One Device for each folder in /sys/class/<class>, or in any other folder, that is wanted: made
// when it appears, kept while it stays.
template <typename Device>
class SysDevices {
 public:
  explicit SysDevices(std::filesystem::path path) : folder_(std::move(path)) {}

  // `make(name, path)` returns std::optional<Device>: nothing for a folder that is no device.
  template <typename Make>
  std::vector<Device>& Refresh(Make make) {
    if (!folder_.Refresh()) return devices_;
    std::vector<Device> devices;
    std::vector<std::string> names;
    for (const auto& entry : folder_.entries()) {
      if (entry.is_file) continue;
      const auto known = Find(entry.name);
      auto device = known ? std::optional(std::move(devices_[*known]))
                          : make(entry.name, folder_.path() / entry.name);
      if (!device) continue;
      devices.push_back(std::move(*device));
      names.push_back(entry.name);
    }
    devices_ = std::move(devices);
    names_ = std::move(names);
    return devices_;
  }

  // Those of the last Refresh().
  std::vector<Device>& Get() { return devices_; }

 private:
  std::optional<std::size_t> Find(std::string_view name) const {
    for (std::size_t i = 0; i < names_.size(); ++i) {
      if (names_[i] == name) return i;
    }
    return std::nullopt;
  }

  SysFolder folder_;
  std::vector<Device> devices_;
  std::vector<std::string> names_;  // of devices_
};

}  // namespace vigia::collectors::host
