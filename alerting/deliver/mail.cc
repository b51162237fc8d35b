#include "alerting/deliver/mail.h"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <memory>

#include "alerting/templates/go_time.h"
#include "core/base64.h"
#include "core/redact.h"

namespace vigia::alerting::deliver {
namespace {

std::string_view Trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

bool IsAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// At the commas outside of quotes.
std::vector<std::string_view> Split(std::string_view list) {
  std::vector<std::string_view> parts;
  bool quoted = false;
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= list.size(); ++i) {
    if (i < list.size() && list[i] == '"') quoted = !quoted;
    if (i < list.size() && (list[i] != ',' || quoted)) continue;
    if (const auto part = Trim(list.substr(begin, i - begin)); !part.empty()) parts.push_back(part);
    begin = i + 1;
  }
  return parts;
}

// "Name <a@b>" in its two halves; the first is empty for "a@b".
std::pair<std::string_view, std::string_view> NameAndAddress(std::string_view one) {
  const auto open = one.rfind('<');
  if (open == one.npos || !one.ends_with('>')) return {{}, one};
  return {Trim(one.substr(0, open)), one.substr(open + 1, one.size() - open - 2)};
}

bool IsAddress(std::string_view text) {
  const auto at = text.rfind('@');
  if (at == text.npos || at == 0 || at + 1 == text.size()) return false;
  return text.find_first_of(" \t\r\n<>\",") == text.npos;
}

std::string OneLine(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool breaks = c == '\r' || c == '\n' || c == '\t';
    if (!breaks) {
      out += c;
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
  }
  return std::string(Trim(out));
}

// Lines as a mail has them (RFC 2046, 4.1.1): an encoder would take a bare LF for a character.
std::string WithCrlf(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r')) out += '\r';
    out += text[i];
  }
  return out;
}

// Everything that a transfer borrows, released with it.
class Transfer {
 public:
  Transfer() : curl_(curl_easy_init(), &curl_easy_cleanup) {}
  ~Transfer() {
    curl_slist_free_all(headers_);
    curl_slist_free_all(recipients_);
    curl_slist_free_all(connect_to_);
    curl_mime_free(mime_);
  }
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  MailOutcome Send(const SmtpServer& server, const Mail& mail, Deadline deadline) {
    if (!curl_) return Later("no memory");
    if (deadline.Passed()) return Later("timeout");
    SetUp(deadline);
    Address(server);
    if (auto status = Authenticate(server); !status) return Later(status.error().message());
    Fill(mail);
    return Read(curl_easy_perform(curl_.get()), mail.to.size());
  }

 private:
  template <typename T>
  void Set(CURLoption option, T value) {
    curl_easy_setopt(curl_.get(), option, value);
  }

  static void Append(curl_slist*& list, const std::string& text) {
    if (auto* const longer = curl_slist_append(list, text.c_str())) list = longer;
  }

  static std::size_t OnReply(const char* data, std::size_t, std::size_t size, void* self) {
    auto& reply = static_cast<Transfer*>(self)->reply_;
    if (std::string_view(data, size) != "\r\n") reply.assign(data, size);
    return size;
  }

  static MailOutcome Later(std::string message) {
    return {.outcome = {.kind = Outcome::Kind::kRetry, .message = std::move(message)}};
  }

  // libcurl tells the last reply alone: which address was refused is read off the conversation.
  static int OnTalk(CURL*, curl_infotype type, char* data, std::size_t size, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    const std::string_view text(data, size);
    if (type == CURLINFO_HEADER_OUT) {
      constexpr std::string_view kCommand = "RCPT TO:<";
      const auto end = text.find('>');
      const bool names = text.starts_with(kCommand) && end != text.npos;
      transfer.asked_ = names ? text.substr(kCommand.size(), end - kCommand.size()) : "";
    } else if (type == CURLINFO_HEADER_IN && !transfer.asked_.empty() && size >= 4 &&
               text[3] == ' ' && (text[0] == '4' || text[0] == '5')) {
      transfer.refusals_.push_back({std::move(transfer.asked_), OneLine(text)});
      transfer.asked_.clear();
    }
    return 0;
  }

