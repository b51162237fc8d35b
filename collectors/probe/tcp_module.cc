// The keys of TCP modules, and of those that converse as they do.

#include "collectors/probe/module_keys.h"
#include "core/config/http_options.h"
#include "core/labels.h"

namespace vigia::collectors::probe {
namespace {

TcpStep ReadStep(const config::Node& node, config::MapReader& reader) {
  TcpStep step;
  config::MapReader entry(node, reader.diagnostics(), reader.context() + ".query_response");
  ReadPatterns(entry, "expect", step.expect);
  entry.Read("expect_bytes", step.expect_bytes);
  if (!step.expect.empty() && !step.expect_bytes.empty()) {
    entry.Fault("expect_bytes", "stands beside expect");
  }
  entry.Read("send", step.send);
  entry.Read("starttls", step.starttls);
  if (const config::Node* const labels = entry.Child("labels")) {
    for (const auto& item : labels->items) {
      config::MapReader label(item, reader.diagnostics(), "labels");
      std::pair<std::string, std::string> pair;
      label.Read("name", pair.first);
      label.Read("value", pair.second);
      label.Finish();
      if (!IsLegacyLabelName(pair.first)) {
        label.Fault("name", "'" + pair.first + "' is not a label name");
        continue;
      }
      step.labels.push_back(std::move(pair));
    }
  }
  entry.Finish();
  return step;
}

}  // namespace

void ReadSteps(config::MapReader& reader, std::vector<TcpStep>& steps) {
  const config::Node* const list = reader.Child("query_response");
  if (!list) return;
  if (!list->IsList()) reader.Fault("query_response", "expected a list of expect and send");
  for (const auto& step : list->items) steps.push_back(ReadStep(step, reader));
}

void ReadConversation(config::MapReader& reader, config::PlainSecrets plain, TcpModule& tcp) {
  config::ReadTlsConfig(reader, tcp.tls_options, {{}, plain});
  ReadSource(reader, tcp.source_ip);
  ReadSteps(reader, tcp.steps);
}

}  // namespace vigia::collectors::probe
