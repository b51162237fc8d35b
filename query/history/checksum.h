// The checksum of the history's files: the low 32 bits of XXH3-64 without a seed.

#pragma once

#include <cstdint>
#include <string_view>

namespace vigia::history {

std::uint32_t Checksum(std::string_view bytes);

}  // namespace vigia::history
