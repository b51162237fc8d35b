// Tells when anything about the network devices may have changed: rtnetlink(7) announces every
// device that comes, goes, or is set up differently, and every link that goes up or down. Not
// thread-safe.

#pragma once

namespace vigia::collectors::host {

class LinkEvents {
 public:
  LinkEvents() = default;
  ~LinkEvents();
  LinkEvents(const LinkEvents&) = delete;
  LinkEvents& operator=(const LinkEvents&) = delete;

  // Whether there was news since the last call; true at the first one, and always where the kernel
  // does not let us listen.
  bool Changed();

 private:
  bool Listen();

  int socket_ = -1;
};

}  // namespace vigia::collectors::host
