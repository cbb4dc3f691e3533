// SPDX-License-Identifier: GPL-2.0-only
#include "advisors/probe_stream.h"

#include "advisors/probe_tools.h"
#include "advisors/tls_context.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <cstring>
#include <utility>

namespace xdplb {
namespace {

namespace asio = boost::asio;
namespace ssl = boost::asio::ssl;
using Tcp = asio::ip::tcp;
using Code = boost::system::error_code;
constexpr auto kAsTuple = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kPartBytes = 4096;  // read at a time and forgotten

std::string errno_text(int number) {
  if (number == ECONNREFUSED) return "connection refused";
  if (number == ECONNRESET) return "connection reset";
  return std::strerror(number);
}

// A limit as people write it.
std::string limit_text(unsigned milliseconds) {
  return milliseconds % 1000 == 0 ? fmt::format("{} s", milliseconds / 1000) : fmt::format("{} ms", milliseconds);
}

// As a sockaddr of its family; returns its length.
socklen_t fill_address(const ProbeTarget& target, sockaddr_storage& storage) {
  const auto bytes = target.destination.bytes();
  if (target.destination.is_v4()) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(target.port);
    std::memcpy(&v4.sin_addr, bytes.data(), sizeof(v4.sin_addr));
    std::memcpy(&storage, &v4, sizeof(v4));
    return sizeof(v4);
  }
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(target.port);
  std::memcpy(&v6.sin6_addr, bytes.data(), sizeof(v6.sin6_addr));
  std::memcpy(&storage, &v6, sizeof(v6));
  return sizeof(v6);
}

std::string endpoint_text(const ProbeTarget& target) { return Endpoint{target.destination, target.port}.to_string(); }

}  // namespace

class ProbeStream::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(ProbeTools& tools, const ProbeTarget& target)
      : contexts_(tools.tls()), target_(target), socket_(tools.io()), timer_(tools.io()) {}

  // Begins to connect. 0, or the errno and what failed.
  int open(std::string& attempt);
  // How the connect ended: 0 or an errno.
  int connect_error() {
    int number = 0;
    socklen_t size = sizeof(number);
    return ::getsockopt(socket_.native_handle(), SOL_SOCKET, SO_ERROR, &number, &size) == 0 ? number : errno;
  }
  bool is_connecting() {
    pollfd poll{.fd = socket_.native_handle(), .events = POLLOUT, .revents = 0};
    return ::poll(&poll, 1, 0) == 0;
  }

  void set_limit(std::optional<std::chrono::milliseconds> limit) {
    timer_.cancel();
    if (!limit) {
      timer_.expires_at(ProbeClock::time_point::max());
      return;
    }
    timer_.expires_after(*limit);
    timer_.async_wait([weak = weak_from_this()](const Code& error) {
      const auto self = weak.lock();
      // One that had expired and was set anew is not due.
      if (error || !self || self->timer_.expiry() > ProbeClock::now()) return;
      self->is_late_ = true;
      self->close();
    });
  }

  // With SO_LINGER 0 this is a RST; operations under way end with an error.
  void close() {
    Code ignored;
    socket_.close(ignored);
  }

  void end() {
    timer_.cancel();
    if (!socket_.is_open()) return;
    Code ignored;
    if (is_tls_up_ && !is_tls_broken_) {
      // Writes the close_notify if there is room for it and would read the other's, which is not waited for.
      socket_.non_blocking(true, ignored);
      tls_->shutdown(ignored);
    }
    socket_.shutdown(Tcp::socket::shutdown_send, ignored);
    close();
  }

  void abort() {
    timer_.cancel();
    close();
  }

  StreamStatus status_of(const Code& error) {
    if (is_late_) return StreamStatus::kTimedOut;
    if (!error) return StreamStatus::kDone;
    if (error == asio::error::eof || error == ssl::error::stream_truncated) return StreamStatus::kEnded;
    is_tls_broken_ = error.category() == asio::error::get_ssl_category();
    why_ = is_tls_broken_ ? "TLS: " + error.message() : errno_text(error.value());
    return StreamStatus::kBroken;
  }

  Result<void> make_tls(const TlsOptions& options, const std::string& name) {
    auto context = contexts_.find(options);
    if (!context) return context.error();
    ssl::context adopted(context->release());
    tls_.emplace(socket_, adopted);
    if (options.verify) {
      Code ignored;
      tls_->set_verify_callback(
          [this, name](bool is_good, ssl::verify_context& store) {
            if (!is_good) keep_fault(chain_, store.native_handle(), name);
            return true;
          },
          ignored);
    }
    return prepare_tls(tls_->native_handle(), options, name);
  }

  TlsContexts& contexts_;
  ProbeTarget target_;
  Tcp::socket socket_;
  asio::steady_timer timer_;
  std::optional<ssl::stream<Tcp::socket&>> tls_{};
  ChainFault chain_{};
  std::optional<std::chrono::system_clock::time_point> certificate_end_{};
  std::string why_{};
  unsigned receive_timeout_ms_ = 0;
  bool is_late_ = false;
  bool is_tls_up_ = false;
  bool is_tls_broken_ = false;
};

