// sns_configs: a message of Amazon SNS to a topic, a telephone or a mobile device
// (docs.aws.amazon.com/sns, "Publish"), signed with Signature Version 4.

#include <algorithm>
#include <array>

#include "alerting/deliver/aws_credentials.h"
#include "alerting/deliver/http_receiver.h"
#include "alerting/deliver/signature.h"
#include "alerting/templates/escape.h"
#include "core/redact.h"

namespace vigia::alerting::deliver {
namespace {

struct Options {
  std::string api_url;  // a template; empty: Amazon's, of the region
  std::string region;
  std::string topic_arn;
  std::string phone_number;
  std::string target_arn;
  std::string subject = R"({{ template "sns.default.subject" . }})";
  std::string message = R"({{ template "sns.default.message" . }})";
  std::map<std::string, std::string> attributes;
};

// 256 KB for the message with its attributes; a text message (SMS) has 1,600 characters.
constexpr std::size_t kMessage = 250'000;
constexpr Limit kSms{1600};
constexpr Limit kSubject{99};
constexpr std::size_t kAttributes = 10;

// What a status of 400 or 403 says that may be otherwise later.
constexpr std::array<std::string_view, 6> kPassing{
    "<Code>Throttl",      "<Code>RequestExpired",   "<Code>RequestTimeTooSkewed",
    "<Code>ExpiredToken", "<Code>RequestThrottled", "<Code>KMSThrottling"};

void Append(std::string& form, std::string_view name, std::string_view value) {
  if (!form.empty()) form += '&';
  form += std::string(name) + "=" + templates::EscapeQuery(value);
}

// "arn:aws:sns:eu-west-1:1234:topic"
std::string RegionOf(std::string_view arn) {
  for (int i = 0; i < 3; ++i) arn.remove_prefix(std::min(arn.find(':') + 1, arn.size()));
  return std::string(arn.substr(0, arn.find(':')));
}

std::string OneLine(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c >= 0 && c < ' '; }, ' ');
  return text;
}

class Sns final : public HttpReceiver {
 public:
  Sns(const ReceiverOptions& common, Options options, AwsOptions aws)
      : HttpReceiver(common),
        clock_(common.input().clock),
        options_(std::move(options)),
        credentials_(std::move(aws)) {}

  Outcome Deliver(const Notification& notification, Deadline deadline) override {
    const auto told = send_resolved() ? notification : WithoutResolved(notification);
    if (told.alerts.empty()) return {.message = "only resolved alerts, which are not wanted"};
    const auto keys = credentials_.For("sns", sender(), clock_, deadline, sender().fetching());
    if (!keys) {
      return {.kind = Outcome::Kind::kRetry, .message = Redact(keys.error().message())};
    }
    auto request = Build(told);
    if (!request) return Rejected(Redact(request.error().message()));
    request->aws = *keys;
    const auto response = sender().Send(*std::move(request), deadline);
    auto outcome = ReadAnswer(response, Now());
    if (outcome.kind != Outcome::Kind::kRejected || !response) return outcome;
    const bool passes = std::any_of(kPassing.begin(), kPassing.end(), [&](std::string_view code) {
      return response->body.find(code) != std::string::npos;
    });
    if (passes) outcome.kind = Outcome::Kind::kRetry;
    if (response->status == 403) credentials_.Forget();
    return outcome;
  }

 protected:
  Result<HttpRequest> Build(const Notification& notification) const override {
    const Message message(notification, templates());
    std::string form;
    Append(form, "Action", "Publish");
    Append(form, "Version", "2010-03-31");
    AppendPlace(form, message, notification);
    const auto subject = OneLine(message.Text(options_.subject, kSubject));
    if (!subject.empty()) Append(form, "Subject", subject);
    const auto limit = Limits(message);
    const bool whole = Size(message.Text(options_.message), limit.unit) <= limit.size;
    const auto text = message.Fitted(options_.message, limit);
    // An empty message is refused.
    Append(form, "Message", text.empty() ? "Alerts " + std::string(message.status()) : text);
    AppendAttributes(form, message, whole);
    auto request = Post(Url(message), std::move(form));
    request.headers[0].second = "application/x-www-form-urlencoded";
    return request;
  }

