#include "exporter/http/passwords.h"

#include <crypt.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <memory>

namespace vigia::http {
namespace {

// A hash of nobody's password, at the usual cost, for users that do not exist.
constexpr const char* kNobody = "$2b$10$ZB9e5SlKp5vOqpoMQYoGWuZ1hJ5TmbyHkAFyDAxwFNzcyYL8QXbEC";

bool Matches(const std::string& password, const std::string& hash) {
  // crypt_data is too large for a small stack.
  const auto data = std::make_unique<crypt_data>();
  const char* const made = ::crypt_r(password.c_str(), hash.c_str(), data.get());
  const std::string_view result = made ? made : "";
  return result.size() == hash.size() &&
         ::CRYPTO_memcmp(result.data(), hash.data(), hash.size()) == 0;
}

}  // namespace

PasswordChecker::PasswordChecker() { ::RAND_bytes(key_.data(), static_cast<int>(key_.size())); }

std::string PasswordChecker::Digest(std::string_view user, std::string_view password,
                                    std::string_view hash) const {
  std::string text(user);
  text += '\0';
  text += password;
  text += '\0';
  text += hash;
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  ::HMAC(::EVP_sha256(), key_.data(), static_cast<int>(key_.size()),
         reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &size);
  return {reinterpret_cast<const char*>(digest.data()), size};
}

PasswordChecker::Answer PasswordChecker::Check(const std::map<std::string, std::string>& users,
                                               std::string_view user, std::string_view password) {
  const auto at = users.find(std::string(user));
  const std::string hash = at == users.end() ? kNobody : at->second;
  const auto digest = Digest(user, password, hash);

  std::unique_lock lock(mutex_);
  if (right_.contains(digest)) return Answer::kRight;
  if (waiting_ >= kQueue) return Answer::kBusy;
  ++waiting_;
  turn_.wait(lock, [&] { return !checking_; });
  --waiting_;
  checking_ = true;
  lock.unlock();
  const bool right = Matches(std::string(password), hash) && at != users.end();
  lock.lock();
  checking_ = false;
  turn_.notify_one();
  if (!right) return Answer::kWrong;
  if (right_.insert(digest).second) right_in_order_.push_back(digest);
  if (right_in_order_.size() > kRemembered) {
    right_.erase(right_in_order_.front());
    right_in_order_.pop_front();
  }
  return Answer::kRight;
}

std::string DecodeBasic(std::string_view authorization) {
  constexpr std::string_view kScheme = "Basic ";
  constexpr std::size_t kLongest = 4096;
  if (!authorization.starts_with(kScheme)) return {};
  authorization.remove_prefix(kScheme.size());
  if (authorization.empty() || authorization.size() > kLongest || authorization.size() % 4 != 0) {
    return {};
  }
  std::string out(authorization.size() / 4 * 3, '\0');
  const int size = ::EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                     reinterpret_cast<const unsigned char*>(authorization.data()),
                                     static_cast<int>(authorization.size()));
  if (size < 0) return {};
  std::size_t padding = 0;
  while (padding < 2 && authorization[authorization.size() - 1 - padding] == '=') ++padding;
  out.resize(static_cast<std::size_t>(size) - padding);
  return out;
}

}  // namespace vigia::http