  void SetUp(Deadline deadline) {
    Set(CURLOPT_VERBOSE, 1L);
    Set(CURLOPT_DEBUGFUNCTION, &Transfer::OnTalk);
    Set(CURLOPT_DEBUGDATA, static_cast<void*>(this));
    Set(CURLOPT_TIMEOUT_MS, std::max<long>(1, static_cast<long>(deadline.Left().count())));
    Set(CURLOPT_NOSIGNAL, 1L);
    Set(CURLOPT_QUICK_EXIT, 1L);
    Set(CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    Set(CURLOPT_PROXY, "");
    Set(CURLOPT_ERRORBUFFER, error_.data());
    Set(CURLOPT_HEADERFUNCTION, &Transfer::OnReply);
    Set(CURLOPT_HEADERDATA, static_cast<void*>(this));
    Set(CURLOPT_WRITEFUNCTION, &Transfer::OnReply);
    Set(CURLOPT_WRITEDATA, static_cast<void*>(this));
  }

  // Certificates are made out to `server_name`, which then stands in the URL.
  void Address(const SmtpServer& server) {
    const auto& tls = server.tls;
    const std::string& name = tls.server_name.empty() ? server.host : tls.server_name;
    const std::string port = std::to_string(server.port);
    Set(CURLOPT_URL,
        ((server.implicit_tls ? "smtps://" : "smtp://") + name + ":" + port + "/" + server.hello)
            .c_str());
    if (!tls.server_name.empty()) {
      Append(connect_to_, ":" + port + ":" + server.host + ":" + port);
      Set(CURLOPT_CONNECT_TO, connect_to_);
    }
    if (server.require_tls) Set(CURLOPT_USE_SSL, static_cast<long>(CURLUSESSL_ALL));
    SetCurlTls(curl_.get(), tls);
  }

  Status Authenticate(const SmtpServer& server) {
    if (server.username.empty()) return Ok();
    const bool cram = !server.secret.empty();
    const auto password = (cram ? server.secret : server.password).Reveal();
    if (!password) return Fail(password.error());
    Set(CURLOPT_USERNAME, server.username.c_str());
    Set(CURLOPT_PASSWORD, password->c_str());
    if (cram) Set(CURLOPT_LOGIN_OPTIONS, "AUTH=CRAM-MD5");
    if (!server.identity.empty()) Set(CURLOPT_SASL_AUTHZID, server.identity.c_str());
    return Ok();
  }

  void Fill(const Mail& mail) {
    Set(CURLOPT_MAIL_FROM, ("<" + mail.from + ">").c_str());
    for (const auto& address : mail.to) Append(recipients_, "<" + address + ">");
    Set(CURLOPT_MAIL_RCPT, recipients_);
    Set(CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L);
    for (const auto& [name, value] : mail.headers) Append(headers_, name + ": " + value);
    Set(CURLOPT_HTTPHEADER, headers_);
    mime_ = curl_mime_init(curl_.get());
    curl_mime* const bodies = curl_mime_init(curl_.get());
    AddPart(bodies, mail.text, "text/plain; charset=UTF-8");
    AddPart(bodies, mail.html, "text/html; charset=UTF-8");
    curl_mimepart* const whole = curl_mime_addpart(mime_);
    curl_mime_subparts(whole, bodies);  // owns them now
    curl_mime_type(whole, "multipart/alternative");
    Set(CURLOPT_MIMEPOST, mime_);
  }

  static void AddPart(curl_mime* bodies, const std::string& text, const char* type) {
    if (text.empty()) return;
    curl_mimepart* const part = curl_mime_addpart(bodies);
    const auto lines = WithCrlf(text);
    curl_mime_data(part, lines.data(), lines.size());
    curl_mime_type(part, type);
    curl_mime_encoder(part, "quoted-printable");
  }

  MailOutcome Read(CURLcode code, std::size_t asked) const {
    MailOutcome out;
    std::string refused;
    for (const auto& [address, reply] : refusals_) {
      if (reply.front() == '4') out.put_off.push_back(address);
      refused += (refused.empty() ? "not to " : ", ") + address + ": " + reply;
    }
    if (code == CURLE_OK || refusals_.size() == asked) {
      out.outcome.message = Redact(refused);
      if (code != CURLE_OK) out.outcome.kind = KindOf(out.put_off.empty() ? 550 : 450);
      return out;
    }
    long reply = 0;
    curl_easy_getinfo(curl_.get(), CURLINFO_RESPONSE_CODE, &reply);
    std::string message = error_[0] ? error_.data() : curl_easy_strerror(code);
    if (reply >= 400) message += ": " + OneLine(reply_);
    out.outcome = {.kind = KindOf(reply), .message = Redact(message)};
    return out;
  }

  static Outcome::Kind KindOf(long reply) {
    return reply >= 500 && reply < 600 ? Outcome::Kind::kRejected : Outcome::Kind::kRetry;
  }

  std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl_;
  std::array<char, CURL_ERROR_SIZE> error_{};
  std::string reply_;  // the last line that the server has said
  std::string asked_;  // the address of the last RCPT, until its reply
  std::vector<std::pair<std::string, std::string>> refusals_;  // addresses and replies
  curl_slist* headers_ = nullptr;
  curl_slist* recipients_ = nullptr;
  curl_slist* connect_to_ = nullptr;
  curl_mime* mime_ = nullptr;
};

}  // namespace

