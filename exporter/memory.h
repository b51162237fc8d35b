// The daemon's memory once it has started.

#pragma once

namespace vigia::exporter {

// Gives back what only the start has needed: free heap, and the pages of programs and libraries
// that were read to link and to initialise them, which the kernel reads again from its cache
// where they are still used. Call it with nothing but idle threads, or any: it only costs time.
void ReturnStartupMemory();

}  // namespace vigia::exporter
