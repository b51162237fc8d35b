#include "exporter/api/api.h"

#include "exporter/api/calls.h"

namespace vigia::api {

// A POST only carries the parameters: it changes nothing. Parser and evaluator recurse as deep as
// the query is, for which a worker's stack is too small.
void AddCall(http::Router& router, const std::string& path, const http::Handler& handler) {
  for (const auto* method : {"GET", "POST"}) {
    router.Add({.method = method,
                .pattern = path,
                .handler = handler,
                .max_body = 4 * 1024 * 1024,
                .large_stack = true,
                .cancellable = true});
  }
}

void AddApi(http::Router& router, const ApiContext& context) {
  AddQueryCalls(router, context);
  AddLanguageCalls(router, context);
  AddSeriesCalls(router, context);
  AddMetadataCalls(router, context);
  AddStatusCalls(router, context);
}

}  // namespace vigia::api
