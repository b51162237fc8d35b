// One HTTP probe on its way: what curl is told, what it calls back, and the verdict. For http.cc.

#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "collectors/probe/certificate.h"
#include "collectors/probe/http.h"
#include "collectors/probe/token_errand.h"
#include "core/curl_request.h"

struct sockaddr;

namespace vigia::collectors::probe {

class HttpTransfer {
 public:
  // `easy` and `job` outlive it; its address stays the same. It has to end by `until`.
  HttpTransfer(void* easy, std::size_t index, const HttpJob& job, Deadline until);
  ~HttpTransfer();
  HttpTransfer(const HttpTransfer&) = delete;
  HttpTransfer& operator=(const HttpTransfer&) = delete;

  // Sets all options of the handle; an error is one of the module's: a file that cannot be read.
  Status Prepare();
  // Whether after a request that ended with `code`, a CURLcode, another has to follow: the handle
  // is to be prepared again.
  bool NeedsAnother(int code);
  Observation Finish(int code);
  Observation FinishUnasked(const Error& error) const;

  // What curl calls back; false ends the transfer.
  void AttachTo(void* ssl_context) { certificate_.AttachTo(ssl_context); }
  bool TakeHeader(std::string_view line);
  bool TakeBody(std::string_view bytes);
  void TakeAddress(const sockaddr& address);
  void TakeNote(std::string_view text) const;

  // A CURL*.
  void* easy() const { return easy_; }
  std::size_t index() const { return index_; }

 private:
  void SetConnection();
  Status SetAddresses();
  Status SetRequest();
  Status SetAuth();
  void SetCallbacks();
  void SetTimeout();
  bool EndErrand(int code);
  bool TokenIsRefused(int code);
  Observation FinishErrand(int code) const;

  // What a body may have at most, in bytes.
  std::uint64_t BodyLimit() const;
  Error NoAddress(const std::string& host, bool four);
  bool MayFollow(const std::string& location);

  void FailWithCode(int code, Observation& observation) const;
  std::string ServerName() const;

  void* const easy_;
  const std::size_t index_;
  const HttpJob& job_;
  const HttpModule& module_;
  const Deadline until_;
  std::unique_ptr<CurlRequest> request_;
  CertificateRecorder certificate_;
  std::optional<TokenErrand> errand_;    // under way, or failed
  std::string token_;                    // of oauth2
  bool token_is_old_ = false;            // it was at hand, not fetched for this probe
  std::chrono::microseconds errands_{};  // that fetching it took
  bool no_address_ = false;
  bool other_family_ = false;          // the preferred IP version has no address
  std::chrono::microseconds spent_{};  // on requests before this one
  std::string server_name_;
  std::string tried_;  // the address that it last connected to, or tried to
  std::string body_file_;
  // Of the last answer.
  HttpHead head_;
  std::uint64_t body_bytes_ = 0;
  std::string body_;
  bool too_large_ = false;
  bool refused_redirect_ = false;
};

}  // namespace vigia::collectors::probe
