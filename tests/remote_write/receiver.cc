#include "tests/remote_write/receiver.h"

#include <snappy.h>

#include <protozero/pbf_reader.hpp>
#include <stdexcept>

#include "core/labels.h"

namespace vigia::remote_write::test {
namespace {

std::pair<std::string, std::string> ReadLabel(protozero::pbf_reader label) {
  std::pair<std::string, std::string> out;
  while (label.next()) {
    if (label.tag() == 1) {
      out.first = label.get_string();
    } else {
      out.second = label.get_string();
    }
  }
  return out;
}

std::pair<Timestamp, std::uint64_t> ReadSample(protozero::pbf_reader sample) {
  std::pair<Timestamp, std::uint64_t> out;
  while (sample.next()) {
    if (sample.tag() == 1) {
      out.second = sample.get_fixed64();
    } else {
      out.first = sample.get_int64();
    }
  }
  return out;
}

void ReadSeries(protozero::pbf_reader series, Message& message) {
  std::vector<std::pair<std::string, std::string>> labels;
  std::vector<std::pair<Timestamp, std::uint64_t>> samples;
  while (series.next()) {
    if (series.tag() == 1) {
      labels.push_back(ReadLabel(series.get_message()));
    } else {
      samples.push_back(ReadSample(series.get_message()));
    }
  }
  std::vector<LabelView> views;
  for (const auto& [name, value] : labels) views.push_back({name, value});
  message.series.emplace_back(Labels::FromPairs(views).ToString(), std::move(samples));
  message.labels.push_back(std::move(labels));
}

Metadata ReadMetadata(protozero::pbf_reader in) {
  Metadata metadata;
  while (in.next()) {
    if (in.tag() == 1) metadata.type = in.get_enum();
    if (in.tag() == 2) metadata.name = in.get_string();
    if (in.tag() == 4) metadata.help = in.get_string();
    if (in.tag() == 5) metadata.unit = in.get_string();
  }
  return metadata;
}

}  // namespace

std::size_t Message::CountSamples() const {
  std::size_t count = 0;
  for (const auto& [name, samples] : series) count += samples.size();
  return count;
}

Message DecodeMessage(const std::string& body) {
  std::string bytes;
  if (!snappy::Uncompress(body.data(), body.size(), &bytes)) throw std::runtime_error("not snappy");
  Message message;
  protozero::pbf_reader request(bytes);
  while (request.next()) {
    if (request.tag() == 1) {
      ReadSeries(request.get_message(), message);
    } else if (request.tag() == 3) {
      message.metadata.push_back(ReadMetadata(request.get_message()));
    } else {
      throw std::runtime_error("unknown field");
    }
  }
  return message;
}

Receiver::Receiver() {
  AnswerAll(204);
  stub.Decide("/api/v1/write", [this](const vigia::test::StubRequest& request) {
    const auto message = DecodeMessage(request.body);
    const std::lock_guard lock(mutex_);
    auto answer = answerer_(message);
    if (answer.status / 100 != 2) return answer;
    for (const auto& [labels, samples] : message.series) {
      auto& all = content_[labels];
      all.insert(all.end(), samples.begin(), samples.end());
    }
    metadata_.insert(metadata_.end(), message.metadata.begin(), message.metadata.end());
    return answer;
  });
}

void Receiver::AnswerWith(vigia::test::StubAnswer answer) {
  AnswerBy([answer = std::move(answer)](const Message&) { return answer; });
}

void Receiver::AnswerBy(Answerer answerer) {
  const std::lock_guard lock(mutex_);
  answerer_ = std::move(answerer);
}

Content Receiver::content() const {
  const std::lock_guard lock(mutex_);
  return content_;
}

std::vector<Metadata> Receiver::metadata() const {
  const std::lock_guard lock(mutex_);
  return metadata_;
}

}  // namespace vigia::remote_write::test
