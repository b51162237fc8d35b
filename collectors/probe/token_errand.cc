#include "collectors/probe/token_errand.h"

#include <curl/curl.h>

namespace vigia::collectors::probe {
namespace {

constexpr std::size_t kMaxAnswer = 1 << 20;

}  // namespace

Status TokenErrand::Prepare(void* easy, CurlRequest& request) {
  auto question = MakeTokenRequest(module_.oauth2, auth_);
  if (!question) return Fail(question.error().In("oauth2"));
  question_ = *std::move(question);
  answer_.clear();
  request.SetGeneral(false, 0);
  request.SetMethod(question_.method, question_.body);
  request.SetTls(module_.oauth2.tls);
  request.SetProxy(module_.oauth2.proxy, question_.url);
  for (const auto& [name, value] : question_.headers) {
    if (auto status = request.AddHeader(name, value); !status) return status;
  }
  auto status = request.SetUrl(question_.url, module_.oauth2.tls.server_name);
  request.SetHeaders();
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &OnBody);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
  return status;
}

TokenErrand::Outcome TokenErrand::End(void* easy, Instant now) {
  long status = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  if (auto token = ReadTokenAnswer(static_cast<int>(status), answer_)) {
    token_ = token->text;
    module_.tokens->Put(*std::move(token), auth_, now);
    return Outcome::kDone;
  } else if (error_.empty()) {
    error_ = token.error().In("oauth2").message();
  }
  const bool other = auth_ == ClientAuth::kHeader && !module_.tokens->auth() && status / 100 == 4;
  if (!other) return Outcome::kFailed;
  auth_ = ClientAuth::kForm;
  return Outcome::kAgain;
}

std::size_t TokenErrand::OnBody(char* data, std::size_t, std::size_t size, void* self) {
  auto& answer = static_cast<TokenErrand*>(self)->answer_;
  if (answer.size() + size > kMaxAnswer) return 0;
  answer.append(data, size);
  return size;
}

}  // namespace vigia::collectors::probe
