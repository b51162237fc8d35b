#include "exporter/http/passwords.h"

#include <crypt.h>
#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <sys/random.h>

#include <algorithm>
#include <cstring>

namespace vigia::http {
namespace {

constexpr std::size_t kRemembered = 256;
constexpr int kMostWaiting = 16;
constexpr int kMostWaitingPerClient = 2;

template <std::size_t N>
std::array<unsigned char, N> RandomBytes() {
  std::array<unsigned char, N> bytes{};
  // Up to 256 bytes are never cut short.
  [[maybe_unused]] const auto n = ::getrandom(bytes.data(), bytes.size(), 0);
  return bytes;
}

// Compared for an unknown user, with the cost of the known ones.
std::string SomeHash(const std::map<std::string, std::string>& users) {
  const std::string& model = users.begin()->second;
  return model.substr(0, 7) + std::string(53, '.');
}

}  // namespace

bool IsBcryptHash(std::string_view text) {
  if (text.size() != 60 || !text.starts_with("$2") || text[3] != '$' || text[6] != '$')
    return false;
  if (text[2] != 'a' && text[2] != 'b' && text[2] != 'y') return false;
  const auto cost = text.substr(4, 2);
  if (cost < "04" || cost > "31" || cost[1] < '0' || cost[1] > '9') return false;
  return std::all_of(text.begin() + 7, text.end(), [](char c) {
    return c == '.' || c == '/' || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
           (c >= 'a' && c <= 'z');
  });
}

// The right to compute a hash; taken() is false where too many want it.
class PasswordChecker::Turn {
 public:
  Turn(PasswordChecker& checker, std::uint32_t client) : checker_(checker), client_(client) {
    std::unique_lock lock(checker_.mutex_);
    const auto at = checker_.waiting_.find(client_);
    const int of_client = at == checker_.waiting_.end() ? 0 : at->second;
    if (checker_.waiting_in_all_ >= kMostWaiting || of_client >= kMostWaitingPerClient) return;
    taken_ = true;
    ++checker_.waiting_in_all_;
    ++checker_.waiting_[client_];
    checker_.turn_over_.wait(lock, [&] { return !checker_.hashing_; });
    checker_.hashing_ = true;
  }

  ~Turn() {
    if (!taken_) return;
    {
      const std::lock_guard lock(checker_.mutex_);
      checker_.hashing_ = false;
      --checker_.waiting_in_all_;
      if (--checker_.waiting_[client_] == 0) checker_.waiting_.erase(client_);
    }
    checker_.turn_over_.notify_one();
  }

  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  bool taken() const { return taken_; }

 private:
  PasswordChecker& checker_;
  const std::uint32_t client_;
  bool taken_ = false;
};

PasswordChecker::PasswordChecker()
    : key_(RandomBytes<32>()), scratch_(std::make_unique<crypt_data>()) {}

PasswordChecker::~PasswordChecker() = default;

std::size_t PasswordChecker::DigestHash::operator()(const Digest& digest) const {
  std::size_t hash = 0;
  std::memcpy(&hash, digest.data(), sizeof hash);
  return hash;
}

PasswordChecker::Digest PasswordChecker::Digested(std::string_view user, std::string_view hash,
                                                  std::string_view password) const {
  // Neither a bcrypt hash nor, by Check(), a password holds a zero.
  std::string text(hash);
  text += '\0';
  text += password;
  text += '\0';
  text += user;
  Digest digest{};
  unsigned size = 0;
  HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &size);
  OPENSSL_cleanse(text.data(), text.size());
  return digest;
}

bool PasswordChecker::Matches(const std::string& hash, const std::string& password) {
  // Go reads all three kinds as $2b$; libxcrypt's $2a$ differs for some passwords beyond ASCII.
  std::string setting = hash;
  setting[2] = 'b';
  const char* const computed = ::crypt_r(password.c_str(), setting.c_str(), scratch_.get());
  return computed != nullptr && std::strlen(computed) == setting.size() &&
         CRYPTO_memcmp(computed, setting.data(), setting.size()) == 0;
}

void PasswordChecker::Remember(const Digest& digest) {
  const std::lock_guard lock(mutex_);
  if (!matched_.insert(digest).second) return;
  order_.push_back(digest);
  if (order_.size() <= kRemembered) return;
  matched_.erase(order_.front());
  order_.pop_front();
}

PasswordChecker::Answer PasswordChecker::Check(const std::map<std::string, std::string>& users,
                                               const std::string& user, const std::string& password,
                                               std::uint32_t client) {
  // crypt_r would take such a password for its part before the zero.
  if (users.empty() || password.find('\0') != std::string::npos) return Answer::kMismatch;
  const auto known = users.find(user);
  const std::string hash = known == users.end() ? SomeHash(users) : known->second;
  const Digest digest = Digested(user, hash, password);
  const auto remembered = [&] {
    const std::lock_guard lock(mutex_);
    return matched_.contains(digest);
  };
  if (remembered()) return Answer::kMatch;

  const Turn turn(*this, client);
  if (!turn.taken()) return Answer::kBusy;
  // Somebody else may have found out while this one waited.
  if (remembered()) return Answer::kMatch;
  if (!Matches(hash, password) || known == users.end()) return Answer::kMismatch;
  Remember(digest);
  return Answer::kMatch;
}

}  // namespace vigia::http
