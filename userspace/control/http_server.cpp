// SPDX-License-Identifier: GPL-2.0-only
#include "control/http_server.h"

#include "base/log.h"
#include "control/http_client.h"
#include "control/problem_json.h"
#include "control/request_json.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <cerrno>
#include <exception>
#include <set>
#include <tuple>
#include <utility>

namespace xdplb {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using LocalStream = asio::local::stream_protocol;
using Socket = LocalStream::socket;
using Parser = http::request_parser<http::string_body>;
using Response = http::response<http::string_body>;
using Milliseconds = std::chrono::milliseconds;
constexpr auto kAsTuple = asio::as_tuple(asio::use_awaitable);
// How long a client that was refused may take to read why.
constexpr Milliseconds kRefusalTimeout{1'000};
// Out of descriptors: how long to wait before the next accept.
constexpr Milliseconds kAcceptPause{100};

// One connection. Coroutines hold it by shared_ptr; the timer's callback only weakly.
struct Session {
  explicit Session(Socket accepted) : socket(std::move(accepted)), timer(socket.get_executor()) {}
  Socket socket;
  asio::steady_timer timer;
  unsigned generation = 0;  // of the deadline: an expiry that was queued before the last arm() means nothing
  bool timed_out = false;
  bool is_idle = true;  // between requests: nothing is lost by closing
};

// From now on the session's socket operations end after `timeout`.
void arm(const std::shared_ptr<Session>& session, Milliseconds timeout) {
  const unsigned generation = ++session->generation;
  session->timed_out = false;
  session->timer.expires_after(timeout);
  session->timer.async_wait([weak = std::weak_ptr<Session>(session), generation](boost::system::error_code error) {
    const auto live = weak.lock();
    if (error || !live || live->generation != generation) return;
    live->timed_out = true;
    boost::system::error_code ignored;
    live->socket.cancel(ignored);
  });
}

void disarm(Session& session) {
  ++session.generation;
  session.timer.cancel();
}

Response make_response(unsigned version, int status, std::string_view type, const nlohmann::json& document) {
  Response response(http::int_to_status(static_cast<unsigned>(status)), version);
  response.set(http::field::server, "xdplbd/" XDPLB_VERSION);
  response.set(http::field::content_type, std::string(type));
  response.body() = dump_json(document) + "\n";
  response.prepare_payload();
  return response;
}

Response make_problem(unsigned version, const Error& error, int status = 0) {
  const auto document = encode_problem(error, status);
  return make_response(version, status == 0 ? http_status(error.code) : status, kProblemType, document);
}

Response make_busy(std::size_t connections) {
  const auto text = fmt::format("{} connections are open already: close one, or try again", connections);
  return make_problem(11, fail(ErrorCode::kUnreachable, text));
}

// What to answer to bytes that are no request Beast can read.
Response refusal(const boost::system::error_code& error, const Session& session, const ServerLimits& limits) {
  if (session.timed_out) {
    return make_problem(11, fail(ErrorCode::kTimedOut, "the request did not arrive in time"), 408);
  }
  if (error == http::error::body_limit) {
    const auto text = fmt::format("request body: it is larger than {} bytes", limits.body_bytes);
    return make_problem(11, fail(ErrorCode::kUsage, text), 413);
  }
  if (error == http::error::header_limit) {
    return make_problem(11, fail(ErrorCode::kUsage, "the head of the request is larger than 8192 bytes"), 431);
  }
  return make_problem(11, fail(ErrorCode::kUsage, "this is no HTTP/1.1 request: " + error.message()), 400);
}

asio::awaitable<bool> write(std::shared_ptr<Session> session, Response& response, Milliseconds timeout) {
  arm(session, timeout);
  const auto [error, size] = co_await http::async_write(session->socket, response, kAsTuple);
  disarm(*session);
  co_return !error;
}

void shut(Session& session) {
  disarm(session);
  boost::system::error_code ignored;
  session.socket.shutdown(Socket::shutdown_both, ignored);
  session.socket.close(ignored);
}

asio::awaitable<void> refuse(std::shared_ptr<Session> session, Response response) {
  response.keep_alive(false);
  co_await write(session, response, kRefusalTimeout);
  shut(*session);
}

// Makes way for a new socket file. Errors: kConflict when something answers on the old one.
Result<void> clear_stale(const std::filesystem::path& path) {
  struct stat file {};
  if (::lstat(path.c_str(), &file) != 0) {
    if (errno == ENOENT) return {};
    return os_error("look at " + path.string(), errno);
  }
  if (!S_ISSOCK(file.st_mode)) {
    return fail(ErrorCode::kConflict, path.string() + " is there and is no socket: remove it");
  }
  int number = 0;
  const auto probe = connect_socket(path, kRefusalTimeout, &number);
  if (number == ENOENT) return {};
  if (number == ECONNREFUSED) {
    if (::unlink(path.c_str()) == 0 || errno == ENOENT) return {};
    return os_error("remove the stale " + path.string(), errno);
  }
  if (!probe && number != EAGAIN) return probe.error();
  return fail(ErrorCode::kConflict, fmt::format("instance {} already has a daemon: it answers on {}",
                                                path.parent_path().filename().string(), path.string()));
}

void rethrow(std::exception_ptr error) {
  if (error) std::rethrow_exception(error);
}

bool expects_continue(const Parser& parser) {
  return beast::iequals(parser.get()[http::field::expect], "100-continue");
}

}  // namespace

using SessionPointer = std::shared_ptr<Session>;

struct ApiServer::State {
  using Pointer = std::shared_ptr<State>;

