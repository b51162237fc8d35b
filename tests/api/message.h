// Remote write requests as writers make them.

#pragma once

#include <snappy.h>

#include <protozero/pbf_writer.hpp>
#include <string>
#include <utility>
#include <vector>

#include "core/sample.h"

namespace vigia::test {

// A write request under construction.
class Message {
 public:
  Message& Series(std::vector<std::pair<std::string, std::string>> labels,
                  std::vector<Sample> samples) {
    std::string series;
    protozero::pbf_writer writer(series);
    for (const auto& [name, value] : labels) {
      std::string label;
      protozero::pbf_writer pair(label);
      pair.add_string(1, name);
      pair.add_string(2, value);
      writer.add_message(1, label);
    }
    for (const auto& sample : samples) {
      std::string bytes;
      protozero::pbf_writer pair(bytes);
      pair.add_double(1, sample.value);
      pair.add_int64(2, sample.time);
      writer.add_message(2, bytes);
    }
    protozero::pbf_writer(bytes_).add_message(1, series);
    return *this;
  }

  Message& Metadata(int type, const std::string& name, const std::string& help) {
    std::string metadata;
    protozero::pbf_writer writer(metadata);
    writer.add_enum(1, type);
    writer.add_string(2, name);
    writer.add_string(4, help);
    protozero::pbf_writer(bytes_).add_message(3, metadata);
    return *this;
  }

  std::string Packed() const {
    std::string packed;
    snappy::Compress(bytes_.data(), bytes_.size(), &packed);
    return packed;
  }

 private:
  std::string bytes_;
};

}  // namespace vigia::test
