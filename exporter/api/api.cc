#include "exporter/api/api.h"

#include "exporter/api/calls.h"

namespace vigia::api {

// A POST only carries the parameters: it changes nothing.
void AddCall(http::Router& router, const std::string& path, const http::Handler& handler) {
  router.Get(path, handler);
  router.Post(path, handler);
}

void AddApi(http::Router& router, const ApiContext& context) {
  AddQueryCalls(router, context);
  AddLanguageCalls(router, context);
  AddSeriesCalls(router, context);
  AddMetadataCalls(router, context);
  AddStatusCalls(router, context);
}

}  // namespace vigia::api
