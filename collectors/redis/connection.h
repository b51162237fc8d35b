// One connection to a Redis server: commands out, replies in, nothing beyond its deadline.
//
// RESP2 over TCP, a unix socket or TLS. The socket never blocks: every wait is a poll with the
// time that is left. After any error the connection is of no use and is thrown away. Not
// thread-safe.

#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "core/secret.h"

namespace vigia::collectors::redis {

struct Address {
  std::string host = "127.0.0.1";
  int port = 6379;
  std::string unix_path;  // instead of host and port
  int db = 0;
  std::string username;
  Secret password;
  bool tls = false;
  std::string tls_ca_file;
  std::string tls_cert_file;
  std::string tls_key_file;
  std::string tls_server_name;  // default: host
  bool tls_insecure = false;    // no verification
};

// redis://[[user]:password@]host[:port][/db], rediss:// for TLS, unix:///path[?db=N].
// Errors do not repeat the URL, which may hold a password.
Result<Address> ParseUrl(std::string_view url);

struct Reply {
  enum class Kind { kNil, kString, kError, kInteger, kArray };

  Kind kind = Kind::kNil;
  std::string text;  // of strings, statuses and errors
  std::int64_t integer = 0;
  std::vector<Reply> items;

  bool IsError() const { return kind == Kind::kError; }
  bool IsArray() const { return kind == Kind::kArray; }
  // The integer, or a string that is a number; 0 otherwise.
  double Number() const;
};

using Command = std::vector<std::string>;

class Connection {
 public:
  // Connects, authenticates, selects the database and names itself "vigia". kTimeout at the
  // deadline; kUnavailable if refused or if the credentials are wrong.
  static Result<std::unique_ptr<Connection>> Open(const Address& address, Deadline deadline);
  ~Connection();

  // Sends all commands at once and returns one reply each; an error that the server answers is
  // a reply. An error of the call means that the connection is dead.
  Result<std::vector<Reply>> Run(std::span<const Command> commands, Deadline deadline);
  Result<Reply> Run(const Command& command, Deadline deadline);

 private:
  class Transport;
  explicit Connection(std::unique_ptr<Transport> transport);

  std::unique_ptr<Transport> transport_;
};

}  // namespace vigia::collectors::redis
