// What receivers over HTTP have in common: options, the sending of one request, its rendering.

#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "alerting/deliver/answer.h"
#include "alerting/deliver/http_sender.h"
#include "alerting/deliver/message.h"
#include "alerting/deliver/receiver.h"
#include "core/text/json.h"

namespace vigia::alerting::deliver {

// Part of a message with texts of its own, such as a field or a link: keys of the channel's and
// their templates. "confirm.text" is the key "text" of the map "confirm" in it.
using Texts = std::vector<std::pair<std::string, std::string>>;

// A receiver's options as they are read.
class ReceiverOptions {
 public:
  // Reads `send_resolved` and, for receivers over HTTP, `http_config`.
  ReceiverOptions(const ReceiverInput& input, bool send_resolved, bool http = true);

  // A template; one that cannot be parsed is a fault.
  void ReadTemplate(std::string_view key, std::string& text);
  void ReadTemplates(std::string_view key, std::vector<std::string>& texts);
  void ReadTemplates(std::string_view key, std::map<std::string, std::string>& texts);
  // A list of maps of templates, at most `most`, with keys out of `names`.
  void ReadTextMaps(std::string_view key, std::initializer_list<const char*> names,
                    std::size_t most, std::vector<Texts>& list) {
    ReadTextMaps(reader(), key, names, most, list);
  }
  // The same, out of a map within the receiver's.
  void ReadTextMaps(config::MapReader& from, std::string_view key,
                    std::initializer_list<const char*> names, std::size_t most,
                    std::vector<Texts>& list);
  // `key` or `key_file`, else `global_key` or `global_key_file` of `global:` if it has a name.
  bool ReadSecret(std::string_view key, Secret& secret, std::string_view global_key = {});
  // The same for a secret that is a template.
  bool ReadSecretTemplate(std::string_view key, Secret& secret);
  // `timeout`: of one attempt; 0 for the caller's.
  void ReadTimeout();
  // A text of `global:`, where the receiver has none.
  void ReadGlobal(std::string_view global_key, std::string& text);

  config::MapReader& reader() const { return input_.options; }
  const ReceiverInput& input() const { return input_; }
  // What ReadSecret() has read.
  const std::vector<Secret>& secrets() const { return secrets_; }
  bool send_resolved = true;
  HttpConfig http;
  Milliseconds timeout{0};

 private:
  void Check(std::string_view key, const std::string& text);

  const ReceiverInput& input_;
  std::vector<Secret> secrets_;
};

class HttpReceiver : public Receiver {
 public:
  explicit HttpReceiver(const ReceiverOptions& options);

  Outcome Deliver(const Notification& notification, Deadline deadline) override;
  void Interrupt() override { sender_.StopFetching(); }
  Result<std::string> Render(const Notification& notification) override;
  bool send_resolved() const override { return send_resolved_; }

 protected:
  // The request that tells `notification`, which has something to tell.
  virtual Result<HttpRequest> Build(const Notification& notification) const = 0;
  // What the answer means; the base knows HTTP's status codes.
  virtual Outcome Read(const Result<HttpResponse>& response,
                       const Notification& notification) const;

  const templates::TemplateSet& templates() const { return *templates_; }
  HttpSender& sender() { return sender_; }
  // Wall time, for what is signed or dated now.
  Timestamp Now() const { return clock_.Wall(); }

  static HttpRequest Post(std::string url, std::string json);
  // Nothing for an empty list; "short" is a boolean.
  static void AppendTextMaps(text::JsonWriter& json, std::string_view key,
                             const std::vector<Texts>& list, const Message& message);

 private:
  const bool send_resolved_;
  const Milliseconds timeout_;         // of an attempt; 0 for the caller's
  const std::vector<Secret> secrets_;  // not to be shown
  const std::shared_ptr<const templates::TemplateSet> templates_;
  Clock& clock_;
  HttpSender sender_;
};

// The notification without resolved alerts.
Notification WithoutResolved(const Notification& notification);

}  // namespace vigia::alerting::deliver
