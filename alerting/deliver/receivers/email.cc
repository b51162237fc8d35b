// email_configs: a mail with a text and an HTML part. All mails of a group are one thread.

#include <deque>
#include <mutex>

#include "alerting/deliver/http_receiver.h"
#include "alerting/deliver/mail.h"
#include "alerting/deliver/signature.h"
#include "core/number.h"

namespace vigia::alerting::deliver {
namespace {

struct Options {
  SmtpServer server;
  std::string from;
  std::string to;
  std::map<std::string, std::string> headers{
      {"Subject", R"({{ template "email.default.subject" . }})"}};
  std::string html = R"({{ template "email.default.html" . }})";
  std::string text = R"({{ template "email.default.text" . }})";
  bool threads = true;
  bool daily_threads = false;  // one a day instead of one for all time
};

// What mail servers take is told in megabytes; nobody reads so much.
constexpr Limit kBody{500'000, Unit::kBytes};
constexpr Limit kSubject{250};

bool SameHeader(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return (x | 0x20) == (y | 0x20); });
}

// Whom a delivery still has to reach: some servers put off single addresses, and the others do not
// want the same mail again. Thread-safe.
class Pending {
 public:
  // The addresses that are left of `delivery`, once.
  std::optional<std::vector<std::string>> Take(const std::string& delivery) {
    const std::lock_guard lock(mutex_);
    const auto found = std::find_if(left_.begin(), left_.end(),
                                    [&](const auto& one) { return one.first == delivery; });
    if (found == left_.end()) return std::nullopt;
    auto addresses = std::move(found->second);
    left_.erase(found);
    return addresses;
  }

  // The oldest are forgotten beyond a bound: those go to all again, which is better than to none.
  void Keep(const std::string& delivery, std::vector<std::string> addresses) {
    constexpr std::size_t kMost = 1000;
    const std::lock_guard lock(mutex_);
    if (left_.size() == kMost) left_.pop_front();
    left_.emplace_back(delivery, std::move(addresses));
  }

 private:
  std::mutex mutex_;
  // Guarded by mutex_.
  std::deque<std::pair<std::string, std::vector<std::string>>> left_;
};

class Email final : public Receiver {
 public:
  Email(const ReceiverOptions& common, Options options)
      : send_resolved_(common.send_resolved),
        templates_(common.input().templates),
        options_(std::move(options)) {}

  Outcome Deliver(const Notification& notification, Deadline deadline) override {
    const auto told = send_resolved_ ? notification : WithoutResolved(notification);
    if (told.alerts.empty()) return {.message = "only resolved alerts, which are not wanted"};
    auto mail = Build(told);
    if (!mail) return Rejected(mail.error().message());
    auto left = pending_.Take(told.delivery_id);
    if (left) mail->to = *left;
    auto [outcome, put_off] = SendMail(options_.server, *mail, deadline);
    if (outcome.kind == Outcome::Kind::kRejected) return outcome;
    if (!put_off.empty()) {
      outcome.kind = Outcome::Kind::kRetry;
      left = std::move(put_off);
    }
    if (outcome.kind == Outcome::Kind::kRetry && left) {
      pending_.Keep(told.delivery_id, *std::move(left));
    }
    return outcome;
  }

  Result<std::string> Render(const Notification& notification) override {
    const auto mail = Build(send_resolved_ ? notification : WithoutResolved(notification));
    if (!mail) return Fail(mail.error());
    std::string out;
    for (const auto& [name, value] : mail->headers) out += name + ": " + value + "\n";
    if (!mail->text.empty()) out += "\n" + mail->text;
    if (!mail->html.empty()) out += "\n" + mail->html;
    return out + "\n";
  }

  bool send_resolved() const override { return send_resolved_; }
  Pace pace() const override { return {.per_second = 1, .burst = 10}; }

 private:
  // Who the mail goes to may depend on its alerts.
  Result<Mail> Build(const Notification& notification) const {
    const Message message(notification, *templates_);
    Mail mail;
    const auto from = message.Text(options_.from);
    const auto to = message.Text(options_.to);
    const auto sender = ParseAddresses(from);
    mail.to = ParseAddresses(to);
    if (sender.size() != 1) return Fail(ErrorCode::kInvalid, "from: not an address: " + from);
    if (mail.to.empty()) return Fail(ErrorCode::kInvalid, "to: not addresses: " + to);
    mail.from = sender.front();
    AddHeaders(message, notification, from, to, mail);
    if (!options_.html.empty()) mail.html = message.Fitted(options_.html, kBody, true);
    if (!options_.text.empty()) mail.text = message.Fitted(options_.text, kBody);
    return mail;
  }

  bool Given(std::string_view name) const {
    return std::any_of(options_.headers.begin(), options_.headers.end(),
                       [&](const auto& header) { return SameHeader(header.first, name); });
  }

