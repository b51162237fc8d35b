#include "alerting/deliver/aws_credentials.h"

#include <cstdlib>
#include <fstream>
#include <map>

#include "alerting/deliver/http_config.h"
#include "alerting/templates/escape.h"

namespace vigia::alerting::deliver {
namespace {

using Fields = std::map<std::string, std::string>;

constexpr auto kLentFor = std::chrono::seconds(3600);  // AssumeRole's default
constexpr auto kMargin = std::chrono::minutes(5);

std::string Environment(const char* name) {
  const char* const value = std::getenv(name);
  return value ? value : "";
}

std::string Trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r");
  if (begin == text.npos) return {};
  return std::string(text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1));
}

std::filesystem::path SharedFile() {
  const auto named = Environment("AWS_SHARED_CREDENTIALS_FILE");
  if (!named.empty()) return named;
  return std::filesystem::path(Environment("HOME")) / ".aws" / "credentials";
}

// The section "[profile]" of the file of shared credentials.
Fields ReadProfile(const std::filesystem::path& path, const std::string& profile) {
  std::ifstream file(path);
  Fields fields;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    const auto text = Trimmed(line);
    if (text.starts_with('[')) inside = text == "[" + profile + "]";
    const auto equal = text.find('=');
    if (!inside || equal == text.npos || text.starts_with('#')) continue;
    fields[Trimmed(text.substr(0, equal))] = Trimmed(text.substr(equal + 1));
  }
  return fields;
}

// The text of the first element of this name: STS' answers have no attributes and no nesting of a
// name in itself.
std::string Element(std::string_view xml, const std::string& name) {
  const auto begin = xml.find("<" + name + ">");
  const auto end = xml.find("</" + name + ">", begin);
  if (begin == xml.npos || end == xml.npos) return {};
  return std::string(xml.substr(begin + name.size() + 2, end - begin - name.size() - 2));
}

}  // namespace

AwsOptions ReadSigV4(config::MapReader& options, const std::filesystem::path& folder) {
  AwsOptions out;
  const config::Node none;
  const config::Node* const node = options.Child("sigv4");
  config::MapReader reader(node ? *node : none, options.diagnostics(), "sigv4");
  reader.Read("region", out.region);
  const bool key = reader.Read("access_key", out.access_key);
  const bool secret = ReadSecretIn(reader, "secret_key", folder, out.secret_key);
  if (key != secret) reader.Fault("access_key", "access_key and secret_key go together");
  reader.Read("profile", out.profile);
  reader.Read("role_arn", out.role_arn);
  reader.Read("external_id", out.external_id);
  reader.Read("sts_url", out.sts_url);
  reader.Finish();
  for (const char* const name : {"AWS_REGION", "AWS_DEFAULT_REGION"}) {
    if (out.region.empty()) out.region = Environment(name);
  }
  return out;
}

Result<AwsSignature> AwsCredentials::OwnKeys() const {
  AwsSignature keys{.region = options_.region};
  if (!options_.access_key.empty()) {
    const auto secret = options_.secret_key.Reveal();
    if (!secret) return Fail(secret.error());
    keys.access_key = options_.access_key;
    keys.secret_key = *secret;
    return keys;
  }
  auto profile = options_.profile;
  if (profile.empty() && !Environment("AWS_ACCESS_KEY_ID").empty()) {
    keys.access_key = Environment("AWS_ACCESS_KEY_ID");
    keys.secret_key = Environment("AWS_SECRET_ACCESS_KEY");
    keys.session_token = Environment("AWS_SESSION_TOKEN");
    return keys;
  }
  if (profile.empty()) profile = Environment("AWS_PROFILE");
  if (profile.empty()) profile = "default";
  auto fields = ReadProfile(SharedFile(), profile);
  keys.access_key = fields["aws_access_key_id"];
  keys.secret_key = fields["aws_secret_access_key"];
  keys.session_token = fields["aws_session_token"];
  if (!keys.access_key.empty() && !keys.secret_key.empty()) return keys;
  return Fail(ErrorCode::kUnavailable,
              "no keys: neither in sigv4 nor in the environment, nor profile '" + profile +
                  "' in " + SharedFile().string());
}

Result<AwsSignature> AwsCredentials::AssumeRole(AwsSignature own, HttpSender& sender, Clock& clock,
                                                Deadline deadline, const std::stop_token& stop) {
  own.service = "sts";
  const auto url =
      options_.sts_url.empty() ? "https://sts." + own.region + ".amazonaws.com/" : options_.sts_url;
  std::string form = "Action=AssumeRole&Version=2011-06-15&RoleSessionName=vigia&RoleArn=" +
                     templates::EscapeQuery(options_.role_arn);
  if (!options_.external_id.empty()) {
    form += "&ExternalId=" + templates::EscapeQuery(options_.external_id);
  }
  const auto response =
      sender.Send({.method = "POST",
                   .url = url,
                   .headers = {{"Content-Type", "application/x-www-form-urlencoded"}},
                   .body = std::move(form),
                   .aws = own},
                  deadline, stop);
  if (!response) return Fail(response.error());
  AwsSignature lent{.region = own.region,
                    .access_key = Element(response->body, "AccessKeyId"),
                    .secret_key = Element(response->body, "SecretAccessKey"),
                    .session_token = Element(response->body, "SessionToken")};
  if (response->status != 200 || lent.secret_key.empty()) {
    return Fail(ErrorCode::kUnavailable, "AssumeRole: status " + std::to_string(response->status) +
                                             ": " + Element(response->body, "Message"));
  }
  const std::lock_guard lock(mutex_);
  lent_ = lent;
  lent_until_ = clock.Now() + kLentFor - kMargin;
  return lent;
}

Result<AwsSignature> AwsCredentials::For(const std::string& service, HttpSender& sender,
                                         Clock& clock, Deadline deadline,
                                         const std::stop_token& stop) {
  auto keys = OwnKeys();
  if (keys && !options_.role_arn.empty()) {
    std::optional<AwsSignature> lent;
    {
      const std::lock_guard lock(mutex_);
      if (clock.Now() < lent_until_) lent = lent_;
    }
    if (lent) {
      keys = *std::move(lent);
    } else {
      keys = AssumeRole(*std::move(keys), sender, clock, deadline, stop);
    }
  }
  if (keys) keys->service = service;
  return keys;
}

void AwsCredentials::Forget() {
  const std::lock_guard lock(mutex_);
  lent_.reset();
  lent_until_ = {};
}

}  // namespace vigia::alerting::deliver
