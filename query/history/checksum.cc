#include "query/history/checksum.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace vigia::history {

std::uint32_t Checksum(std::string_view bytes) {
  return static_cast<std::uint32_t>(XXH3_64bits(bytes.data(), bytes.size()));
}

}  // namespace vigia::history
