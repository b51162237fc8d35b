// Keys for Amazon's services, from where its own programs look for them: the configuration, the
// environment, the file of shared credentials; and those of a role, lent by STS (AssumeRole).
// Thread-safe.

#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "alerting/deliver/http_sender.h"
#include "core/clock.h"
#include "core/config/reader.h"
#include "core/http_client.h"
#include "core/result.h"
#include "core/secret.h"

namespace vigia::alerting::deliver {

// Prometheus' `sigv4`.
struct AwsOptions {
  std::string region;  // empty: AWS_REGION, AWS_DEFAULT_REGION
  std::string access_key;
  Secret secret_key;
  std::string profile;   // of the file; empty: AWS_PROFILE, "default"
  std::string role_arn;  // to be assumed with the keys above
  std::string external_id;
  std::string sts_url;  // empty: Amazon's, of the region
};

// Reads `sigv4` of `options`, and a region of the environment where it has none.
AwsOptions ReadSigV4(config::MapReader& options, const std::filesystem::path& folder);

class AwsCredentials {
 public:
  explicit AwsCredentials(AwsOptions options) : options_(std::move(options)) {}

  // What a request for `service` is to be signed with. Asks STS by `sender` where a role is to be
  // assumed and its keys have run out; that ends soon once `stop` is requested. kInvalid: there are
  // no keys.
  Result<AwsSignature> For(const std::string& service, HttpSender& sender, Clock& clock,
                           Deadline deadline, const std::stop_token& stop);
  // The keys were refused: those of a role are fetched anew.
  void Forget();

 private:
  Result<AwsSignature> OwnKeys() const;
  Result<AwsSignature> AssumeRole(AwsSignature own, HttpSender& sender, Clock& clock,
                                  Deadline deadline, const std::stop_token& stop);

  const AwsOptions options_;
  std::mutex mutex_;
  // Guarded by mutex_.
  std::optional<AwsSignature> lent_;
  Instant lent_until_{};
};

}  // namespace vigia::alerting::deliver