  State(asio::io_context& context, Handler function, ServerLimits bounds)
      : acceptor(context), pause(context), handler(std::move(function)), limits(bounds) {}

  Result<void> bind(const std::filesystem::path& socket);
  static asio::awaitable<void> accept(Pointer self);
  static asio::awaitable<void> serve(Pointer self, SessionPointer session);
  // Reads one request to its end; false: the connection is done for (and was told why, where that makes sense).
  asio::awaitable<bool> read(SessionPointer session, beast::flat_buffer& buffer, Parser& parser);
  asio::awaitable<Response> answer(const http::request<http::string_body>& request);
  asio::awaitable<Reply> handle(Request request);

  LocalStream::acceptor acceptor;
  asio::steady_timer pause;
  Handler handler;
  ServerLimits limits;
  std::filesystem::path path;
  struct stat file {};  // of our socket, so that close() removes no other daemon's
  std::set<SessionPointer> sessions;
  bool is_closed = false;
};

Result<void> ApiServer::State::bind(const std::filesystem::path& socket) {
  if (socket.string().size() >= sizeof(sockaddr_un::sun_path)) {
    return fail(ErrorCode::kUsage, fmt::format("socket {}: the path is longer than {} bytes", socket.string(),
                                               sizeof(sockaddr_un::sun_path) - 1));
  }
  if (auto free = clear_stale(socket); !free) return free.error();
  const auto failed = [&](int number) { return os_error("socket " + socket.string(), number); };
  boost::system::error_code error;
  acceptor.open(LocalStream(), error);
  if (!error) acceptor.bind(LocalStream::endpoint(socket.string()), error);
  if (error) return failed(error.value());
  path = socket;
  // Not listening yet, so nobody gets in before the mode is right.
  if (::chmod(path.c_str(), 0660) != 0 || ::stat(path.c_str(), &file) != 0) return failed(errno);
  if (::fcntl(acceptor.native_handle(), F_SETFD, FD_CLOEXEC) != 0) return failed(errno);
  acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return failed(error.value());
  return {};
}

asio::awaitable<void> ApiServer::State::accept(Pointer self) {
  while (!self->is_closed) {
    auto [error, socket] = co_await self->acceptor.async_accept(kAsTuple);
    if (self->is_closed) break;
    if (error) {
      log_warning("API: accept: " + error.message());
      self->pause.expires_after(kAcceptPause);
      co_await self->pause.async_wait(kAsTuple);
      continue;
    }
    auto session = std::make_shared<Session>(std::move(socket));
    const auto executor = session->socket.get_executor();
    if (self->sessions.size() >= self->limits.connections) {
      asio::co_spawn(executor, refuse(session, make_busy(self->limits.connections)), rethrow);
      continue;
    }
    self->sessions.insert(session);
    asio::co_spawn(executor, serve(self, session), rethrow);
  }
}

asio::awaitable<void> ApiServer::State::serve(Pointer self, SessionPointer session) {
  // Runs also when the context is destroyed under the coroutine.
  struct Registration {
    State& state;
    SessionPointer session;
    ~Registration() {
      shut(*session);
      state.sessions.erase(session);
    }
  };
  const Registration registration{.state = *self, .session = session};
  beast::flat_buffer buffer;
  while (!self->is_closed) {
    Parser parser;
    parser.body_limit(self->limits.body_bytes);
    const bool is_read = co_await self->read(session, buffer, parser);
    if (!is_read) break;
    Response response = co_await self->answer(parser.get());
    response.keep_alive(parser.get().keep_alive() && !self->is_closed);
    const bool is_written = co_await write(session, response, self->limits.body_timeout);
    if (!is_written || !response.keep_alive()) break;
  }
}

asio::awaitable<bool> ApiServer::State::read(SessionPointer session, beast::flat_buffer& buffer, Parser& parser) {
  session->is_idle = true;
  arm(session, limits.header_timeout);
  auto [error, size] = co_await http::async_read_header(session->socket, buffer, parser, kAsTuple);
  session->is_idle = false;
  // A client that leaves between requests, or never says a thing, needs no answer.
  if (error && !parser.got_some()) co_return false;
  if (!error && expects_continue(parser)) {
    Response go_on(http::status::continue_, 11);
    const bool is_written = co_await write(session, go_on, kRefusalTimeout);
    if (!is_written) co_return false;
  }
  if (!error) {
    arm(session, limits.body_timeout);
    std::tie(error, size) = co_await http::async_read(session->socket, buffer, parser, kAsTuple);
  }
  disarm(*session);
  if (!error) co_return true;
  co_await refuse(session, refusal(error, *session, limits));
  co_return false;
}

asio::awaitable<Response> ApiServer::State::answer(const http::request<http::string_body>& request) {
  const std::string_view method(request.method_string().data(), request.method_string().size());
  const std::string_view target(request.target().data(), request.target().size());
  auto decoded = decode_request(method, target, request.body());
  if (!decoded) {
    const auto methods = allowed_methods(target);
    const bool is_verb = std::find(methods.begin(), methods.end(), method) != methods.end();
    if (methods.empty() || is_verb) co_return make_problem(request.version(), decoded.error());
    Response response = make_problem(request.version(), decoded.error(), 405);
    response.set(http::field::allow, fmt::format("{}", fmt::join(methods, ", ")));
    co_return response;
  }
  const Reply reply = co_await handle(std::move(*decoded));
  if (!reply) co_return make_problem(request.version(), reply.error());
  co_return make_response(request.version(), 200, kJsonType, *reply);
}

asio::awaitable<Reply> ApiServer::State::handle(Request request) {
  std::string text;
  try {
    co_return co_await handler(std::move(request));
  } catch (const std::exception& error) {
    text = error.what();
  }
  log_error("API: a request failed: " + text);
  co_return fail(ErrorCode::kFailed, "xdplbd failed at this request: " + text);
}

Result<std::unique_ptr<ApiServer>> ApiServer::listen(asio::io_context& context, const std::filesystem::path& socket,
                                                     Handler handler, ServerLimits limits) {
  auto state = std::make_shared<State>(context, std::move(handler), limits);
  if (auto bound = state->bind(socket); !bound) return bound.error();
  asio::co_spawn(context, State::accept(state), rethrow);
  return std::unique_ptr<ApiServer>(new ApiServer(std::move(state)));
}

ApiServer::ApiServer(std::shared_ptr<State> state) : state_(std::move(state)) {}

ApiServer::~ApiServer() { close(); }

void ApiServer::close() {
  if (std::exchange(state_->is_closed, true)) return;
  boost::system::error_code ignored;
  state_->acceptor.close(ignored);
  state_->pause.cancel();
  struct stat now {};
  const bool is_ours = ::lstat(state_->path.c_str(), &now) == 0 && now.st_dev == state_->file.st_dev &&
                       now.st_ino == state_->file.st_ino;
  if (is_ours) ::unlink(state_->path.c_str());
  for (const SessionPointer& session : state_->sessions) {
    if (session->is_idle) session->socket.cancel(ignored);
  }
}

}  // namespace xdplb
