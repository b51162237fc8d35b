#include "collectors/probe/curl_reason.h"

#include <curl/curl.h>

namespace vigia::collectors::probe {

Reason ReasonOfCurl(int code) {
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return Reason::kTimeout;
    case CURLE_COULDNT_RESOLVE_HOST:
      return Reason::kDns;
    case CURLE_COULDNT_CONNECT:
      return Reason::kConnect;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
      return Reason::kTls;
    case CURLE_TOO_MANY_REDIRECTS:
      return Reason::kRedirect;
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_PARTIAL_FILE:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
      return Reason::kConnection;
    case CURLE_FILESIZE_EXCEEDED:
      return Reason::kBodySize;
    default:
      return Reason::kOther;
  }
}

}  // namespace vigia::collectors::probe
