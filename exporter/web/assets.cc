#include "exporter/web/assets.h"

#include <libdeflate.h>
#include <xxhash.h>

#include <array>
#include <charconv>
#include <memory>
#include <string>
#include <string_view>

namespace vigia::web {
namespace {

struct Packed {
  std::string_view path;  // below page/
  const char* begin;      // one gzip member
  const char* end;
};

#include "exporter/web/asset_table.inc"

struct Asset {
  std::string content_type;
  std::string etag;
  std::shared_ptr<const std::string> packed;
};

std::string ContentType(std::string_view path) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kTypes{{
      {".html", "text/html; charset=utf-8"},
      {".css", "text/css; charset=utf-8"},
      {".js", "text/javascript; charset=utf-8"},
      {".svg", "image/svg+xml"},
  }};
  for (const auto& [ending, type] : kTypes) {
    if (path.ends_with(ending)) return std::string(type);
  }
  return "application/octet-stream";
}

Asset MakeAsset(const Packed& packed) {
  const std::string_view bytes(packed.begin, packed.end);
  std::array<char, 16> digits;
  const auto hash = XXH3_64bits(bytes.data(), bytes.size());
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), hash, 16).ptr;
  return {ContentType(packed.path), '"' + std::string(digits.data(), end) + '"',
          std::make_shared<const std::string>(bytes)};
}

// A gzip member ends with the size of what it holds (RFC 1952, 2.3.1).
std::string Unpack(std::string_view packed) {
  std::size_t size = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    size |= std::size_t{static_cast<unsigned char>(packed[packed.size() - 4 + i])} << (8 * i);
  }
  std::string text(size, '\0');
  const std::unique_ptr<libdeflate_decompressor, decltype(&libdeflate_free_decompressor)> unpacker(
      libdeflate_alloc_decompressor(), &libdeflate_free_decompressor);
  libdeflate_gzip_decompress(unpacker.get(), packed.data(), packed.size(), text.data(), size,
                             nullptr);
  return text;
}

http::Response Answer(const Asset& asset, const http::Request& request) {
  http::Response response;
  response.headers = {{"content-type", asset.content_type},
                      {"cache-control", "no-cache"},
                      {"etag", asset.etag},
                      {"vary", "Accept-Encoding"}};
  if (request.Header("if-none-match") == asset.etag) {
    response.status = 304;
  } else if (request.Header("accept-encoding").find("gzip") != std::string_view::npos) {
    response.headers.emplace_back("content-encoding", "gzip");
    response.shared_body = asset.packed;
  } else {
    response.body = Unpack(*asset.packed);
  }
  return response;
}

}  // namespace

void AddPage(http::Router& router) {
  for (const auto& packed : kPacked) {
    const std::string path =
        packed.path == "index.html" ? "/" : "/assets/" + std::string(packed.path);
    router.Get(path, [asset = MakeAsset(packed)](const http::Request& request) {
      return Answer(asset, request);
    });
  }
}

}  // namespace vigia::web
