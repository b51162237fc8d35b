#include "tests/e2e/vigia.h"

#include <stdexcept>
#include <thread>

namespace vigia::test {

std::string VigiaProgram() { return VIGIA_PROGRAM; }

Vigia::Vigia(const Options& options) {
  for (const auto& [name, content] : options.files) dir_.Write(name, content);
  std::vector<std::string> argv{options.program, "serve",      "--listen",
                                "127.0.0.1:0",  "--data-dir", options.data_dir};
  if (options.data_dir.empty()) argv.back() = dir_.path() / "data";
  if (!options.config.empty()) {
    WriteConfig(options.config);
    argv.push_back("--config");
    argv.push_back(dir_.path() / "vigia.yml");
  }
  argv.insert(argv.end(), options.flags.begin(), options.flags.end());
  process_ = std::make_unique<Process>(argv, options.environment);

  // level=info msg=listening address=127.0.0.1:40123
  const std::string mark = "address=127.0.0.1:";
  if (!process_->AwaitOutput("msg=listening") || !process_->AwaitOutput("msg=ready")) {
    throw std::runtime_error("vigia did not start:\n" + process_->Output());
  }
  const auto output = process_->Output();
  port_ = std::stoi(output.substr(output.find(mark) + mark.size()));
}

std::string Vigia::Metrics(const std::string& query) const { return Get("/metrics" + query).body; }

std::string Vigia::Value(const std::string& series) const { return FindValue(Metrics(), series); }

bool Vigia::AwaitValue(const std::string& series, const std::string& value) const {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (Value(series) != value) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return true;
}

std::string FindValue(const std::string& page, const std::string& series) {
  const std::size_t at = ("\n" + page).find("\n" + series + " ");
  if (at == std::string::npos) return {};
  const std::size_t begin = at + series.size() + 1;
  return page.substr(begin, page.find('\n', begin) - begin);
}

}  // namespace vigia::test
