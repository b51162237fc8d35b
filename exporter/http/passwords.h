// Checks passwords against bcrypt hashes without letting that cost get out of hand: what has
// matched once is remembered, one hash is computed at a time, and few may wait for it.

#pragma once

#include <array>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_set>

struct crypt_data;

namespace vigia::http {

// "$2y$10$" and 53 characters more; $2a$ and $2b$ mean the same.
bool IsBcryptHash(std::string_view text);

// Thread-safe.
class PasswordChecker {
 public:
  PasswordChecker();
  ~PasswordChecker();

  enum class Answer {
    kMatch,
    kMismatch,
    kBusy,  // too many wait already, from this client or in all: ask again
  };

  // Whether `password` is that of `user` among `users` (name to bcrypt hash). An unknown user takes
  // as long as a known one. `client` is an IPv4 address: one client may not take the places of
  // the others.
  Answer Check(const std::map<std::string, std::string>& users, const std::string& user,
               const std::string& password, std::uint32_t client);

 private:
  using Digest = std::array<unsigned char, 32>;
  struct DigestHash {
    std::size_t operator()(const Digest& digest) const;
  };
  class Turn;

  Digest Digested(std::string_view user, std::string_view hash, std::string_view password) const;
  bool Matches(const std::string& hash, const std::string& password);
  void Remember(const Digest& digest);

  const std::array<unsigned char, 32> key_;  // makes digests worthless outside this process

  std::mutex mutex_;
  std::condition_variable turn_over_;
  // Guarded by mutex_.
  bool hashing_ = false;
  std::map<std::uint32_t, int> waiting_;  // requests per client that wait or hash
  int waiting_in_all_ = 0;
  std::unordered_set<Digest, DigestHash> matched_;
  std::deque<Digest> order_;  // of matched_, oldest first

  std::unique_ptr<crypt_data> scratch_;  // of whoever has the turn
};

}  // namespace vigia::http
