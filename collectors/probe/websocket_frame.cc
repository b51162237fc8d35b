#include "collectors/probe/websocket_frame.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include "core/base64.h"

namespace vigia::collectors::probe {
namespace {

constexpr unsigned kLastBit = 0x80;
constexpr unsigned kReservedBits = 0x70;
constexpr unsigned kMaskBit = 0x80;
// Lengths that say where the length stands.
constexpr unsigned kTwoBytes = 126;
constexpr unsigned kEightBytes = 127;

template <std::size_t size>
std::array<unsigned char, size> Random() {
  std::array<unsigned char, size> bytes{};
  RAND_bytes(bytes.data(), static_cast<int>(size));
  return bytes;
}

void AppendNumber(std::uint64_t number, int bytes, std::string& out) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
    out += static_cast<char>(number >> static_cast<unsigned>(shift) & 0xFF);
  }
}

std::uint64_t ReadNumber(std::string_view bytes) {
  std::uint64_t number = 0;
  for (const char c : bytes) number = number << 8 | static_cast<unsigned char>(c);
  return number;
}

bool IsKnown(unsigned opcode) { return opcode <= 2 || (opcode >= 8 && opcode <= 10); }

// `length` as its byte has it; reads on where it stands further back.
Result<std::uint64_t> ReadLength(unsigned length, Stream& stream, Deadline deadline) {
  if (length < kTwoBytes) return length;
  const auto bytes = stream.ReadExactly(length == kTwoBytes ? 2 : 8, deadline);
  if (!bytes) return Fail(bytes.error());
  return ReadNumber(*bytes);
}

}  // namespace

std::string WriteFrame(Opcode opcode, std::string_view payload) {
  std::string out(1, static_cast<char>(kLastBit | static_cast<unsigned>(opcode)));
  const auto size = payload.size();
  const auto length = size < kTwoBytes ? static_cast<unsigned>(size)
                      : size <= 0xFFFF ? kTwoBytes
                                       : kEightBytes;
  out += static_cast<char>(kMaskBit | length);
  if (length == kTwoBytes) AppendNumber(size, 2, out);
  if (length == kEightBytes) AppendNumber(size, 8, out);
  const auto mask = Random<4>();
  out.append(mask.begin(), mask.end());
  for (std::size_t i = 0; i < size; ++i) {
    out += static_cast<char>(static_cast<unsigned char>(payload[i]) ^ mask[i % mask.size()]);
  }
  return out;
}

Result<Frame> ReadFrame(Stream& stream, std::size_t max_payload, Deadline deadline) {
  const auto head = stream.ReadExactly(2, deadline);
  if (!head) return Fail(head.error());
  const auto first = static_cast<unsigned char>((*head)[0]);
  const auto second = static_cast<unsigned char>((*head)[1]);
  if ((first & kReservedBits) != 0 || (second & kMaskBit) != 0 || !IsKnown(first & 0x0F)) {
    return Fail(ErrorCode::kCorrupt, "the server sent a frame that no server may send");
  }
  const auto length = ReadLength(second & 0x7F, stream, deadline);
  if (!length) return Fail(length.error());
  if (*length > max_payload) {
    return Fail(ErrorCode::kCorrupt,
                "the server sent a frame of " + std::to_string(*length) + " bytes");
  }
  auto payload = stream.ReadExactly(static_cast<std::size_t>(*length), deadline);
  if (!payload) return Fail(payload.error());
  return Frame{(first & kLastBit) != 0, static_cast<Opcode>(first & 0x0F), *std::move(payload)};
}

std::string NewWebsocketKey() {
  const auto bytes = Random<16>();
  return EncodeBase64(std::string(bytes.begin(), bytes.end()));
}

std::string WebsocketAccept(std::string_view key) {
  const std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, EVP_MAX_MD_SIZE> sum{};
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), sum.data(), &size, EVP_sha1(), nullptr);
  return EncodeBase64(std::string(sum.begin(), sum.begin() + size));
}

}  // namespace vigia::collectors::probe
