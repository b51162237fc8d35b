#include "tests/probe/grpc_server.h"

#include <catch2/catch.hpp>

#include "tests/support/http_client.h"

namespace vigia::test {
namespace {

// Debian's Python, for which Debian's modules are.
const std::string kPython = "/usr/bin/python3";

// The messages are written by hand: python3-grpcio has no health service.
const std::string kServer = R"python(
import sys, grpc
from concurrent import futures

STATUS = {b'': 1, b'down': 2, b'secret': 1}

def check(request, context):
    service = request[2:] if request else b''
    if service not in STATUS:
        context.abort(grpc.StatusCode.NOT_FOUND, 'unknown service')
    if service == b'secret' and ('x-token', 'abc') not in context.invocation_metadata():
        context.abort(grpc.StatusCode.UNAUTHENTICATED, 'who are you?')
    return bytes([8, STATUS[service]])

handler = grpc.method_handlers_generic_handler(
    'grpc.health.v1.Health', {'Check': grpc.unary_unary_rpc_method_handler(check)})
server = grpc.server(futures.ThreadPoolExecutor(2), handlers=[handler])
address, cert, key = sys.argv[1:4]
if cert:
    pair = (open(key, 'rb').read(), open(cert, 'rb').read())
    server.add_secure_port(address, grpc.ssl_server_credentials([pair]))
else:
    server.add_insecure_port(address)
server.start()
print('serving', flush=True)
server.wait_for_termination()
)python";

}  // namespace

bool GrpcServer::Available() {
  static const bool available = RunProgram({kPython, "-c", "import grpc"}).exit_code == 0;
  if (!available) WARN("SKIPPED: python3-grpcio is not installed");
  return available;
}

GrpcServer::GrpcServer(const std::string& cert_file, const std::string& key_file)
    : port_(FreePort()) {
  dir_.Write("server.py", kServer);
  process_ = std::make_unique<Process>(
      std::vector<std::string>{kPython, dir_.path() / "server.py", address(), cert_file, key_file});
  REQUIRE(process_->AwaitOutput("serving"));
}

}  // namespace vigia::test
