// email_configs: a mail with a text and an HTML part. All mails of a group are one thread.

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
};

// What mail servers take is told in megabytes; nobody reads so much.
constexpr Limit kBody{500'000, Unit::kBytes};
constexpr Limit kSubject{250};

bool SameHeader(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return (x | 0x20) == (y | 0x20); });
}

class Email final : public Receiver {
 public:
  Email(const ReceiverOptions& common, Options options)
      : send_resolved_(common.send_resolved),
        templates_(common.input().templates),
        options_(std::move(options)) {}

  Outcome Deliver(const Notification& notification, Deadline deadline) override {
    const auto told = send_resolved_ ? notification : WithoutResolved(notification);
    if (told.alerts.empty()) return {.message = "only resolved alerts, which are not wanted"};
    const auto mail = Build(told);
    if (!mail) return Rejected(mail.error().message());
    return SendMail(options_.server, *mail, deadline);
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

  void AddHeaders(const Message& message, const Notification& notification, const std::string& from,
                  const std::string& to, Mail& mail) const {
    auto& headers = mail.headers;
    const auto given = [&](std::string_view name) {
      return std::any_of(options_.headers.begin(), options_.headers.end(),
                         [&](const auto& header) { return SameHeader(header.first, name); });
    };
    if (!given("From")) headers.emplace_back("From", EncodeAddresses(from));
    if (!given("To")) headers.emplace_back("To", EncodeAddresses(to));
    for (const auto& [name, text] : options_.headers) {
      const bool addresses = SameHeader(name, "From") || SameHeader(name, "To") ||
                             SameHeader(name, "Cc") || SameHeader(name, "Reply-To");
      const auto value = message.Text(text, kSubject);
      headers.emplace_back(name, addresses ? EncodeAddresses(value) : EncodeHeader(value));
    }
    const auto domain = mail.from.substr(mail.from.rfind('@') + 1);
    const auto id = [&](std::string_view what) {
      return "<" + Hex(HmacSha256("vigia", what)).substr(0, 32) + "@" + domain + ">";
    };
    headers.emplace_back("Date", MailDate(notification.now));
    headers.emplace_back("Message-ID", id(notification.delivery_id + notification.group_key));
    // Readers put what refers to one message, be it there or not, into one thread.
    const auto thread = id(notification.group_key);
    headers.emplace_back("In-Reply-To", thread);
    headers.emplace_back("References", thread);
    headers.emplace_back("Auto-Submitted", "auto-generated");
  }

  const bool send_resolved_;
  const std::shared_ptr<const templates::TemplateSet> templates_;
  const Options options_;
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
  if (options.html.empty() && options.text.empty()) {
    input.options.Fault("text", "is empty, and so is html: write one of them");
  }
  input.options.Finish();
  return std::make_unique<Email>(common, std::move(options));
}

}  // namespace vigia::alerting::deliver
