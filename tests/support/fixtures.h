// Files that tests read, from tests/fixtures.

#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace vigia::test {

// The path of `name` below tests/fixtures ("host/proc").
std::filesystem::path Fixture(std::string_view name);

}  // namespace vigia::test
