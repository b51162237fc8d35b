// `vigia notify`: what a receiver would be sent, and sending it to try.

#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace vigia::exporter::cli {

struct NotifyOptions {
  std::filesystem::path config;  // alertmanager.yml or vigia.yml
  std::string receiver;
  std::vector<std::string> labels;  // key=value, of the alert that is told
  bool resolved = false;
  std::string event;  // of the journal: the alert that it happened to, instead
  std::string url;    // where vigia answers, for `event`
};

// Prints the requests and mails of each integration, without secrets.
int RenderNotification(const NotifyOptions& options);

// Sends them, marked as a test, and prints what the other side answers; an exit code of 3 says that
// one was not delivered.
int TestNotification(const NotifyOptions& options);

}  // namespace vigia::exporter::cli