// The connect is called here and not by Asio: an error that it returns at once is this host's, one that comes later is
// what the network said.
int ProbeStream::Impl::open(std::string& attempt) {
  const bool is_v4 = target_.destination.is_v4();
  const int fd = ::socket(is_v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  attempt = "open a socket";
  if (fd < 0) return errno;
  Code error;
  socket_.assign(is_v4 ? Tcp::v4() : Tcp::v6(), fd, error);
  if (error) {
    ::close(fd);
    return error.value();
  }
  const linger reset{.l_onoff = 1, .l_linger = 0};
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  attempt = "mark a socket";
  if (target_.mark != 0 && ::setsockopt(fd, SOL_SOCKET, SO_MARK, &target_.mark, sizeof(target_.mark)) != 0) {
    return errno;
  }
  attempt = "connect to " + endpoint_text(target_);
  sockaddr_storage address{};
  const socklen_t length = fill_address(target_, address);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), length) == 0 || errno == EINPROGRESS) return 0;
  return errno;
}

ProbeStream::ProbeStream(ProbeTools& tools, const ProbeTarget& target, ProbeLog* log)
    : impl_(std::make_shared<Impl>(tools, target)), log_(log), began_(ProbeClock::now()) {}

ProbeStream::~ProbeStream() { impl_->abort(); }

asio::awaitable<std::optional<CheckResult>> ProbeStream::connect(const AdvisorConfig& advisor) {
  std::string attempt;
  int number = impl_->open(attempt);
  // Over loopback the refusal can be there at once.
  if (number != 0 && number != ECONNREFUSED && number != ECONNRESET) {
    co_return result(CheckCode::kSocketError, attempt + ": " + errno_text(number));
  }
  if (number == 0) {
    impl_->set_limit(std::chrono::milliseconds(advisor.connect_timeout_ms));
    Code error;
    // Asio may say that a socket is ready when it is not, one that has the place of another just closed above all.
    do {
      std::tie(error) = co_await impl_->socket_.async_wait(Tcp::socket::wait_write, kAsTuple);
      if (impl_->is_late_) {
        co_return result(CheckCode::kL4Timeout, "no answer in " + limit_text(advisor.connect_timeout_ms));
      }
    } while (!error && impl_->is_connecting());
    number = error ? error.value() : impl_->connect_error();
  }
  if (number == ETIMEDOUT) co_return result(CheckCode::kL4Timeout, "no answer");
  if (number == EPERM || number == EACCES || number == ENOBUFS || number == ENETDOWN || number == ECANCELED) {
    co_return result(CheckCode::kSocketError, attempt + ": " + errno_text(number));
  }
  if (number != 0) co_return result(CheckCode::kL4Refused, errno_text(number));
  add_step("connected");
  impl_->receive_timeout_ms_ = advisor.receive_timeout_ms;
  impl_->set_limit(std::chrono::milliseconds(advisor.receive_timeout_ms));
  co_return std::nullopt;
}

