// SPDX-License-Identifier: GPL-2.0-only
// The API over HTTP/1.1 on a unix stream socket: requests in, handler, JSON documents or problem objects out.
#pragma once

#include "control/request.h"
#include "control/request_json.h"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>

namespace xdplb {

// What one peer may cost the daemon.
struct ServerLimits {
  std::size_t connections = 32;                      // more are answered 503 and closed
  std::chrono::milliseconds header_timeout{10'000};  // for a request's head; also how long an idle connection stays
  std::chrono::milliseconds body_timeout{30'000};    // for the rest of a request, and for taking the reply
  std::uint64_t body_bytes = kMaxBodyBytes;          // of one request
};

class ApiServer {
 public:
  // Answers one request; runs on the server's io_context. Requests of several connections may be in it at the same
  // time, interleaved where it suspends. An exception becomes a 500 and a log line.
  using Handler = std::function<boost::asio::awaitable<Reply>(Request)>;

  // Binds `socket` (mode 0660, its folder must exist) and accepts on `context`, which one thread runs. The file a dead
  // daemon left is replaced.
  //
  // socket  .../INSTANCE/api.sock: the instance named in messages is the folder's
  // Errors: kConflict when something answers on the socket, kUsage when the path is too long for one, else as the
  // system says.
  static Result<std::unique_ptr<ApiServer>> listen(boost::asio::io_context& context,
                                                   const std::filesystem::path& socket, Handler handler,
                                                   ServerLimits limits = {});
  ~ApiServer();  // close()
  ApiServer(const ApiServer&) = delete;
  ApiServer& operator=(const ApiServer&) = delete;

  // Stops accepting, removes the socket file (unless another daemon has put its own there) and drops idle connections.
  // A request that is being handled still gets its reply, with "Connection: close"; after it the server has no work
  // left on the context.
  void close();

 private:
  struct State;
  explicit ApiServer(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace xdplb
