// A mail server that keeps what it is given, and holds clients to the protocol (RFC 5321): commands
// in order, lines that end with CRLF, dots doubled.

#pragma once

#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace vigia::test {

struct ReceivedMail {
  std::string user;  // as AUTH PLAIN had it: "\0name\0password"
  std::string from;
  std::vector<std::string> to;
  std::string data;  // dots undoubled, lines with CRLF
};

class SmtpStub {
 public:
  SmtpStub();
  ~SmtpStub();
  SmtpStub(const SmtpStub&) = delete;
  SmtpStub& operator=(const SmtpStub&) = delete;

  int port() const { return port_; }
  // Says `reply` to commands that begin so: "RCPT TO:<b@x>" -> "550 no such user".
  void Answer(const std::string& command, const std::string& reply);
  std::vector<ReceivedMail> mails() const;
  // What a client did that no server would like.
  std::vector<std::string> faults() const;

 private:
  void Run();
  void Serve(int client);
  void Fault(const std::string& what);
  std::string ReplyTo(const std::string& command, const std::string& usual) const;

  int listener_ = -1;
  int port_ = 0;
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::map<std::string, std::string> answers_;
  std::vector<ReceivedMail> mails_;
  std::vector<std::string> faults_;
  bool stopping_ = false;
  int client_ = -1;

  std::thread thread_;
};

}  // namespace vigia::test
