// SPDX-License-Identifier: GPL-2.0-only
#include "control/http_client.h"

#include "control/problem_json.h"
#include "control/request_json.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <cerrno>
#include <cstring>
#include <optional>

namespace xdplb {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using Clock = std::chrono::steady_clock;
using Socket = asio::local::stream_protocol::socket;
constexpr auto kAsTuple = asio::as_tuple(asio::use_awaitable);
// A status of 10,000 servers is about 4 MiB; what is larger than this is no daemon of ours.
constexpr std::uint64_t kMaxReplyBytes = 256ULL << 20;

std::string instance_of(const std::filesystem::path& socket) { return socket.parent_path().filename().string(); }

Error unreachable(const std::filesystem::path& socket) {
  return fail(ErrorCode::kUnreachable,
              fmt::format("no xdplbd answers for instance {} on {}: start it with `xdplb load IFACE`",
                          instance_of(socket), socket.string()));
}

Error timed_out(const std::filesystem::path& socket) {
  return fail(ErrorCode::kTimedOut,
              fmt::format("xdplbd of instance {} did not answer on {} in time", instance_of(socket), socket.string()));
}

Error connect_error(const std::filesystem::path& socket, const Error& error, int number) {
  switch (number) {
    case ENOENT:
    case ENOTDIR:
    case ECONNREFUSED:
      return unreachable(socket);
    case EAGAIN:
      return timed_out(socket);
    case EACCES:
    case EPERM:
      return fail(ErrorCode::kPermission, fmt::format("no access to {}: run this as root", socket.string()));
    default:
      return error;
  }
}

Reply decode_reply(const http::response<http::string_body>& response) {
  auto document = nlohmann::json::parse(response.body(), nullptr, false);
  if (document.is_discarded() && response.result() == http::status::ok) {
    return fail(ErrorCode::kFailed, "xdplbd sent a reply that is not JSON");
  }
  if (response.result() != http::status::ok) {
    return decode_problem(document, static_cast<int>(response.result_int()));
  }
  return make_reply(std::move(document));
}

// Writes the request and reads the reply. A server that refuses a request may answer and close before it has read all
// of it: then the write fails, and the answer is there nevertheless.
asio::awaitable<void> exchange(Socket& socket, HttpCall call, std::optional<Reply>& outcome) {
  http::request<http::string_body> request;
  request.method_string(call.method);
  request.target(call.target);
  request.set(http::field::host, "xdplb");
  request.set(http::field::user_agent, "xdplb/" XDPLB_VERSION);
  request.keep_alive(false);
  if (!call.body.empty()) {
    request.set(http::field::content_type, std::string(kJsonType));
    request.body() = std::move(call.body);
  }
  request.prepare_payload();
  co_await http::async_write(socket, request, kAsTuple);

  beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(kMaxReplyBytes);
  const auto [error, size] = co_await http::async_read(socket, buffer, parser, kAsTuple);
  if (error) {
    outcome = fail(ErrorCode::kUnreachable, "xdplbd closed the connection without a reply: " + error.message());
    co_return;
  }
  outcome = decode_reply(parser.get());
}

std::chrono::milliseconds until(Clock::time_point deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
  return std::max(left, std::chrono::milliseconds(1));
}

}  // namespace

Result<FileDescriptor> connect_socket(const std::filesystem::path& socket, std::chrono::milliseconds timeout,
                                      int* number) {
  const std::string text = socket.string();
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const auto failed = [&](int code) {
    *number = code;
    return os_error("connect to " + text, code);
  };
  if (text.size() >= sizeof(address.sun_path)) return failed(ENAMETOOLONG);
  std::memcpy(address.sun_path, text.data(), text.size());

  FileDescriptor fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.is_open()) return failed(errno);
  // A blocking connect waits while the backlog is full; a non-blocking one would give up with EAGAIN at once.
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(timeout);
  timeval limit{};
  limit.tv_sec = seconds.count();
  limit.tv_usec = std::chrono::microseconds(timeout - seconds).count();
  if (::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) != 0) return failed(errno);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) return failed(errno);
  *number = 0;
  return fd;
}

Result<pid_t> daemon_pid(const std::filesystem::path& socket, std::chrono::milliseconds timeout) {
  int number = 0;
  const auto fd = connect_socket(socket, timeout, &number);
  if (!fd) return connect_error(socket, fd.error(), number);
  ucred peer{};
  socklen_t size = sizeof(peer);
  if (::getsockopt(fd->get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
    return os_error("peer of " + socket.string(), errno);
  }
  return peer.pid;
}

Reply call(const std::filesystem::path& socket, const Request& request, std::chrono::milliseconds timeout) {
  const auto deadline = Clock::now() + timeout;
  int number = 0;
  auto fd = connect_socket(socket, timeout, &number);
  if (!fd) return connect_error(socket, fd.error(), number);

  asio::io_context context;
  boost::system::error_code error;
  Socket stream(context);
  stream.assign(asio::local::stream_protocol(), fd->get(), error);
  if (error) return fail(ErrorCode::kFailed, "socket " + socket.string() + ": " + error.message());
  fd->release();
  std::optional<Reply> outcome;
  asio::co_spawn(context, exchange(stream, encode_request(request), outcome), asio::detached);
  context.run_for(until(deadline));
  return outcome ? *outcome : timed_out(socket);
}

}  // namespace xdplb
