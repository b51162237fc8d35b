// One e-mail by SMTP (RFC 5321): a text and an HTML part, sent by libcurl.

#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alerting/deliver/receiver.h"
#include "core/http_client.h"
#include "core/secret.h"

namespace vigia::alerting::deliver {

struct SmtpServer {
  std::string host;
  int port = 25;  // 465: TLS from the first byte
  std::string hello = "localhost";
  bool require_tls = true;  // STARTTLS, or no mail
  bool implicit_tls = false;
  HttpTls tls;
  std::string username;
  Secret password;
  Secret secret;         // CRAM-MD5 instead of PLAIN or LOGIN
  std::string identity;  // on whose behalf, if not the user's own
};

struct Mail {
  std::string from;             // an address alone
  std::vector<std::string> to;  // the same
  // In order, already encoded: From, To, Subject and so on.
  std::vector<std::pair<std::string, std::string>> headers;
  std::string text;  // either may be empty
  std::string html;
};

// "Name <a@b>, c@d": the addresses alone; empty if one of them is none.
std::vector<std::string> ParseAddresses(std::string_view list);

// A value of a header: line breaks become spaces, what is not ASCII becomes encoded words (RFC
// 2047).
std::string EncodeHeader(std::string_view value);
// The same for a list of addresses, whose names alone are encoded.
std::string EncodeAddresses(std::string_view list);

// "Tue, 14 Nov 2023 22:13:20 +0000" (RFC 5322).
std::string MailDate(Timestamp time);

// What an attempt came to. An address that the server does not know is no reason to tell nobody:
// the others get the mail, and `outcome` is that of those.
struct MailOutcome {
  Outcome outcome;
  // Addresses that were put off (4xx) and may be tried again; those refused for good stand in the
  // message of `outcome`.
  std::vector<std::string> put_off;
};

// One attempt. A reply of 5xx is a rejection, anything else that fails may be tried again.
// Thread-safe.
MailOutcome SendMail(const SmtpServer& server, const Mail& mail, Deadline deadline);

}  // namespace vigia::alerting::deliver
