// The scrape kind: pages of metrics that other exporters serve.

#include <strings.h>

#include <array>
#include <chrono>

#include "collectors/kind.h"
#include "collectors/scrape/page.h"
#include "core/config/http_options.h"
#include "core/http_client.h"
#include "core/number.h"

namespace vigia::collectors {
namespace scrape {
namespace {

enum { kUp, kDuration, kScraped, kRelabeled, kAdded, kCut };

constexpr std::array kMetrics{
    Metric{"up", "Whether the target's page could be read."},
    Metric{"scrape_duration_seconds", "How long getting and reading the page took.",
           MetricType::kGauge, "seconds"},
    Metric{"scrape_samples_scraped", "Samples on the page."},
    Metric{"scrape_samples_post_metric_relabeling",
           "Samples that the relabelling rules left, those over a limit included."},
    Metric{"scrape_series_added", "Series that were not there at the scrape before."},
    Metric{"vigia_scrape_cut_series_total", "Series that were left out for going over a limit.",
           MetricType::kCounter},
    Metric{"<name>", "What the page contains.", MetricType::kUnknown},
};

constexpr std::string_view kAccept =
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1";

struct Options {
  std::string url;
  HttpFields headers;
  SecretHttpFields http_headers;
  HttpClient::Options http;
  OAuth2 oauth2;
  text::Format fallback = text::Format::kText;  // of pages that do not say what they are
  Page::Options page;
};

class ScrapeCollector final : public Collector {
 public:
  explicit ScrapeCollector(Options options)
      : options_(std::move(options)), client_(options_.http), page_(options_.page) {
    const auto& target = options_.page.labelling.target;
    target_labels_.assign(target.begin(), target.end());
  }

  std::span<const Metric> Metrics() const override { return kMetrics; }

  Status Collect(Deadline deadline, Batch& batch) override {
    const auto& clock = deadline.clock();
    const Instant begin = clock.Now();
    const auto counts = Read(deadline);
    const auto took = std::chrono::duration<double>(clock.Now() - begin).count();
    if (!counts) {
      Report(kUp, 0, batch.OnFailure());
      Report(kDuration, took, batch.OnFailure());
      return Fail(counts.error());
    }
    // First what is told of the page: a budget cuts from the end.
    Report(kUp, 1, batch);
    Report(kDuration, took, batch);
    Report(kScraped, static_cast<double>(counts->scraped), batch);
    Report(kRelabeled, static_cast<double>(counts->relabeled), batch);
    Report(kAdded, static_cast<double>(counts->added), batch);
    ReportCuts(*counts, batch);
    page_.AddTo(batch);
    return Ok();
  }

 private:
  Result<HttpRequest> Request(Deadline deadline) {
    HttpRequest request{.url = options_.url, .headers = options_.headers};
    for (const auto& [name, secret] : options_.http_headers) {
      const auto value = secret.Reveal();
      if (!value) return Fail(value.error().In("http_headers"));
      request.headers.emplace_back(name, *value);
    }
    if (options_.oauth2.used()) {
      if (!tokens_) tokens_.emplace(options_.oauth2, deadline.clock());
      const auto token = tokens_->Get(deadline);
      if (!token) return Fail(token.error());
      request.headers.emplace_back("Authorization", "Bearer " + *token);
    }
    request.headers.emplace_back("Accept", kAccept);
    // Exporters that ask others in turn (sql, blackbox) hurry up by it.
    request.headers.emplace_back(
        "X-Prometheus-Scrape-Timeout-Seconds",
        FormatDouble(std::chrono::duration<double>(deadline.Left()).count()));
    return request;
  }

  Result<HttpResponse> Ask(Deadline deadline) {
    const auto request = Request(deadline);
    if (!request) return Fail(request.error());
    return client_.Send(*request, deadline);
  }

  Result<Page::Counts> Read(Deadline deadline) {
    auto answer = Ask(deadline);
    // Revoked before its time; but a new one that is refused, too, is not followed by another.
    if (answer && answer->status == 401 && tokens_ && !refused_) {
      tokens_->Forget();
      answer = Ask(deadline);
    }
    refused_ = answer && answer->status == 401;
    if (!answer) return Fail(answer.error());
    if (answer->status != 200) {
      return Fail(ErrorCode::kUnavailable,
                  "the target answered with status " + std::to_string(answer->status));
    }
    if (answer->truncated) {
      return Fail(ErrorCode::kCorrupt, "the page is larger than body_size_limit, " +
                                           std::to_string(options_.http.max_body_bytes) + " bytes");
    }
    const auto format = text::FormatOfContentType(answer->Header("content-type"));
    return page_.Read(answer->body, format.value_or(options_.fallback), deadline);
  }

  void Report(std::size_t metric, double value, Batch& batch) const {
    batch.Add(kMetrics[metric], target_labels_, value);
  }

  void ReportCuts(const Page::Counts& counts, Batch& batch) {
    auto labels = target_labels_;
    labels.push_back({"reason", {}});
    for (std::size_t i = 0; i < kCutReasons.size(); ++i) {
      cut_[i] += static_cast<double>(counts.cut[i]);
      labels.back().value = kCutReasons[i];
      batch.Add(kMetrics[kCut], labels, cut_[i]);
    }
  }

