// A TLS server for tests, on loopback, that answers each piece of what it reads as a test tells it.

#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <thread>

#include "tests/probe/certificate.h"

namespace vigia::test {

class TlsStub {
 public:
  // `answer` gets what one read brought, and returns what is sent; empty: nothing. Called by one
  // thread.
  using Answer = std::function<std::string(const std::string& received)>;
  TlsStub(const Certificate& certificate, Answer answer);
  ~TlsStub();
  TlsStub(const TlsStub&) = delete;
  TlsStub& operator=(const TlsStub&) = delete;

  int port() const { return port_; }

 private:
  void Serve();
  void Talk(int connection) const;

  const Certificate& certificate_;
  const Answer answer_;
  int port_ = 0;
  int listener_ = -1;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

}  // namespace vigia::test
