#include "exporter/cli/mark.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "core/http_client.h"
#include "exporter/cli/exit.h"

namespace vigia::exporter::cli {

int Mark(const MarkOptions& options) {
  nlohmann::json body{{"type", options.type}};
  const auto set = [&](const char* key, const std::string& value) {
    if (!value.empty()) body[key] = value;
  };
  set("version", options.version);
  set("text", options.text);
  set(options.type == "deploy" ? "time" : "start", options.time);
  set("end", options.end);
  set("for", options.lasting);
  const auto url = options.url + "/api/vigia/v1/events";
  HttpClient client;
  const auto answer = client.Send({.method = "POST",
                                   .url = url,
                                   .headers = {{"Content-Type", "application/json"}},
                                   .body = body.dump()},
                                  Deadline::After(SystemClock(), std::chrono::seconds(30)));
  if (!answer) {
    std::fprintf(stderr, "vigia: %s: %s\n", url.c_str(), answer.error().message().c_str());
    return kExitError;
  }
  if (answer->status != 200) {
    const auto refused = nlohmann::json::parse(answer->body, nullptr, false);
    const bool told = refused.is_object() && refused.contains("error");
    std::fprintf(stderr, "vigia: %s\n",
                 told ? refused["error"].get<std::string>().c_str() : answer->body.c_str());
    return answer->status == 400 ? kExitUsage : kExitError;
  }
  std::printf("%s\n", answer->body.c_str());
  return kExitFine;
}

}  // namespace vigia::exporter::cli
