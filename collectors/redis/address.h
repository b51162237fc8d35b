// Where a Redis server is, as configurations say it.

#pragma once

#include <string_view>

#include "collectors/redis/connection.h"
#include "core/config/reader.h"

namespace vigia::collectors::redis {

// Reads the URL under `key` (absent: the server on this machine), `username`, `password_file` and
// `tls`. Faults go to the reader.
Address ReadAddress(config::MapReader& options, std::string_view key);

}  // namespace vigia::collectors::redis
