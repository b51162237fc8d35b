#include "exporter/config/remote_write.h"

#include "exporter/config/section.h"

namespace vigia::exporter {

void ReadRemoteWrite(SectionInput& input, Config& config) {
  auto remote_write = std::make_shared<RemoteWriteConfig>();
  if (const config::Node* const node = input.file.Child("remote_write")) {
    remote_write->endpoints = remote_write::ReadEndpoints(*node, input.file.diagnostics());
    remote_write->fingerprint = config::Canonical(*node);
  }
  config.remote_write = std::move(remote_write);
}

}  // namespace vigia::exporter