std::vector<std::string> ParseAddresses(std::string_view list) {
  std::vector<std::string> addresses;
  for (const auto one : Split(list)) {
    const auto address = NameAndAddress(one).second;
    if (!IsAddress(address)) return {};
    addresses.emplace_back(address);
  }
  return addresses;
}

std::string EncodeHeader(std::string_view value) {
  // An encoded word has at most 75 characters, and a character of UTF-8 is not divided.
  constexpr std::size_t kBytes = 42;
  const std::string line = OneLine(value);
  if (IsAscii(line)) return line;
  std::string out;
  for (std::size_t begin = 0; begin < line.size();) {
    std::size_t end = std::min(begin + kBytes, line.size());
    while (end < line.size() && end > begin + 1 && (line[end] & 0xC0) == 0x80) --end;
    if (!out.empty()) out += "\r\n ";
    out += "=?UTF-8?B?" + EncodeBase64(std::string_view(line).substr(begin, end - begin)) + "?=";
    begin = end;
  }
  return out;
}

std::string EncodeAddresses(std::string_view list) {
  // A line has at most 998 characters and ought to have 78 (RFC 5322, 2.1.1).
  constexpr std::size_t kLine = 70;
  std::string out;
  std::size_t length = 0;
  for (const auto one : Split(list)) {
    const auto [name, address] = NameAndAddress(one);
    const auto piece =
        name.empty() ? OneLine(address) : EncodeHeader(name) + " <" + OneLine(address) + ">";
    const bool breaks = !out.empty() && length + piece.size() > kLine;
    if (!out.empty()) out += breaks ? ",\r\n " : ", ";
    out += piece;
    length = breaks ? piece.size() : length + piece.size() + 2;
  }
  return out;
}

std::string MailDate(Timestamp time) {
  return templates::FormatTime(templates::Time::FromMilliseconds(time),
                               "Mon, 02 Jan 2006 15:04:05 -0700");
}

MailOutcome SendMail(const SmtpServer& server, const Mail& mail, Deadline deadline) {
  return Transfer().Send(server, mail, deadline);
}

}  // namespace vigia::alerting::deliver