  void AddHeaders(const Message& message, const Notification& notification, const std::string& from,
                  const std::string& to, Mail& mail) const {
    const auto add = [&](const char* name, std::string value) {
      if (!Given(name)) mail.headers.emplace_back(name, std::move(value));
    };
    add("From", EncodeAddresses(from));
    add("To", EncodeAddresses(to));
    for (const auto& [name, text] : options_.headers) {
      const bool addresses = SameHeader(name, "From") || SameHeader(name, "To") ||
                             SameHeader(name, "Cc") || SameHeader(name, "Reply-To");
      mail.headers.emplace_back(name, addresses ? EncodeAddresses(message.Text(text))
                                                : EncodeHeader(message.Text(text, kSubject)));
    }
    const auto domain = mail.from.substr(mail.from.rfind('@') + 1);
    const auto id = [&](const std::string& what) {
      return "<" + Hex(HmacSha256("vigia", what)).substr(0, 32) + "@" + domain + ">";
    };
    const auto date = MailDate(notification.now);
    add("Date", date);
    add("Message-ID", id(notification.delivery_id + notification.group_key));
    add("Auto-Submitted", "auto-generated");
    if (!options_.threads) return;
    // Readers put what refers to one message, be it there or not, into one thread.
    constexpr std::size_t kDay = 16;  // "Tue, 14 Nov 2023"
    const auto day = options_.daily_threads ? date.substr(0, kDay) : std::string();
    const auto thread = id(notification.group_key + day);
    add("In-Reply-To", thread);
    add("References", thread);
  }

  const bool send_resolved_;
  const std::shared_ptr<const templates::TemplateSet> templates_;
  const Options options_;
  Pending pending_;
};

// "host:port".
void ReadSmarthost(const ReceiverOptions& common, const std::string& text, SmtpServer& server) {
  const auto colon = text.rfind(':');
  const auto port = ParseUint(colon == text.npos ? std::string() : text.substr(colon + 1));
  if (!port || *port == 0 || *port > 65'535 || colon == 0) {
    common.reader().Fault("smarthost", "has to be HOST:PORT, here or in global as smtp_smarthost");
    return;
  }
  server.host = text.substr(0, colon);
  server.port = static_cast<int>(*port);
}

// `global:` names the same things with "smtp_" before them.
SmtpServer ReadServer(ReceiverOptions& common) {
  SmtpServer server;
  config::MapReader& own = common.reader();
  config::MapReader global(common.input().global, own.diagnostics(), "global");
  std::string smarthost;
  for (const auto& [key, text] :
       {std::pair("smarthost", &smarthost), std::pair("hello", &server.hello),
        std::pair("auth_username", &server.username),
        std::pair("auth_identity", &server.identity)}) {
    global.Read(std::string("smtp_") + key, *text);
    own.Read(key, *text);
  }
  global.Read("smtp_require_tls", server.require_tls);
  own.Read("require_tls", server.require_tls);
  common.ReadSecret("auth_password", server.password, "smtp_auth_password");
  common.ReadSecret("auth_secret", server.secret, "smtp_auth_secret");
  ReadSmarthost(common, smarthost, server);
  const auto& folder = common.input().folder;
  server.tls = own.Has("tls_config") ? ReadTlsConfig(own, folder)
                                     : ReadTlsConfig(global, folder, "smtp_tls_config");
  server.implicit_tls = server.port == 465;
  global.Read("smtp_force_implicit_tls", server.implicit_tls);
  own.Read("force_implicit_tls", server.implicit_tls);
  return server;
}

// Alertmanager's; without it all mails of a group are one thread.
void ReadThreading(ReceiverOptions& common, Options& options) {
  const config::Node* const node = common.reader().Child("threading");
  if (!node || node->IsNull()) return;
  constexpr std::array<std::string_view, 2> kDates{"none", "daily"};
  config::MapReader map(*node, common.reader().diagnostics(), "threading");
  options.threads = false;
  map.Read("enabled", options.threads);
  options.daily_threads = map.ReadChoice("thread_by_date", kDates, 0) == 1;
  map.Finish();
}

}  // namespace

std::unique_ptr<Receiver> MakeEmail(const ReceiverInput& input) {
  ReceiverOptions common(input, false, false);
  Options options;
  options.server = ReadServer(common);
  common.ReadGlobal("smtp_from", options.from);
  common.ReadTemplate("from", options.from);
  if (options.from.empty()) {
    input.options.Fault("from", "is missing: write it here or in global as smtp_from");
  }
  if (!input.options.Has("to")) input.options.Require("to", "the addresses that are told");
  common.ReadTemplate("to", options.to);
  common.ReadTemplates("headers", options.headers);
  common.ReadTemplate("html", options.html);
  common.ReadTemplate("text", options.text);
  ReadThreading(common, options);
  if (options.html.empty() && options.text.empty()) {
    input.options.Fault("text", "is empty, and so is html: write one of them");
  }
  input.options.Finish();
  return std::make_unique<Email>(common, std::move(options));
}

}  // namespace vigia::alerting::deliver
