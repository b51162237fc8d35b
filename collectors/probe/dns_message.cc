#include "collectors/probe/dns_message.h"

#include <arpa/inet.h>

#include <string_view>

namespace vigia::collectors::probe {
namespace {

constexpr std::size_t kHeaderSize = 12;
// Of all sections together: a message has at most 64 KiB.
constexpr std::size_t kMaxRecords = 4096;

void Append16(std::string& out, std::uint16_t value) {
  out += static_cast<char>(value >> 8);
  out += static_cast<char>(value & 255);
}

// Reads a message from front to back; ok() is false once something did not fit.
class Cursor {
 public:
  Cursor(std::string_view message, std::size_t at) : message_(message), at_(at) {}

  bool ok() const { return ok_; }
  std::size_t at() const { return at_; }
  void Skip(std::size_t count) { at_ += count; }

  std::uint32_t Number(int bytes) {
    std::uint32_t value = 0;
    for (int i = 0; i < bytes; ++i) value = value << 8 | Byte();
    return value;
  }

  std::string_view Bytes(std::size_t count) {
    if (at_ > message_.size() || count > message_.size() - at_) {
      ok_ = false;
      return {};
    }
    const auto bytes = message_.substr(at_, count);
    at_ += count;
    return bytes;
  }

  // A name with its final dot, unpacked. Pointers lead strictly backwards, so this ends.
  std::string Name() {
    std::string name;
    std::size_t at = at_;
    std::size_t barrier = at_;
    bool jumped = false;
    while (ok_ && name.size() < 1024) {
      if (at >= message_.size()) break;
      const auto length = static_cast<unsigned char>(message_[at]);
      if (length >= 0xC0) {
        if (at + 1 >= message_.size()) break;
        const std::size_t target =
            (length & 0x3FU) << 8 | static_cast<unsigned char>(message_[at + 1]);
        if (!jumped) at_ = at + 2;
        jumped = true;
        if (target >= barrier) break;
        barrier = at = target;
        continue;
      }
      if (length >= 0x40 || at + 1 + length > message_.size()) break;
      if (length == 0) {
        if (!jumped) at_ = at + 1;
        return name.empty() ? "." : name;
      }
      AppendLabel(message_.substr(at + 1, length), name);
      at += 1 + std::size_t{length};
    }
    ok_ = false;
    return {};
  }

 private:
  unsigned char Byte() {
    const auto bytes = Bytes(1);
    return bytes.empty() ? 0 : static_cast<unsigned char>(bytes[0]);
  }

  static void AppendLabel(std::string_view label, std::string& name) {
    for (const char c : label) {
      const auto code = static_cast<unsigned char>(c);
      if (code <= 0x20 || code >= 0x7F) {
        name += '\\';
        name += static_cast<char>('0' + code / 100);
        name += static_cast<char>('0' + code / 10 % 10);
        name += static_cast<char>('0' + code % 10);
      } else {
        if (c == '.' || c == '\\' || c == '"') name += '\\';
        name += c;
      }
    }
    name += '.';
  }

  const std::string_view message_;
  std::size_t at_;
  bool ok_ = true;
};

std::string TypeName(std::uint32_t type) {
  switch (type) {
    case 1:
      return "A";
    case 2:
      return "NS";
    case 5:
      return "CNAME";
    case 6:
      return "SOA";
    case 12:
      return "PTR";
    case 15:
      return "MX";
    case 16:
      return "TXT";
    case 28:
      return "AAAA";
    case 33:
      return "SRV";
    default:
      return "TYPE" + std::to_string(type);
  }
}

std::string AddressText(int family, std::string_view bytes) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (bytes.size() != (family == AF_INET ? 4U : 16U)) return {};
  ::inet_ntop(family, bytes.data(), text.data(), text.size());
  return text.data();
}

std::string QuotedStrings(Cursor data, std::size_t end) {
  std::string text;
  while (data.ok() && data.at() < end) {
    const auto size = data.Number(1);
    if (!text.empty()) text += ' ';
    text += '"';
    for (const char c : data.Bytes(size)) {
      if (c == '"' || c == '\\') text += '\\';
      text += c;
    }
    text += '"';
  }
  return text;
}

std::string NumbersThenName(Cursor& data, int numbers) {
  std::string text;
  for (int i = 0; i < numbers; ++i) text += std::to_string(data.Number(2)) + " ";
  return text + data.Name();
}

std::string SoaText(Cursor& data, std::optional<std::uint32_t>& serial) {
  std::string text = data.Name();
  text += " " + data.Name();
  for (int i = 0; i < 5; ++i) {
    const auto number = data.Number(4);
    if (i == 0 && !serial) serial = number;
    text += " " + std::to_string(number);
  }
  return text;
}

std::string DataText(std::uint32_t type, std::string_view message, std::size_t begin,
                     std::size_t size, std::optional<std::uint32_t>& serial) {
  Cursor data(message.substr(0, begin + size), begin);
  switch (type) {
    case 1:
      return AddressText(AF_INET, message.substr(begin, size));
    case 28:
      return AddressText(AF_INET6, message.substr(begin, size));
    case 2:
    case 5:
    case 12:
      return data.Name();
    case 15:
      return NumbersThenName(data, 1);
    case 33:
      return NumbersThenName(data, 3);
    case 16:
      return QuotedStrings(data, begin + size);
    case 6:
      return SoaText(data, serial);
    default:
      return "\\# " + std::to_string(size);
  }
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
  Cursor cursor(message, 0);
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
      text += dns_class == 1 ? "IN" : "CLASS" + std::to_string(dns_class);
      text += "\t" + TypeName(type) + "\t" + DataText(type, message, begin, size, answer.serial);
      answer.records[section].push_back(std::move(text));
    }
  }
  return answer;
}

}  // namespace vigia::collectors::probe
