#include "tests/deliver/smtp_stub.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>

#include "core/base64.h"

namespace vigia::test {
namespace {

// A connection, line by line.
class Lines {
 public:
  explicit Lines(int socket) : socket_(socket) {}

  bool Read(std::string& line) {
    while (true) {
      const auto end = buffer_.find('\n');
      if (end != buffer_.npos) {
        line = buffer_.substr(0, end + 1);
        buffer_.erase(0, end + 1);
        return true;
      }
      char bytes[4096];
      const auto count = ::recv(socket_, bytes, sizeof bytes, 0);
      if (count <= 0) return false;
      buffer_.append(bytes, static_cast<std::size_t>(count));
    }
  }

  void Say(const std::string& text) const {
    const auto line = text + "\r\n";
    static_cast<void>(::send(socket_, line.data(), line.size(), MSG_NOSIGNAL));
  }

 private:
  const int socket_;
  std::string buffer_;
};

// "MAIL FROM:<a@b> SIZE=10" -> "a@b".
std::string Address(const std::string& line) {
  const auto open = line.find('<');
  return line.substr(open + 1, line.find('>', open) - open - 1);
}

}  // namespace

SmtpStub::SmtpStub() {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  socklen_t size = sizeof address;
  if (::bind(listener_, generic, size) != 0 || ::listen(listener_, 8) != 0 ||
      ::getsockname(listener_, generic, &size) != 0) {
    throw std::runtime_error("cannot listen");
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { Run(); });
}

SmtpStub::~SmtpStub() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    if (client_ >= 0) ::shutdown(client_, SHUT_RDWR);
  }
  ::shutdown(listener_, SHUT_RDWR);
  thread_.join();
  ::close(listener_);
}

void SmtpStub::Answer(const std::string& command, const std::string& reply) {
  const std::lock_guard lock(mutex_);
  answers_[command] = reply;
}

std::vector<ReceivedMail> SmtpStub::mails() const {
  const std::lock_guard lock(mutex_);
  return mails_;
}

std::vector<std::string> SmtpStub::faults() const {
  const std::lock_guard lock(mutex_);
  return faults_;
}

void SmtpStub::Fault(const std::string& what) {
  const std::lock_guard lock(mutex_);
  faults_.push_back(what);
}

std::string SmtpStub::ReplyTo(const std::string& command, const std::string& usual) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [begin, reply] : answers_) {
    if (command.starts_with(begin)) return reply;
  }
  return usual;
}

void SmtpStub::Run() {
  while (true) {
    const int client = ::accept(listener_, nullptr, nullptr);
    if (client < 0) return;
    {
      const std::lock_guard lock(mutex_);
      client_ = client;
      if (stopping_) ::shutdown(client, SHUT_RDWR);
    }
    Serve(client);
    const std::lock_guard lock(mutex_);
    client_ = -1;
    ::close(client);
  }
}

void SmtpStub::Serve(int client) {
  Lines lines(client);
  ReceivedMail mail;
  lines.Say(ReplyTo("connect", "220 stub ESMTP"));
  std::string line;
  while (lines.Read(line)) {
    if (!line.ends_with("\r\n")) Fault("a line without CRLF: " + line);
    if (line.starts_with("EHLO")) {
      lines.Say("250-stub");
      lines.Say("250-AUTH PLAIN");
      lines.Say("250 SIZE 10000000");
    } else if (line.starts_with("AUTH PLAIN")) {
      lines.Say("334 ");
      if (!lines.Read(line)) return;
      mail.user = DecodeBase64(line.substr(0, line.size() - 2)).value_or("?");
      lines.Say(ReplyTo("AUTH", "235 welcome"));
    } else if (line.starts_with("MAIL FROM:")) {
      mail.from = Address(line);
      lines.Say(ReplyTo(line, "250 ok"));
    } else if (line.starts_with("RCPT TO:")) {
      if (mail.from.empty()) Fault("RCPT before MAIL");
      const auto reply = ReplyTo(line, "250 ok");
      if (reply.starts_with("250")) mail.to.push_back(Address(line));
      lines.Say(reply);
    } else if (line.starts_with("DATA")) {
      if (mail.to.empty()) Fault("DATA before RCPT");
      lines.Say(ReplyTo(line, "354 go on"));
      while (lines.Read(line) && line != ".\r\n") {
        if (!line.ends_with("\r\n")) Fault("a line without CRLF: " + line);
        if (line.size() > 1000) Fault("a line of more than 1000 characters");
        mail.data += line.starts_with(".") ? line.substr(1) : line;
      }
      const auto reply = ReplyTo("end of data", "250 queued");
      if (reply.starts_with("250")) {
        const std::lock_guard lock(mutex_);
        mails_.push_back(mail);
      }
      mail = {};
      lines.Say(reply);
    } else if (line.starts_with("QUIT")) {
      lines.Say("221 bye");
      return;
    } else {
      lines.Say("502 what?");
    }
  }
}

}  // namespace vigia::test
