// `vigia query EXPR`: asks a running vigia, any Prometheus-compatible server, or a file.

#pragma once

#include <filesystem>
#include <string>

namespace vigia::exporter::cli {

struct QueryRequest {
  std::string expression;
  std::string url = "http://127.0.0.1:9845";
  std::filesystem::path data;  // a file of OpenMetrics text to ask in place of a server
  // Unix seconds, RFC 3339, "now", or how long ago: "-1h".
  std::string time;
  std::string start;  // a range query if given
  std::string end;
  std::string step;
  std::string format = "table";  // table, json, csv
  bool prometheus2 = false;      // the language of Prometheus 2.42, for `data`
};

// Prints the answer; returns the exit code.
int Query(const QueryRequest& request);

}  // namespace vigia::exporter::cli
