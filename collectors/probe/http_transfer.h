// One HTTP probe on its way: what curl is told, what it calls back, and the verdict. For http.cc.

#pragma once

#include <array>
#include <string>
#include <string_view>

#include "collectors/probe/certificate.h"
#include "collectors/probe/http.h"

struct curl_slist;

namespace vigia::collectors::probe {

class HttpTransfer {
 public:
  // `easy` and `job` outlive it; its address stays the same.
  HttpTransfer(void* easy, std::size_t index, const HttpJob& job);
  ~HttpTransfer();
  HttpTransfer(const HttpTransfer&) = delete;
  HttpTransfer& operator=(const HttpTransfer&) = delete;

  // Sets all options; an error is one of the module's: a file that cannot be read.
  Status Prepare(Milliseconds timeout);
  // `code` is a CURLcode.
  Observation Finish(int code);

  // What curl calls back; false ends the transfer.
  void AttachTo(void* ssl_context) { certificate_.AttachTo(ssl_context); }
  bool TakeHeader(std::string_view line);
  bool TakeBody(std::string_view bytes);

  // A CURL*.
  void* easy() const { return easy_; }
  std::size_t index() const { return index_; }

 private:
  void SetRequest();
  void SetConnection();
  Status SetTls();
  Status SetAuth();
  Status AddHeader(const std::string& name, const std::string& value);

  bool MayFollow(const std::string& location);

  void ReportTransfer(Observation& observation) const;
  void ReportPhases(Observation& observation) const;
  void ReportTarget(Observation& observation) const;
  void FailWithCode(int code, Observation& observation) const;
  void CheckAnswer(Observation& observation) const;
  void CheckText(Observation& observation) const;
  bool HeaderMatches(const HeaderPattern& wanted, bool when_missing) const;
  std::string_view Header(std::string_view name) const;

  void* const easy_;
  const std::size_t index_;
  const HttpJob& job_;
  const HttpModule& module_;
  curl_slist* header_list_ = nullptr;
  curl_slist* connect_to_ = nullptr;
  std::array<char, 256> error_{};  // CURL_ERROR_SIZE
  CertificateRecorder certificate_;
  // Of the last answer.
  HttpFields headers_;
  std::size_t header_bytes_ = 0;
  std::uint64_t body_bytes_ = 0;
  std::string body_;
  bool too_large_ = false;
  bool refused_redirect_ = false;
};

}  // namespace vigia::collectors::probe
