#include "tests/support/fixtures.h"

namespace vigia::test {

std::filesystem::path Fixture(std::string_view name) {
  return std::filesystem::path(VIGIA_FIXTURES) / name;
}

}  // namespace vigia::test
