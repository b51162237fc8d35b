#include "exporter/http/answer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <ctime>
#include <exception>

#include "exporter/http/large_stack.h"

namespace vigia::http {
namespace {

// Bodies up to this size travel with the head in one packet's worth of writes.
constexpr std::size_t kJoined = 16 * 1024;
constexpr std::size_t kChunk = 16 * 1024;

// "Sun, 06 Nov 1994 08:49:37 GMT".
std::string HttpDate(Timestamp now) {
  constexpr std::array kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                               "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t seconds = now / 1000;
  std::tm tm{};
  ::gmtime_r(&seconds, &tm);
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%s, %02d %s %04d %02d:%02d:%02d GMT",
                kDays[static_cast<std::size_t>(tm.tm_wday)], tm.tm_mday,
                kMonths[static_cast<std::size_t>(tm.tm_mon)], tm.tm_year + 1900, tm.tm_hour,
                tm.tm_min, tm.tm_sec);
  return text.data();
}

// A header field; a line break in a value, which may come from a client, would begin another one.
void AppendField(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += ": ";
  for (const char c : value) out += c >= 0 && c < ' ' && c != '\t' ? ' ' : c;
  out += "\r\n";
}

bool HasBody(int status) { return status != 204 && status != 304; }

std::string_view PreparedBody(const Response& response) {
  return response.shared_body ? std::string_view(*response.shared_body) : response.body;
}

std::string MakeHead(const AnswerContext& context, const Response& response) {
  std::string head;
  head.reserve(512 + context.header_lines.size());
  head += "HTTP/1.1 " + std::to_string(response.status) + ' ';
  head += ReasonPhrase(response.status);
  head += "\r\nDate: " + HttpDate(context.now) + "\r\n";
  for (const auto& [name, value] : response.headers) AppendField(head, name, value);
  if (HeaderValue(response.headers, "cache-control").empty()) {
    AppendField(head, "cache-control", "no-store");
  }
  head += context.header_lines;
  if (!context.request_id.empty()) AppendField(head, "X-Request-Id", context.request_id);
  if (HasBody(response.status)) {
    if (!response.stream) {
      AppendField(head, "Content-Length", std::to_string(PreparedBody(response).size()));
    } else if (context.http11) {
      AppendField(head, "Transfer-Encoding", "chunked");
    }
  }
  if (!context.keep_alive) {
    AppendField(head, "Connection", "close");
  } else if (!context.http11) {
    AppendField(head, "Connection", "keep-alive");
  }
  head += "\r\n";
  return head;
}

// Gathers what is written to it and sends it in chunks, or as it is to a client of HTTP/1.0, for
// which the end of the connection ends the body.
class ChunkWriter {
 public:
  ChunkWriter(const AnswerContext& context, std::string head)
      : context_(context), out_(std::move(head)) {
    BeginChunk();
  }

  // Nothing to write means: send what was gathered.
  bool Write(std::string_view bytes) {
    if (bytes.empty()) return Flush();
    while (!broken_ && !bytes.empty()) {
      const auto part = bytes.substr(0, kChunk - size_);
      out_ += part;
      size_ += part.size();
      bytes.remove_prefix(part.size());
      if (size_ == kChunk) Flush();
    }
    return !broken_;
  }

  bool Flush() {
    if (size_ > 0) {
      EndChunk();
      Send();
      BeginChunk();
    }
    return !broken_;
  }

  // Sends what is left and the mark that nothing is missing.
  bool Finish() {
    EndChunk();
    if (context_.http11) out_ += "0\r\n\r\n";
    Send();
    return !broken_;
  }

  std::size_t bytes() const { return bytes_; }

 private:
  // The size of a chunk stands before it: four digits, filled in when it is known.
  void BeginChunk() {
    if (context_.http11) out_ += "0000\r\n";
    begin_ = out_.size();
    size_ = 0;
  }

  void EndChunk() {
    if (!context_.http11) return;
    if (size_ == 0) {
      out_.resize(begin_ - 6);
      return;
    }
    std::array<char, 4> digits{'0', '0', '0', '0'};
    std::array<char, 4> hex{};
    const auto end = std::to_chars(hex.data(), hex.data() + hex.size(), size_, 16).ptr;
    std::copy(hex.data(), end, digits.end() - (end - hex.data()));
    std::copy(digits.begin(), digits.end(), out_.begin() + static_cast<long>(begin_) - 6);
    out_ += "\r\n";
  }

  void Send() {
    if (!broken_) {
      const Watchdog::Watch watch(context_.watchdog, context_.exchange.connection(),
                                  context_.write_timeout);
      broken_ = !context_.exchange.Write(out_);
      if (!broken_) bytes_ += size_;
    }
    out_.clear();
  }

  const AnswerContext& context_;
  std::string out_;        // the head at first, then the chunk that grows
  std::size_t begin_ = 0;  // of the chunk's content in out_
  std::size_t size_ = 0;   // of that content
  std::size_t bytes_ = 0;
  bool broken_ = false;
};

Sent SendStream(const AnswerContext& context, const Response& response, std::string head) {
  ChunkWriter writer(context, std::move(head));
  Status status = Fail(ErrorCode::kInternal, "the stream threw");
  const auto stream = [&] {
    status = response.stream([&](std::string_view piece) { return writer.Write(piece); });
  };
  try {
    if (context.large_stack) {
      OnLargeStack(stream);
    } else {
      stream();
    }
  } catch (const std::exception& error) {
    status = Fail(ErrorCode::kInternal, error.what());
  } catch (...) {
    // As for handlers: the answer is cut short, and the server goes on.
  }
  if (!status) {
    writer.Flush();
    context.exchange.CloseAfter();  // without the last chunk: the client sees that it is cut short
    return {writer.bytes(), status.error().message()};
  }
  if (!writer.Finish()) {
    context.exchange.CloseAfter();
    return {writer.bytes(), "the client went away"};
  }
  return {writer.bytes(), {}};
}

}  // namespace

Sent SendAnswer(const AnswerContext& context, const Response& response) {
  std::string head = MakeHead(context, response);
  const bool body_follows = HasBody(response.status) && !context.head_only;
  if (response.stream && body_follows) return SendStream(context, response, std::move(head));

  const auto body = body_follows ? PreparedBody(response) : std::string_view();
  bool sent = false;
  if (body.size() <= kJoined) {
    head += body;
    sent = context.exchange.Write(head);
  } else {
    const Watchdog::Watch watch(context.watchdog, context.exchange.connection(),
                                context.write_timeout);
    sent = context.exchange.Write(head) && context.exchange.Write(body);
  }
  if (!sent) {
    context.exchange.CloseAfter();
    return {0, "the client went away"};
  }
  return {body.size(), {}};
}

}  // namespace vigia::http
