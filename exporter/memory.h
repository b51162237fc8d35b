// The daemon's memory once it has started.

#pragma once

#include <cstddef>

namespace vigia::exporter {

// Gives back what only the start has needed: free heap, and the pages of programs and libraries
// that were read to link and to initialise them, which the kernel reads again from its cache
// where they are still used. Call it with nothing but idle threads, or any: it only costs time.
void ReturnStartupMemory();

// Gives back free heap that a burst of requests has left: the allocator keeps tens of megabytes
// of it. Ask it every few seconds, from one thread; it does something where the process has grown
// since it last did, and a few times after that.
class SpareHeap {
 public:
  void Return();

 private:
  std::size_t settled_ = 0;  // resident pages, at least, since it was last given back
  int turns_ = 0;            // that are left
};

}  // namespace vigia::exporter
