#include "collectors/probe/grpc_message.h"

#include <cstdint>
#include <protozero/pbf_reader.hpp>
#include <protozero/pbf_writer.hpp>

namespace vigia::collectors::probe {
namespace {

// Whether it is compressed, and the length of the message, big-endian.
constexpr std::size_t kFrameSize = 5;
constexpr std::uint32_t kService = 1;
constexpr std::uint32_t kStatus = 1;

constexpr std::array<std::string_view, 17> kCodes{
    "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
    "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
    "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
    "DATA_LOSS", "UNAUTHENTICATED"};

Result<int> ReadStatus(std::string_view message) {
  try {
    int status = 0;  // what the default is need not be written
    protozero::pbf_reader reader(message.data(), message.size());
    while (reader.next()) {
      if (reader.tag() == kStatus && reader.wire_type() == protozero::pbf_wire_type::varint) {
        status = reader.get_enum();
      } else {
        reader.skip();
      }
    }
    return status;
  } catch (const protozero::exception& error) {
    return Fail(ErrorCode::kCorrupt, std::string("the health answer: ") + error.what());
  }
}

}  // namespace

std::string GrpcStatusName(int code) {
  const auto index = static_cast<std::size_t>(code);
  return code >= 0 && index < kCodes.size() ? std::string(kCodes[index]) : std::to_string(code);
}

int GrpcStatusOfHttp(long status) {
  switch (status) {
    case 400:
      return 13;  // INTERNAL
    case 401:
      return 16;  // UNAUTHENTICATED
    case 403:
      return 7;  // PERMISSION_DENIED
    case 404:
      return 12;  // UNIMPLEMENTED
    case 429:
    case 502:
    case 503:
    case 504:
      return kGrpcUnavailable;
    default:
      return 2;  // UNKNOWN
  }
}

std::string WriteHealthRequest(std::string_view service) {
  std::string message;
  if (!service.empty()) {
    protozero::pbf_writer(message).add_string(kService, service.data(), service.size());
  }
  std::string frame(1, '\0');
  for (int shift = 24; shift >= 0; shift -= 8) {
    frame += static_cast<char>(message.size() >> static_cast<unsigned>(shift) & 0xFF);
  }
  return frame + message;
}

Result<int> ReadHealthAnswer(std::string_view body) {
  if (body.size() < kFrameSize) {
    return Fail(ErrorCode::kCorrupt, "the health answer has no message");
  }
  if (body[0] != '\0') return Fail(ErrorCode::kCorrupt, "the health answer is compressed");
  std::uint32_t size = 0;
  for (std::size_t i = 1; i < kFrameSize; ++i) {
    size = size << 8 | static_cast<unsigned char>(body[i]);
  }
  if (body.size() - kFrameSize != size) {
    return Fail(ErrorCode::kCorrupt, "the health answer is not one whole message");
  }
  return ReadStatus(body.substr(kFrameSize));
}

}  // namespace vigia::collectors::probe