asio::awaitable<std::optional<CheckResult>> ProbeStream::start_tls(TlsOptions options, std::string host) {
  const auto made = impl_->make_tls(options, expected_name(options, host));
  if (!made) co_return result(CheckCode::kSocketError, made.error().message);
  const auto [error] = co_await impl_->tls_->async_handshake(ssl::stream_base::client, kAsTuple);
  const StreamStatus status = impl_->status_of(error);
  switch (status) {
    case StreamStatus::kDone:
      break;
    case StreamStatus::kTimedOut:
      co_return result(CheckCode::kL6Timeout, "no TLS handshake in " + limit_text(impl_->receive_timeout_ms_));
    case StreamStatus::kEnded:
      co_return result(CheckCode::kL6Response, "connection ended in the TLS handshake");
    case StreamStatus::kBroken:
      co_return result(CheckCode::kL6Response, "TLS handshake: " + impl_->why_);
  }
  impl_->is_tls_up_ = true;
  const TlsSession session = inspect_tls(impl_->tls_->native_handle(), options, impl_->chain_);
  impl_->certificate_end_ = session.certificate_end;
  add_step(session.text);
  if (!session.fault.empty()) co_return result(CheckCode::kL6Response, session.fault);
  co_return std::nullopt;
}

asio::awaitable<StreamStatus> ProbeStream::send(std::string bytes) {
  if (impl_->is_late_) co_return StreamStatus::kTimedOut;
  const auto buffer = asio::buffer(std::as_const(bytes));
  Code error;
  if (impl_->tls_) {
    error = std::get<0>(co_await asio::async_write(*impl_->tls_, buffer, kAsTuple));
  } else {
    error = std::get<0>(co_await asio::async_write(impl_->socket_, buffer, kAsTuple));
  }
  const StreamStatus status = impl_->status_of(error);
  if (status == StreamStatus::kDone) add_step(fmt::format("sent {} bytes", bytes.size()));
  co_return status;
}

asio::awaitable<StreamStatus> ProbeStream::read_some(std::string& bytes, std::size_t most) {
  if (impl_->is_late_) co_return StreamStatus::kTimedOut;
  const std::size_t before = bytes.size();
  bytes.resize(before + most);
  const auto buffer = asio::buffer(bytes.data() + before, most);
  Code error;
  std::size_t count = 0;
  if (impl_->tls_) {
    std::tie(error, count) = co_await impl_->tls_->async_read_some(buffer, kAsTuple);
  } else {
    std::tie(error, count) = co_await impl_->socket_.async_read_some(buffer, kAsTuple);
  }
  const StreamStatus status = impl_->status_of(error);
  bytes.resize(status == StreamStatus::kDone ? before + count : before);
  co_return status;
}

void ProbeStream::set_limit(std::optional<std::chrono::milliseconds> limit) { impl_->set_limit(limit); }

asio::awaitable<void> ProbeStream::part() {
  Code ignored;
  impl_->socket_.shutdown(Tcp::socket::shutdown_send, ignored);
  std::string bytes;
  while (co_await read_some(bytes, kPartBytes) == StreamStatus::kDone) bytes.clear();
}

void ProbeStream::end() { impl_->end(); }

const std::string& ProbeStream::why() const { return impl_->why_; }

CheckResult ProbeStream::result(CheckCode code, const std::string& text) const {
  CheckResult made = make_result(code, began_, text);
  made.certificate_end = impl_->certificate_end_;
  return made;
}

CheckResult ProbeStream::failure(StreamStatus status, const std::string& doing) const {
  switch (status) {
    case StreamStatus::kTimedOut:
      return result(CheckCode::kL7Timeout, "timed out " + doing);
    case StreamStatus::kBroken:
      return result(impl_->is_tls_broken_ ? CheckCode::kL6Response : CheckCode::kL7Response, impl_->why_ + " " + doing);
    case StreamStatus::kEnded:
    case StreamStatus::kDone:
      break;
  }
  return result(CheckCode::kL7Response, "connection ended " + doing);
}

}  // namespace xdplb
