// The messages of gRPC's health service (grpc/doc/health-checking.md), as they stand in the body
// of a request and of its answer: one frame of five bytes and a protocol buffer
// (grpc/doc/PROTOCOL-HTTP2.md). Written out, for one call with one field is no reason for a
// library of gRPC.

#pragma once

#include <array>
#include <string>
#include <string_view>

#include "core/result.h"

namespace vigia::collectors::probe {

// grpc.health.v1.HealthCheckResponse.ServingStatus, by number.
inline constexpr std::array<std::string_view, 4> kServingStatuses{"UNKNOWN", "SERVING",
                                                                  "NOT_SERVING", "SERVICE_UNKNOWN"};
inline constexpr int kServing = 1;

// Numbers of status codes (grpc/doc/statuscodes.md).
inline constexpr int kGrpcOk = 0;
inline constexpr int kGrpcDeadlineExceeded = 4;
inline constexpr int kGrpcUnavailable = 14;

// "NOT_FOUND"; the number for one that is not known.
std::string GrpcStatusName(int code);
// What an answer without a status of its own stands for, by its HTTP status
// (grpc/doc/http-grpc-status-mapping.md).
int GrpcStatusOfHttp(long status);

// The body that asks how `service` is; of the server as a whole if that is empty.
std::string WriteHealthRequest(std::string_view service);
// The number of the serving status. kCorrupt for what is no such answer.
Result<int> ReadHealthAnswer(std::string_view body);

}  // namespace vigia::collectors::probe
