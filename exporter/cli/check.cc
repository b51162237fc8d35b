#include "exporter/cli/check.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <span>
#include <string_view>

#include "alerting/rules/unit_test/file.h"
#include "core/config/yaml.h"
#include "exporter/cli/check_rules.h"
#include "exporter/cli/exit.h"
#include "exporter/config/alerting.h"
#include "exporter/config/config.h"
#include "exporter/http/web_config.h"

namespace vigia::exporter::cli {
namespace {

void CheckConfig(const std::string& file, config::Diagnostics& diagnostics) {
  LoadConfig(file, diagnostics);
}

void CheckAlertmanager(const std::string& file, config::Diagnostics& diagnostics) {
  LoadAlerting(file, diagnostics);
}

void CheckWebConfig(const std::string& file, config::Diagnostics& diagnostics) {
  http::LoadWebConfig(file, diagnostics);
}

void CheckRuleFile(const std::string& file, config::Diagnostics& diagnostics) {
  alerting::rules::LoadRuleFile(file, diagnostics);
}

void CheckUnitTestFile(const std::string& file, config::Diagnostics& diagnostics) {
  alerting::rules::LoadUnitTestFile(file, diagnostics);
}

struct FileKind {
  std::span<const std::string_view> keys;  // top-level ones that tell it from the others
  void (*check)(const std::string& file, config::Diagnostics& diagnostics);
};

constexpr std::array<std::string_view, 3> kWebKeys{"tls_server_config", "http_server_config",
                                                   "basic_auth_users"};

constexpr std::array<std::string_view, 1> kRuleKeys{"groups"};
constexpr std::array<std::string_view, 4> kUnitTestKeys{"tests", "rule_files", "group_eval_order",
                                                        "fuzzy_compare"};
// Of rule files, which may be large.
constexpr config::YamlLimits kLimits{.max_bytes = std::size_t{64} << 20, .max_nodes = 4'000'000};

// The first is what a file is taken for that looks like none.
std::span<const FileKind> Kinds() {
  static const std::array kKinds{
      FileKind{SectionKeys(), CheckConfig},
      FileKind{kWebKeys, CheckWebConfig},
      FileKind{kRuleKeys, CheckRuleFile},
      FileKind{kUnitTestKeys, CheckUnitTestFile},
      FileKind{alerting::route::AlertmanagerKeys(), CheckAlertmanager},
  };
  return kKinds;
}

const FileKind& Recognise(const config::Node& root) {
  const auto score = [&](const FileKind& kind) {
    return std::count_if(kind.keys.begin(), kind.keys.end(),
                         [&](std::string_view key) { return root.Find(key) != nullptr; });
  };
  const auto kinds = Kinds();
  return *std::max_element(kinds.begin(), kinds.end(),
                           [&](const auto& a, const auto& b) { return score(a) < score(b); });
}

// The rules of a file that has no faults: a rule file, or those that vigia.yml names.
std::vector<alerting::rules::GroupDefinition> RulesOf(const std::string& file) {
  config::Diagnostics none(file);
  const auto root = config::LoadYaml(file, {.limits = kLimits}, none);
  const auto check = Recognise(root).check;
  if (check == CheckRuleFile) return alerting::rules::LoadRuleFile(file, none);
  if (check != CheckConfig) return {};
  auto groups = LoadConfig(file, none).rules.groups;
  // The bundled ones have tests of their own.
  std::erase_if(groups, [](const auto& group) { return group.file.starts_with("bundled/"); });
  return groups;
}

// Returns whether there was one.
bool PrintFindings(const std::vector<alerting::rules::Finding>& findings) {
  for (const auto& finding : findings) std::printf("%s\n", finding.ToString().c_str());
  return !findings.empty();
}

}  // namespace

config::Diagnostics CheckFile(const std::string& file) {
  config::Diagnostics unread(file);
  const auto root = config::LoadYaml(file, {.limits = kLimits}, unread);
  // Where the syntax is wrong there is nothing to recognise.
  if (!unread.ok() && root.IsNull()) return unread;
  config::Diagnostics diagnostics(file);
  Recognise(root).check(file, diagnostics);
  return diagnostics;
}

int Check(const CheckOptions& options) {
  int code = kExitFine;
  std::vector<alerting::rules::GroupDefinition> groups;
  for (const auto& file : options.files) {
    const auto diagnostics = CheckFile(file);
    if (!diagnostics.ok()) {
      std::fputs(diagnostics.ToString().c_str(), stdout);
      code = kExitError;
      continue;
    }
    std::printf("%s: ok\n", file.c_str());
    auto rules = RulesOf(file);
    groups.insert(groups.end(), std::make_move_iterator(rules.begin()),
                  std::make_move_iterator(rules.end()));
  }
  bool found = PrintFindings(LintRules(groups));
  if (options.live) {
    const auto dead = FindDeadSelectors(groups, options.url);
    if (!dead) {
      std::fprintf(stderr, "vigia: --live: %s\n", dead.error().message().c_str());
      return kExitError;
    }
    found = PrintFindings(*dead) || found;
  }
  return code == kExitFine && found ? kExitFindings : code;
}

}  // namespace vigia::exporter::cli
