#include "alerting/baseline/state_file.h"

#include <openssl/evp.h>

#include <nlohmann/json.hpp>

#include "alerting/baseline/detector.h"
#include "core/base64.h"
#include "core/text/json.h"

namespace vigia::alerting::baseline {
namespace {

using nlohmann::json;

constexpr std::string_view kFormat = "vigia-baselines";
constexpr std::int64_t kVersion = 1;

class Sha256 {
 public:
  Sha256() { EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr); }

  void Add(std::string_view bytes) { EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()); }

  // In hex; nothing can be added afterwards.
  std::string Finish() {
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    EVP_DigestFinal_ex(context_.get(), bytes, &size);
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string out;
    for (unsigned i = 0; i < size; ++i) {
      out += kDigits[bytes[i] >> 4];
      out += kDigits[bytes[i] & 15];
    }
    return out;
  }

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> context_{EVP_MD_CTX_new()};
};

std::string TextOf(const json& object, const char* key) {
  const auto at = object.find(key);
  return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

std::int64_t IntegerOf(const json& object, const char* key) {
  const auto at = object.find(key);
  return at != object.end() && at->is_number_integer() ? at->get<std::int64_t>() : -1;
}

Status CheckHeader(std::string_view line) {
  const auto header = json::parse(line, nullptr, false);
  if (!header.is_object() || TextOf(header, "format") != kFormat) {
    return Fail(ErrorCode::kInvalid, "is not a file of `vigia baseline export`");
  }
  const auto version = IntegerOf(header, "version");
  if (version > kVersion) {
    return Fail(ErrorCode::kInvalid, "was written by a newer vigia: its format is version " +
                                         std::to_string(version) + ", this vigia reads up to " +
                                         std::to_string(kVersion));
  }
  if (version < 1) return Fail(ErrorCode::kCorrupt, "line 1: version: expected a number from 1");
  const auto detector = TextOf(header, "detector");
  if (detector != Detector::StateFormat()) {
    return Fail(ErrorCode::kInvalid, "holds states of the detector '" + detector +
                                         "', this vigia's is '" +
                                         std::string(Detector::StateFormat()) + "'");
  }
  return Ok();
}

Result<Labels> ReadLabels(const json& object) {
  const auto at = object.find("labels");
  if (at == object.end() || !at->is_object()) {
    return Fail(ErrorCode::kCorrupt, "labels: expected an object");
  }
  std::vector<LabelView> labels;
  for (const auto& [name, value] : at->items()) {
    if (!value.is_string()) return Fail(ErrorCode::kCorrupt, "labels: " + name + " is no text");
    labels.push_back({name, value.get_ref<const std::string&>()});
  }
  return Labels::FromPairs(labels);
}

Result<Learnt> ReadLine(std::string_view line) {
  const auto object = json::parse(line, nullptr, false);
  if (!object.is_object()) return Fail(ErrorCode::kCorrupt, "is not JSON");
  Learnt learnt{.baseline = TextOf(object, "baseline"),
                .expression = TextOf(object, "expr"),
                .labels = {},
                .state = {}};
  if (learnt.baseline.empty()) return Fail(ErrorCode::kCorrupt, "baseline: expected its name");
  auto labels = ReadLabels(object);
  if (!labels) return Fail(labels.error());
  learnt.labels = *std::move(labels);
  auto state = DecodeBase64(TextOf(object, "state"));
  if (!state) return Fail(ErrorCode::kCorrupt, "state: " + state.error().message());
  Detector detector({});
  if (auto status = detector.Restore(*state); !status) {
    return Fail(status.error().In("state"));
  }
  // What the state says of itself counts.
  learnt.last_time = detector.last_time();
  learnt.rows = detector.rows();
  learnt.state = *std::move(state);
  return learnt;
}

// Cuts the last line off `text`.
std::string_view CutLastLine(std::string_view& text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  const auto at = text.rfind('\n') + 1;  // 0 where there is none
  const auto line = text.substr(at);
  text = text.substr(0, at);
  return line;
}

// The last line tells of the others.
Status CheckTrailer(std::string_view line, std::string_view rest, std::size_t& series) {
  const auto trailer = json::parse(line, nullptr, false);
  const auto count = trailer.is_object() ? IntegerOf(trailer, "series") : -1;
  if (count < 0) {
    return Fail(ErrorCode::kCorrupt, "is cut short: the last line, with the checksum, is missing");
  }
  Sha256 digest;
  digest.Add(rest);
  if (TextOf(trailer, "sha256") != digest.Finish()) {
    return Fail(ErrorCode::kCorrupt, "is damaged: its checksum does not fit its content");
  }
  series = static_cast<std::size_t>(count);
  return Ok();
}

}  // namespace

struct StateFileWriter::Digest : Sha256 {};

StateFileWriter::StateFileWriter() : digest_(std::make_unique<Digest>()) {}
StateFileWriter::~StateFileWriter() = default;

void StateFileWriter::Seal(std::string_view line, std::string& out) {
  digest_->Add(line);
  out += line;
}

void StateFileWriter::Begin(std::int64_t now, std::string& out) {
  std::string line;
  text::JsonWriter json(line);
  json.BeginObject().Field("format", kFormat).Key("version").Integer(kVersion);
  json.Field("detector", Detector::StateFormat()).Key("exported").Integer(now).EndObject();
  Seal(line + "\n", out);
}

void StateFileWriter::Add(const Learnt& learnt, std::string& out) {
  std::string line;
  text::JsonWriter json(line);
  json.BeginObject().Field("baseline", learnt.baseline).Field("expr", learnt.expression);
  json.Key("labels").BeginObject();
  for (const auto [name, value] : learnt.labels) json.Field(name, value);
  json.EndObject().Key("last").Integer(learnt.last_time).Key("rows").Integer(learnt.rows);
  json.Field("state", EncodeBase64(learnt.state)).EndObject();
  Seal(line + "\n", out);
  ++series_;
}

void StateFileWriter::End(std::string& out) {
  text::JsonWriter json(out);
  json.BeginObject().Key("series").Integer(static_cast<std::int64_t>(series_));
  json.Field("sha256", digest_->Finish()).EndObject();
  out += '\n';
}

Result<std::vector<Learnt>> ReadStateFile(std::string_view text) {
  if (auto status = CheckHeader(text.substr(0, text.find('\n'))); !status) {
    return Fail(status.error());
  }
  std::size_t series = 0;
  std::string_view rest = text;
  const auto trailer = CutLastLine(rest);
  if (auto status = CheckTrailer(trailer, rest, series); !status) return Fail(status.error());
  std::vector<Learnt> out;
  rest.remove_prefix(rest.find('\n') + 1);
  for (std::size_t number = 2; !rest.empty(); ++number) {
    const auto end = rest.find('\n');
    auto learnt = ReadLine(rest.substr(0, end));
    if (!learnt) return Fail(learnt.error().In("line " + std::to_string(number)));
    out.push_back(*std::move(learnt));
    rest.remove_prefix(end + 1);
  }
  if (out.size() != series) {
    return Fail(ErrorCode::kCorrupt, "is damaged: it holds " + std::to_string(out.size()) +
                                         " series and says that it has " + std::to_string(series));
  }
  return out;
}

}  // namespace vigia::alerting::baseline
