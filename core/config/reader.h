// Reads one map of a configuration file, strictly.
//
//     MapReader options(node, diagnostics);
//     options.Read("interval", interval);
//     options.Read("url", url);
//     options.Finish();   // every key that nobody asked for is a fault
//
// A fault is reported once, with its place and what would be right; the variable then keeps
// its default and reading goes on, so that one pass finds all faults. Not thread-safe.

#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/diagnostics.h"
#include "core/config/node.h"
#include "core/duration.h"
#include "core/secret.h"

namespace vigia::config {

// Whether a password may stand in the file itself: not in ours, but in those of public formats.
enum class PlainSecrets { kRefused, kAllowed };

class MapReader {
 public:
  // A null node reads as an empty map. `context` says whose map it is ("collectors.redis").
  MapReader(const Node& node, Diagnostics& diagnostics, std::string context = {});

  // Each returns true if the key was there and well-formed; `out` is changed only then.
  bool Read(std::string_view key, bool& out);
  bool Read(std::string_view key, std::string& out);
  bool Read(std::string_view key, std::filesystem::path& out);
  bool Read(std::string_view key, double& out);
  bool Read(std::string_view key, std::int64_t& out, std::int64_t min = INT64_MIN,
            std::int64_t max = INT64_MAX);
  // A Prometheus duration, above zero.
  bool Read(std::string_view key, Milliseconds& out);
  // A list of strings; one string reads as a list of one.
  bool Read(std::string_view key, std::vector<std::string>& out);
  bool Read(std::string_view key, std::map<std::string, std::string>& out);
  // "10MB", "64KiB", "1024": bytes. Units as in Prometheus' flags: KB and KiB are both 1024.
  bool ReadBytes(std::string_view key, std::uint64_t& out);
  // `key`, or `key_file` with the path of a file that holds the value; not both. `key` itself
  // has to take its value from the environment unless plain secrets are allowed.
  bool ReadSecret(std::string_view key, Secret& out, PlainSecrets plain = PlainSecrets::kRefused);
  // One of `words`; returns its index, or `fallback` if the key is absent or wrong.
  std::size_t ReadChoice(std::string_view key, std::span<const std::string_view> words,
                         std::size_t fallback);

  // The raw entry, for nested maps and lists; nullptr if absent.
  const Node* Child(std::string_view key);
  bool Has(std::string_view key) const { return node_.Find(key) != nullptr; }

  // Reports a fault of this map's: at `key` if it is there, else at the map.
  void Fault(std::string_view key, std::string_view what);
  // Reports that `key` is missing.
  void Require(std::string_view key, std::string_view why);
  // Reports every key that was never read, with the nearest known one.
  void Finish();

  const Node& node() const { return node_; }
  Position position() const { return node_.position; }
  Diagnostics& diagnostics() { return diagnostics_; }
  const std::string& context() const { return context_; }

 private:
  const Node* Scalar(std::string_view key, std::string_view wanted);
  template <typename T, typename Parse>
  bool ReadParsed(std::string_view key, std::string_view wanted, T& out, Parse parse);

  const Node& node_;
  Diagnostics& diagnostics_;
  const std::string context_;
  std::vector<std::string> known_;
};

// The strings of a scalar or of a list of scalars; faults are reported.
bool ReadStrings(const Node& node, std::string_view what, Diagnostics& diagnostics,
                 std::vector<std::string>& out);

}  // namespace vigia::config
