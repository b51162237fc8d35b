#include "exporter/http/web_settings.h"

#include <sys/stat.h>

#include <map>
#include <utility>

#include "exporter/http/large_stack.h"

namespace vigia::http {
namespace {

std::string HeaderLines(const std::map<std::string, std::string>& configured) {
  // Scripts, styles and images from this server alone, none written into a page.
  std::map<std::string, std::string> headers{
      {"Content-Security-Policy",
       "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
       "object-src 'none'"},
      {"Referrer-Policy", "no-referrer"},
      {"X-Content-Type-Options", "nosniff"},
      {"X-Frame-Options", "DENY"},
  };
  for (const auto& [name, value] : configured) headers[name] = value;
  std::string lines;
  for (const auto& [name, value] : headers) {
    if (!value.empty()) lines += name + ": " + value + "\r\n";
  }
  return lines;
}

}  // namespace

WebSettingsFile::WebSettingsFile(std::filesystem::path path, const Clock& clock,
                                 std::function<void(std::string_view)> report)
    : path_(std::move(path)), clock_(clock), report_(std::move(report)) {}

Status WebSettingsFile::Load() {
  const std::lock_guard reading(reading_);
  auto settings = Read();
  if (!settings) return Fail(settings.error());
  for (const auto& note : (*settings)->config.notes) {
    if (report_) report_(path_.string() + ": " + note);
  }
  const std::lock_guard lock(mutex_);
  current_ = *std::move(settings);
  return Ok();
}

std::shared_ptr<const WebSettings> WebSettingsFile::Current() {
  const auto now = clock_.Now().time_since_epoch().count();
  auto next = next_look_.load(std::memory_order_relaxed);
  if (!path_.empty() && now >= next &&
      next_look_.compare_exchange_strong(next, now + Duration(1s).count())) {
    Refresh();
  }
  const std::lock_guard lock(mutex_);
  return current_;
}

std::vector<WebSettingsFile::Stamp> WebSettingsFile::Stamps() const {
  std::vector<Stamp> stamps;
  for (const auto& file : files_) {
    struct stat info {};
    Stamp stamp;
    if (::stat(file.c_str(), &info) == 0) {
      stamp = {info.st_mtim.tv_sec * 1'000'000'000 + info.st_mtim.tv_nsec, info.st_size,
               info.st_ino};
    }
    stamps.push_back(stamp);
  }
  return stamps;
}

Result<std::shared_ptr<const WebSettings>> WebSettingsFile::Read() {
  auto settings = std::make_shared<WebSettings>();
  if (!path_.empty()) {
    std::string faults;
    // Files are stamped before they are read, so that a change meanwhile shows at the next look;
    // which they are is known only after a first time.
    for (int pass = 0; pass < 2; ++pass) {
      stamps_ = Stamps();
      config::Diagnostics diagnostics(path_.string());
      settings->config = LoadWebConfig(path_, diagnostics);
      faults = diagnostics.ToString();
      std::vector<std::filesystem::path> files{path_};
      const auto& named = settings->config.files;
      files.insert(files.end(), named.begin(), named.end());
      if (files == std::exchange(files_, files)) break;
    }
    if (!faults.empty()) {
      faults.pop_back();
      return Fail(ErrorCode::kInvalid, std::move(faults));
    }
  }
  settings->header_lines = HeaderLines(settings->config.headers);
  if (settings->config.rate_limit) {
    settings->limiter = std::make_shared<Limiter>(*settings->config.rate_limit, clock_);
  }
  return settings;
}

void WebSettingsFile::Refresh() {
  const std::lock_guard reading(reading_);
  if (Stamps() == stamps_) return;
  Result<std::shared_ptr<const WebSettings>> settings;
  // Whoever comes by reads it: a worker of civetweb, with its small stack.
  OnLargeStack([&] { settings = Read(); });
  std::string fault;
  {
    const std::lock_guard lock(mutex_);
    if (!settings) {
      fault = "the web configuration stays as it was: " + settings.error().message();
    } else if (((*settings)->config.tls == nullptr) != (current_->config.tls == nullptr)) {
      fault = path_.string() + ": TLS is switched on or off only by a restart";
    } else {
      // A limit that did not change goes on counting.
      if (current_->config.rate_limit == (*settings)->config.rate_limit) {
        auto kept = std::make_shared<WebSettings>(**settings);
        kept->limiter = current_->limiter;
        current_ = std::move(kept);
      } else {
        current_ = *std::move(settings);
      }
    }
  }
  if (!fault.empty() && report_) report_(fault);
}

}  // namespace vigia::http
