#include "tests/support/host_subject.h"

#include <stdexcept>
#include <utility>

#include "tests/support/collect.h"

namespace vigia::test {

HostSubject::HostSubject(const std::string& name, std::map<std::string, std::string> options) {
  options["procfs"] = Path("proc");
  options["sysfs"] = Path("sys");
  options["rootfs"] = Path("");
  std::string fault;
  collector_ = MakeHostCollector("host." + name, options, fault);
  if (!collector_) throw std::runtime_error(fault);
}

std::string HostSubject::Run() {
  const auto status = collector_->Collect(Deadline::After(clock_, 10s), batch_);
  if (status) return ReadingText(*batch_.Finish(clock_.Wall()));
  batch_.Discard();
  return "error: " + status.error().message();
}

}  // namespace vigia::test
