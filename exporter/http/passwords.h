// Passwords against bcrypt hashes, without letting the cost of bcrypt become a weapon.
//
// A right password is remembered (as a keyed digest) and costs nothing the next time; wrong ones
// are checked one at a time, and beyond a short queue turned away. Thread-safe.

#pragma once

#include <array>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_set>

namespace vigia::http {

class PasswordChecker {
 public:
  enum class Answer { kRight, kWrong, kBusy };

  PasswordChecker();

  // `users`: name -> bcrypt hash. An unknown user costs as much as a wrong password.
  Answer Check(const std::map<std::string, std::string>& users, std::string_view user,
               std::string_view password);

 private:
  static constexpr std::size_t kRemembered = 256;
  static constexpr int kQueue = 16;

  std::string Digest(std::string_view user, std::string_view password, std::string_view hash) const;

  std::array<unsigned char, 32> key_;
  std::mutex mutex_;
  std::condition_variable turn_;
  // Guarded by mutex_.
  std::unordered_set<std::string> right_;
  std::deque<std::string> right_in_order_;
  bool checking_ = false;
  int waiting_ = 0;
};

// "Basic dXNlcjpwYXNz" -> "user:pass"; empty if it is nothing of the kind.
std::string DecodeBasic(std::string_view authorization);

}  // namespace vigia::http
