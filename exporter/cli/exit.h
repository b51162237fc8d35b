// Exit codes of every command.

#pragma once

namespace vigia::exporter {

inline constexpr int kExitFine = 0;
inline constexpr int kExitError = 1;
inline constexpr int kExitUsage = 2;  // also: a configuration that cannot be started with
inline constexpr int kExitFindings = 3;

}  // namespace vigia::exporter
