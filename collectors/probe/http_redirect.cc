#include "collectors/probe/http_redirect.h"

#include <curl/curl.h>

#include "core/http_client.h"

namespace vigia::collectors::probe {
namespace {

class Url {
 public:
  Url() : url_(curl_url()) {}
  ~Url() { curl_url_cleanup(url_); }
  Url(const Url&) = delete;
  Url& operator=(const Url&) = delete;

  bool Set(CURLUPart part, const std::string& text) {
    return curl_url_set(url_, part, text.c_str(), 0) == CURLUE_OK;
  }
  std::optional<std::string> Get(CURLUPart part, unsigned flags = 0) const {
    char* text = nullptr;
    if (curl_url_get(url_, part, &text, flags) != CURLUE_OK) return std::nullopt;
    std::string copy(text);
    curl_free(text);
    return copy;
  }

 private:
  CURLU* const url_;
};

}  // namespace

std::optional<std::string> RedirectTo(const std::string& base, const std::string& location,
                                      const std::string& server_name, const std::string& target) {
  Url url;
  if (!url.Set(CURLUPART_URL, base) || !url.Set(CURLUPART_URL, location)) return std::nullopt;
  const auto host = url.Get(CURLUPART_HOST);
  if (host && !server_name.empty() && curl_strequal(host->c_str(), server_name.c_str()) != 0) {
    const auto to = ParseHttpUrl(target);
    if (to && url.Get(CURLUPART_PORT, CURLU_DEFAULT_PORT) == std::to_string(to->port)) {
      url.Set(CURLUPART_HOST, to->host);
    }
  }
  return url.Get(CURLUPART_URL);
}

}  // namespace vigia::collectors::probe
