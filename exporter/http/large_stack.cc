#include "exporter/http/large_stack.h"

#include <exception>
#include <thread>

namespace vigia::http {

void OnLargeStack(const std::function<void()>& work) {
  std::exception_ptr thrown;
  std::thread([&] {
    try {
      work();
    } catch (...) {
      thrown = std::current_exception();
    }
  }).join();
  if (thrown) std::rethrow_exception(thrown);
}

}  // namespace vigia::http
