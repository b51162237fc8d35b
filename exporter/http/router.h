// Which handler answers which path. Filled before the server starts, then read by its threads.

#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/http/message.h"

namespace vigia::http {

using Handler = std::function<Response(const Request&)>;

struct Route {
  std::string method;   // "GET", "POST", ...
  std::string pattern;  // a path; {name} stands for one whole part of it
  Handler handler;
  // Larger bodies are refused while they are read.
  std::size_t max_body = 1024 * 1024;
  // Handler and stream run on a stack of the usual size instead of a worker's, of which civetweb
  // makes 100 kB: for handlers that recurse. Costs a thread for each request.
  bool large_stack = false;
  // Takes long, and looks at Request::gone.
  bool cancellable = false;
  // From other machines only for authenticated users, and never from another site's page.
  bool changes_state = false;
};

class Router {
 public:
  void Add(Route route) { routes_.push_back(std::move(route)); }
  void Get(std::string pattern, Handler handler) {
    Add({"GET", std::move(pattern), std::move(handler)});
  }
  void Post(std::string pattern, Handler handler) {
    Add({"POST", std::move(pattern), std::move(handler)});
  }

  // The route that answers, with request.path_parameters filled; nullptr if none does. Then
  // `allowed` lists the methods that the path has ("GET, POST"): empty means an unknown path.
  const Route* Find(Request& request, std::string& allowed) const;

 private:
  std::vector<Route> routes_;
};

}  // namespace vigia::http
