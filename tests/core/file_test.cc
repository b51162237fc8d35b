#include "core/file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "core/secret.h"
#include "tests/support/temp_dir.h"

using namespace vigia;
using vigia::test::TempDir;

TEST_CASE("a file is read whole", "[core]") {
  TempDir dir;
  const std::string large(100'000, 'x');
  dir.Write("large", large);
  dir.Write("empty", "");
  REQUIRE(ReadFile(dir.path() / "large").value() == large);
  REQUIRE(ReadFile(dir.path() / "empty").value().empty());
  REQUIRE(ReadFile("/proc/self/comm").value() == dir.Read("/proc/self/comm"));
}

TEST_CASE("a file larger than the limit is corrupt", "[core]") {
  TempDir dir;
  dir.Write("f", "12345");
  const auto path = (dir.path() / "f").string();
  REQUIRE(ReadFile(path, 5).value() == "12345");
  REQUIRE(ReadFile(path, 4).error() == Error(ErrorCode::kCorrupt, path + ": larger than 4 bytes"));
  REQUIRE(ReadFile("/dev/zero", 10'000).error() ==
          Error(ErrorCode::kCorrupt, "/dev/zero: larger than 10000 bytes"));
}

TEST_CASE("a file that cannot be read is named", "[core]") {
  TempDir dir;
  const auto path = (dir.path() / "missing").string();
  REQUIRE(ReadFile(path).error() ==
          Error(ErrorCode::kUnavailable, path + ": No such file or directory"));
  REQUIRE(ReadFile(dir.path()).error() ==
          Error(ErrorCode::kUnavailable, dir.path().string() + ": Is a directory"));
}

TEST_CASE("a pipe is refused for it reads only once", "[core]") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const auto path = "/dev/fd/" + std::to_string(ends[0]);
  REQUIRE(ReadFile(path).error() ==
          Error(ErrorCode::kInvalid, path + ": a pipe, which reads only once; name a file"));
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_CASE("a file is replaced in one step", "[core]") {
  TempDir dir;
  const auto path = dir.path() / "state";
  REQUIRE(WriteFileAtomically(path, "one"));
  REQUIRE(dir.Read("state") == "one");
  const std::string large(1'000'000, 'x');
  REQUIRE(WriteFileAtomically(path, large));
  REQUIRE(dir.Read("state") == large);
  REQUIRE(WriteFileAtomically(path, ""));
  REQUIRE(dir.Read("state").empty());
  REQUIRE_FALSE(std::filesystem::exists(dir.path() / "state.tmp"));
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  REQUIRE((status.st_mode & 0007) == 0);
}

TEST_CASE("a file that cannot be replaced stays as it was", "[core]") {
  TempDir dir;
  dir.Write("folder/inside", "x");
  const auto folder = dir.path() / "folder";
  const auto status = WriteFileAtomically(folder, "y");
  REQUIRE(status.error().message() == folder.string() + ": Is a directory");
  REQUIRE(dir.Read("folder/inside") == "x");
  REQUIRE_FALSE(std::filesystem::exists(dir.path() / "folder.tmp"));

  const auto nowhere = (dir.path() / "no" / "file").string();
  REQUIRE(WriteFileAtomically(nowhere, "y").error().message() ==
          nowhere + ".tmp: No such file or directory");
}

TEST_CASE("a kept file shows what it holds now", "[core]") {
  TempDir dir;
  dir.Write("f", "first, and longer");
  KeptFile file(dir.path() / "f");
  std::string buffer;
  REQUIRE(file.Read(buffer).value() == "first, and longer");
  dir.Write("f", "second");
  REQUIRE(file.Read(buffer).value() == "second");
  dir.Write("f", std::string(50'000, 'x'));
  REQUIRE(file.Read(buffer).value() == std::string(50'000, 'x'));
}

TEST_CASE("a kept file is opened again after an error", "[core]") {
  TempDir dir;
  const auto path = dir.path() / "f";
  KeptFile file(path);
  std::string buffer;
  REQUIRE(file.Read(buffer).error() ==
          Error(ErrorCode::kUnavailable, path.string() + ": No such file or directory"));
  std::filesystem::create_directory(path);
  REQUIRE(file.Read(buffer).error().message() == path.string() + ": Is a directory");
  std::filesystem::remove(path);
  dir.Write("f", "back");
  REQUIRE(file.Read(buffer).value() == "back");
}

TEST_CASE("a kept file can be moved", "[core]") {
  TempDir dir;
  dir.Write("a", "A");
  dir.Write("b", "B");
  KeptFile a(dir.path() / "a");
  std::string buffer;
  REQUIRE(a.Read(buffer).value() == "A");
  KeptFile moved = std::move(a);
  REQUIRE(moved.Read(buffer).value() == "A");
  KeptFile b(dir.path() / "b");
  moved = std::move(b);
  REQUIRE(moved.Read(buffer).value() == "B");
  REQUIRE(moved.path() == dir.path() / "b");
}

TEST_CASE("a secret is its value or what its file holds now", "[core]") {
  TempDir dir;
  REQUIRE(Secret().empty());
  REQUIRE(Secret().Reveal().value().empty());
  REQUIRE(Secret::FromValue("pw").Reveal().value() == "pw");
  REQUIRE_FALSE(Secret::FromValue("pw").empty());

  dir.Write("pw", " first \r\n\n");
  const auto secret = Secret::FromFile(dir.path() / "pw");
  REQUIRE_FALSE(secret.empty());
  REQUIRE(secret.Reveal().value() == " first ");
  dir.Write("pw", "rotated");
  REQUIRE(secret.Reveal().value() == "rotated");
  std::filesystem::remove(dir.path() / "pw");
  REQUIRE(
      secret.Reveal().error() ==
      Error(ErrorCode::kUnavailable, (dir.path() / "pw").string() + ": No such file or directory"));
}
