#include "collectors/probe/dns_message.h"

#include <algorithm>
#include <string_view>

#include "collectors/probe/dns_cursor.h"
#include "collectors/probe/dns_record.h"

namespace vigia::collectors::probe {
namespace {

constexpr std::size_t kHeaderSize = 12;
// Of all sections together: a message has at most 64 KiB.
constexpr std::size_t kMaxRecords = 4096;
constexpr std::uint32_t kSoa = 6;

void Append16(std::string& out, std::uint16_t value) {
  out += static_cast<char>(value >> 8);
  out += static_cast<char>(value & 255);
}

// The first number after the two names.
std::optional<std::uint32_t> SoaSerial(std::string_view message, std::size_t begin,
                                       std::size_t size) {
  DnsCursor data(message.substr(0, begin + size), begin);
  data.Name();
  data.Name();
  const auto serial = data.Number(4);
  if (!data.ok()) return std::nullopt;
  return serial;
}

}  // namespace

Result<std::string> WriteDnsQuery(const DnsQuestion& question, std::uint16_t id) {
  std::string out;
  Append16(out, id);
  Append16(out, question.recursion_desired ? 0x0100 : 0);
  Append16(out, 1);
  Append16(out, 0);
  Append16(out, 0);
  Append16(out, 0);
  std::string_view rest = question.name;
  if (rest.ends_with('.')) rest.remove_suffix(1);
  if (rest.size() > 253) return Fail(ErrorCode::kInvalid, "the name is too long");
  while (!rest.empty()) {
    const auto label = rest.substr(0, rest.find('.'));
    if (label.empty() || label.size() > 63) {
      return Fail(ErrorCode::kInvalid, "'" + question.name + "' is not a name");
    }
    out += static_cast<char>(label.size());
    out += label;
    rest.remove_prefix(std::min(rest.size(), label.size() + 1));
  }
  out += '\0';
  Append16(out, question.type);
  Append16(out, question.dns_class);
  return out;
}

Result<DnsAnswer> ReadDnsAnswer(std::string_view message, std::uint16_t id) {
  if (message.size() < kHeaderSize) return Fail(ErrorCode::kCorrupt, "not a DNS message");
  DnsCursor cursor(message, 0);
  const auto got_id = cursor.Number(2);
  const auto flags = cursor.Number(2);
  if (got_id != id || !(flags & 0x8000)) return Fail(ErrorCode::kCorrupt, "not an answer to us");
  DnsAnswer answer;
  answer.rcode = static_cast<int>(flags & 15);
  answer.truncated = (flags & 0x0200) != 0;
  const auto questions = cursor.Number(2);
  std::array<std::uint32_t, 3> counts{};
  for (auto& count : counts) count = cursor.Number(2);
  for (std::uint32_t i = 0; i < questions && cursor.ok(); ++i) {
    cursor.Name();
    cursor.Skip(4);
  }
  std::size_t records = 0;
  for (std::size_t section = 0; section < 3; ++section) {
    for (std::uint32_t i = 0; i < counts[section]; ++i) {
      std::string text = cursor.Name();
      const auto type = cursor.Number(2);
      const auto dns_class = cursor.Number(2);
      const auto ttl = cursor.Number(4);
      const auto size = cursor.Number(2);
      const std::size_t begin = cursor.at();
      cursor.Bytes(size);
      if (!cursor.ok() || ++records > kMaxRecords) {
        if (answer.truncated) return answer;
        return Fail(ErrorCode::kCorrupt, "a damaged DNS message");
      }
      if (type == 41) continue;  // EDNS: about the message, not a record
      text += "\t" + std::to_string(ttl) + "\t";
      text += DnsClassName(dns_class);
      text += "\t" + DnsTypeName(type) + "\t" + DnsDataText(type, message, begin, size);
      if (type == kSoa && !answer.serial) answer.serial = SoaSerial(message, begin, size);
      answer.records[section].push_back(std::move(text));
    }
  }
  return answer;
}

}  // namespace vigia::collectors::probe