  const Options options_;
  std::vector<LabelView> target_labels_;
  HttpClient client_;
  std::optional<TokenSource> tokens_;
  bool refused_ = false;  // the last answer was a 401
  Page page_;
  std::array<double, kCutReasons.size()> cut_{};
};

// `name: value`, or `name: [value, value]`.
HttpFields ReadParameters(config::MapReader& options) {
  HttpFields parameters;
  const config::Node* const node = options.Child("params");
  if (!node) return parameters;
  if (!node->IsMap()) options.Fault("params", "expected a map of names and values");
  for (const auto& [name, values] : node->entries) {
    std::vector<std::string> texts;
    config::ReadStrings(values, "params: " + name.text, options.diagnostics(), texts);
    for (auto& text : texts) parameters.emplace_back(name.text, std::move(text));
  }
  return parameters;
}

HttpFields ReadHeaders(config::MapReader& options) {
  std::map<std::string, std::string> headers;
  options.Read("headers", headers);
  for (const auto& [name, value] : headers) {
    if (::strcasecmp(name.c_str(), "Authorization") == 0) {
      options.Fault("headers", "Authorization is written as basic_auth or authorization");
    }
  }
  return {headers.begin(), headers.end()};
}

// The words of Prometheus' scrape protocols that are read here.
void ReadFallback(config::MapReader& options, text::Format& fallback) {
  constexpr std::array<std::string_view, 4> kWords{"PrometheusText0.0.4", "PrometheusText1.0.0",
                                                   "OpenMetricsText0.0.1", "OpenMetricsText1.0.0"};
  if (options.ReadChoice("fallback_scrape_protocol", kWords, 0) >= 2) {
    fallback = text::Format::kOpenMetrics;
  }
}

// What an http client of Prometheus' understands.
void ReadHttp(config::MapReader& options, Options& parsed) {
  auto& http = parsed.http;
  config::ReadTlsConfig(options, http.tls);
  config::ReadAuth(options, http.auth);
  config::ReadOAuth2(options, parsed.oauth2);
  config::ReadHttpHeaders(options, {}, parsed.http_headers);
  config::ReadProxy(options, http.proxy);
  options.Read("follow_redirects", http.follow_redirects);
  options.Read("enable_http2", http.http2);
  bool compression = true;
  if (options.Read("enable_compression", compression) && !compression) {
    parsed.headers.emplace_back("Accept-Encoding", "identity");
  }
  std::uint64_t body_size_limit = 0;
  options.ReadBytes("body_size_limit", body_size_limit);
  // 0 is no limit to Prometheus; what is held in memory has one here.
  if (body_size_limit > 0) http.max_body_bytes = static_cast<std::size_t>(body_size_limit);
}

// Job and instance as Prometheus names them, and the entry's own labels, which may be those two.
Labels ReadTarget(const config::MapReader& options, const HttpUrl& url) {
  LabelsBuilder labels;
  const config::Node* const name = options.node().Find("name");
  labels.Set("job", name ? name->text : "main");
  labels.Set("instance", url.host + ":" + std::to_string(url.port));
  if (const config::Node* const own = options.node().Find("labels")) {
    for (const auto& [label, value] : own->entries) labels.Set(label.text, value.text);
  }
  return labels.Build();
}

void ReadPage(config::MapReader& options, Page::Options& page) {
  auto& labelling = page.labelling;
  options.Read("honor_labels", labelling.honor_labels);
  options.Read("honor_timestamps", page.honor_timestamps);
  options.Read("sample_limit", page.sample_limit, 0);
  options.Read("label_limit", labelling.limits.count, 0);
  options.Read("label_name_length_limit", labelling.limits.name_length, 0);
  options.Read("label_value_length_limit", labelling.limits.value_length, 0);
  if (const config::Node* const rules = options.Child("metric_relabel_configs")) {
    labelling.relabeling = Relabeling::Read(*rules, options.context() + ".metric_relabel_configs",
                                            options.diagnostics());
  }
}

// Prometheus finds its targets in many ways.
void RefuseDiscovery(config::MapReader& options) {
  for (const auto& [key, value] : options.node().entries) {
    if (key.text != "static_configs" && !key.text.ends_with("_sd_configs")) continue;
    options.Child(key.text);
    options.Fault(key.text,
                  "no targets are found here: write an entry for each page, with its url");
  }
}

Options ReadOptions(config::MapReader& options) {
  RefuseDiscovery(options);
  Options parsed;
  HttpUrl url{.scheme = "http", .host = "127.0.0.1", .port = 80};
  const auto parameters = ReadParameters(options);
  if (!options.Read("url", parsed.url)) {
    options.Require("url", "the page to read, such as http://127.0.0.1:8000/metrics");
  } else if (auto read = ParseHttpUrl(parsed.url); !read) {
    options.Fault("url", read.error().message());
  } else if (read->has_user) {
    options.Fault("url", "a password does not stand here; write basic_auth");
  } else {
    url = *std::move(read);
    parsed.url = AddUrlParameters(parsed.url, parameters).value_or(parsed.url);
  }
  parsed.headers = ReadHeaders(options);
  ReadHttp(options, parsed);
  ReadFallback(options, parsed.fallback);
  ReadPage(options, parsed.page);
  parsed.page.labelling.target = ReadTarget(options, url);
  return parsed;
}

}  // namespace
}  // namespace scrape

// collectors.scrape: docs/collectors/scrape.md.
std::vector<Part> MakeScrapeCollector(config::MapReader& options) {
  std::vector<Part> parts;
  parts.push_back(
      {"scrape", {}, std::make_unique<scrape::ScrapeCollector>(scrape::ReadOptions(options))});
  return parts;
}

}  // namespace vigia::collectors
