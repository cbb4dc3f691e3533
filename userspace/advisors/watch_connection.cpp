// SPDX-License-Identifier: GPL-2.0-only
#include "advisors/watch_connection.h"

#include "advisors/socket_address.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <array>
#include <utility>

namespace xdplb {
namespace {

namespace asio = boost::asio;
using Tcp = asio::ip::tcp;
using Code = boost::system::error_code;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kMaxGreeting = 65536;  // a server that talks on and on costs more than it tells

}  // namespace

class WatchConnection::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(asio::io_context& io, EndHandler on_end) : socket_(io), timer_(io), on_end_(std::move(on_end)) {}

  void open(const ProbeTarget& target, std::chrono::milliseconds connect_timeout) {
    Code error;
    socket_.open(target.destination.is_v4() ? Tcp::v4() : Tcp::v6(), error);
    if (!error) socket_.set_option(Tcp::socket::linger(true, 0), error);
    if (!error && set_mark(socket_.native_handle(), target.mark) != 0) error = asio::error::no_permission;
    // The limit is also what tells a failure to open: never from within the constructor.
    timer_.expires_after(error ? std::chrono::milliseconds(0) : connect_timeout);
    timer_.async_wait([weak = weak_from_this()](const Code& stopped) {
      const auto self = weak.lock();
      if (self && !stopped && !self->is_connected_) self->end();
    });
    if (error) return;
    socket_.async_connect({asio_address(target.destination), target.port},
                          [weak = weak_from_this()](const Code& failed) {
                            if (const auto self = weak.lock()) self->take_connect(failed);
                          });
  }

  // Ends without a word.
  void close() {
    on_end_ = nullptr;
    timer_.cancel();
    Code ignored;
    socket_.close(ignored);
  }

  bool is_connected() const { return is_connected_; }

 private:
  void take_connect(const Code& failed) {
    if (on_end_ == nullptr) return;
    if (failed) return end();
    timer_.cancel();
    is_connected_ = true;
    connected_at_ = Clock::now();
    read();
  }

  void read() {
    socket_.async_read_some(asio::buffer(greeting_), [weak = weak_from_this()](const Code& ended, std::size_t size) {
      const auto self = weak.lock();
      if (!self || self->on_end_ == nullptr) return;
      self->heard_ += size;
      if (ended || self->heard_ > kMaxGreeting) return self->end();
      self->read();
    });
  }

  void end() {
    const EndHandler on_end = std::exchange(on_end_, nullptr);
    const auto lived = is_connected_ ? Clock::now() - connected_at_ : Clock::duration{};
    is_connected_ = false;
    close();
    if (on_end) on_end(lived);
  }

  Tcp::socket socket_;
  asio::steady_timer timer_;
  EndHandler on_end_;
  std::array<char, 256> greeting_{};
  std::size_t heard_ = 0;
  Clock::time_point connected_at_{};
  bool is_connected_ = false;
};

WatchConnection::WatchConnection(asio::io_context& io, const ProbeTarget& target,
                                 std::chrono::milliseconds connect_timeout, EndHandler on_end)
    : impl_(std::make_shared<Impl>(io, std::move(on_end))) {
  impl_->open(target, connect_timeout);
}

WatchConnection::~WatchConnection() { impl_->close(); }

bool WatchConnection::is_connected() const { return impl_->is_connected(); }

}  // namespace xdplb
