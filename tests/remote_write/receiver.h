// A receiver of remote write, on loopback, that keeps what it is sent and answers as told.

#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "core/sample.h"
#include "tests/support/http_stub.h"

namespace vigia::remote_write::test {

// Series by their labels, as text; values by their bits.
using Content = std::map<std::string, std::vector<std::pair<Timestamp, std::uint64_t>>>;

struct Metadata {
  int type = 0;
  std::string name;
  std::string help;
  std::string unit;
};

struct Message {
  std::vector<std::pair<std::string, std::vector<std::pair<Timestamp, std::uint64_t>>>> series;
  std::vector<Metadata> metadata;
  // Of one label each, in order.
  std::vector<std::vector<std::pair<std::string, std::string>>> labels;

  std::size_t CountSamples() const;
};

// Throws on anything that is not a snappy block with a WriteRequest.
Message DecodeMessage(const std::string& body);

class Receiver {
 public:
  // Says how a message is answered; what gets a 2xx is kept.
  using Answerer = std::function<vigia::test::StubAnswer(const Message&)>;

  Receiver();
  // The stub's threads use what stands below it.
  ~Receiver() { stub.Stop(); }

  void AnswerAll(int status) { AnswerWith({.status = status}); }
  void AnswerWith(vigia::test::StubAnswer answer);
  void AnswerBy(Answerer answerer);

  std::string url() const { return stub.Url("/api/v1/write"); }
  // All samples that were accepted, in the order in which they came.
  Content content() const;
  std::vector<Metadata> metadata() const;
  // Requests so far, whatever they were answered.
  std::size_t requests() const { return stub.requests().size(); }

  vigia::test::HttpStub stub;

 private:
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  Answerer answerer_;
  Content content_;
  std::vector<Metadata> metadata_;
};

}  // namespace vigia::remote_write::test
