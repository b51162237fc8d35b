// A TCP server for tests that follows a script of lines, for one connection after another; and a
// DNS server that gives one answer to everything.

#pragma once

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace vigia::test {

struct LineStep {
  std::string send = {};   // first this is sent,
  std::string await = {};  // then a line read that is this one
};

class LineStub {
 public:
  // After the script everything is passed on to `relay_port` on loopback, if there is one; else
  // the connection stays open and silent.
  explicit LineStub(std::vector<LineStep> script, int relay_port = 0);
  ~LineStub();
  LineStub(const LineStub&) = delete;
  LineStub& operator=(const LineStub&) = delete;

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  void Serve();
  void Follow(int connection) const;
  void Relay(int connection) const;

  const std::vector<LineStep> script_;
  const int relay_port_;
  int port_ = 0;
  const int listener_;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

class DnsStub {
 public:
  // `rest` follows the header and the question as they were asked; `counts` are those of the
  // three sections.
  DnsStub(int rcode, std::vector<int> counts, std::string rest);
  ~DnsStub();
  DnsStub(const DnsStub&) = delete;
  DnsStub& operator=(const DnsStub&) = delete;

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  void Serve() const;

  const int rcode_;
  const std::vector<int> counts_;
  const std::string rest_;
  int port_ = 0;
  const int socket_;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

}  // namespace vigia::test
