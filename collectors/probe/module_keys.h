// Keys that modules of several kinds have. For the files that read modules.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "collectors/probe/module.h"

namespace vigia::collectors::probe {

// Compiles `expression` into `out`; a fault at `key` if it is none.
void AddPattern(config::MapReader& reader, std::string_view key, const std::string& expression,
                std::vector<Pattern>& out);
// A list of expressions.
void ReadPatterns(config::MapReader& reader, std::string_view key, std::vector<Pattern>& out);
// `query_response`.
void ReadSteps(config::MapReader& reader, std::vector<TcpStep>& steps);
// `source_ip_address`.
void ReadSource(config::MapReader& reader, std::string& source);

// `enable_http3`. What is missing for it, if it is asked for; else nothing.
std::string ReadHttp3(config::MapReader& reader);

std::string LowerCase(std::string text);

}  // namespace vigia::collectors::probe