 private:
  void AppendPlace(std::string& form, const Message& message,
                   const Notification& notification) const {
    const auto topic = message.Text(options_.topic_arn);
    if (!topic.empty()) Append(form, "TopicArn", topic);
    for (const auto& [name, text] : {std::pair("PhoneNumber", &options_.phone_number),
                                     std::pair("TargetArn", &options_.target_arn)}) {
      if (const auto value = message.Text(*text); !value.empty()) Append(form, name, value);
    }
    if (!topic.ends_with(".fifo")) return;
    // The same for every attempt of a delivery, and for no other delivery.
    Append(form, "MessageGroupId", Hex(Sha256(notification.group_key)));
    Append(form, "MessageDeduplicationId",
           Hex(Sha256(notification.delivery_id + notification.group_key)));
  }

  // What the attributes leave.
  Limit Limits(const Message& message) const {
    if (!options_.phone_number.empty()) return kSms;
    std::size_t taken = 0;
    for (const auto& [name, text] : options_.attributes) {
      taken += name.size() + message.Text(text).size() + 20;
    }
    return {kMessage - std::min(taken, kMessage - 1000), Unit::kBytes};
  }

  void AppendAttributes(std::string& form, const Message& message, bool whole) const {
    std::size_t count = 0;
    const auto append = [&](std::string_view name, const std::string& value) {
      if (name.empty() || value.empty()) return;
      const auto entry = "MessageAttributes.entry." + std::to_string(++count);
      Append(form, entry + ".Name", name);
      Append(form, entry + ".Value.DataType", "String");
      Append(form, entry + ".Value.StringValue", value);
    };
    for (const auto& [name, text] : options_.attributes) {
      append(message.Text(name), message.Text(text));
    }
    if (!whole) append("truncated", "true");
  }

  std::string Url(const Message& message) const {
    auto url = message.Text(options_.api_url);
    if (url.empty()) {
      url = "https://sns." + options_.region + ".amazonaws.com";
      if (options_.region.starts_with("cn-")) url += ".cn";
    }
    if (url.find("://") == url.npos) url.insert(0, "https://");
    const auto path = url.find('/', url.find("://") + 3);
    return path == url.npos ? url + "/" : url;
  }

  Clock& clock_;
  const Options options_;
  AwsCredentials credentials_;
};

}  // namespace

std::unique_ptr<Receiver> MakeSns(const ReceiverInput& input) {
  ReceiverOptions common(input, true);
  Options options;
  auto aws = ReadSigV4(input.options, input.folder);
  for (const auto& [key, text] :
       {std::pair("api_url", &options.api_url), std::pair("topic_arn", &options.topic_arn),
        std::pair("phone_number", &options.phone_number),
        std::pair("target_arn", &options.target_arn), std::pair("subject", &options.subject),
        std::pair("message", &options.message)}) {
    common.ReadTemplate(key, *text);
  }
  common.ReadTemplates("attributes", options.attributes);
  if (options.attributes.size() > kAttributes) {
    input.options.Fault("attributes", "has to have ten at most");
  }
  const int places = (options.topic_arn.empty() ? 0 : 1) + (options.phone_number.empty() ? 0 : 1) +
                     (options.target_arn.empty() ? 0 : 1);
  if (places != 1) {
    input.options.Fault(places == 0 ? "topic_arn" : "phone_number",
                        "write one of topic_arn, target_arn and phone_number");
  }
  for (const auto* const arn : {&options.topic_arn, &options.target_arn}) {
    if (aws.region.empty()) aws.region = RegionOf(*arn);
  }
  if (aws.region.empty()) {
    input.options.Fault("sigv4", "has to have a region, such as eu-west-1");
  }
  options.region = aws.region;
  input.options.Finish();
  return std::make_unique<Sns>(common, std::move(options), std::move(aws));
}

}  // namespace vigia::alerting::deliver
