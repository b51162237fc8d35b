// Samples that others bring: the component of remote write and import.

#include "exporter/api/receiver.h"

#include "exporter/component.h"

namespace vigia::exporter {
namespace {

class ReceiverComponent final : public Component {
 public:
  explicit ReceiverComponent(const Ground& ground)
      : receiver_(ground.history, ground.metadata, ground.registry) {
    Add(ground.router, "/api/v1/write", &api::Receiver::Write);
    Add(ground.router, "/api/v1/import/openmetrics", &api::Receiver::Import);
  }

  Status Apply(const Config& config) override {
    receiver_.Enable(config.remote_write_receiver);
    return Ok();
  }
  void Start() override {}
  void Stop() override {}

 private:
  void Add(http::Router& router, std::string path,
           http::Response (api::Receiver::*call)(const http::Request&)) {
    router.Add({.method = "POST",
                .pattern = std::move(path),
                .handler = [this, call](const auto& request) { return (receiver_.*call)(request); },
                .max_body = api::Receiver::kMostBytes,
                .changes_state = true});
  }

  api::Receiver receiver_;
};

}  // namespace

std::unique_ptr<Component> MakeReceiver(const Ground& ground) {
  return std::make_unique<ReceiverComponent>(ground);
}

}  // namespace vigia::exporter
