// Runs something that needs more stack than an HTTP worker has.

#pragma once

#include <functional>

namespace vigia::http {

// Runs `work` to its end on a stack of the usual size (ulimit -s). Throws what it throws, and
// std::bad_alloc where there is no memory for one.
void OnLargeStack(const std::function<void()>& work);

}  // namespace vigia::http
