// SPDX-License-Identifier: GPL-2.0-only
#include "advisors/probe_datagrams.h"

#include "advisors/probe_tools.h"
#include "advisors/socket_address.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cerrno>
#include <cstring>
#include <utility>

namespace xdplb {
namespace {

namespace asio = boost::asio;
using Udp = asio::ip::udp;
using Code = boost::system::error_code;

DatagramStatus status_of(int number) {
  switch (number) {
    case 0:
      return DatagramStatus::kDone;
    case ECONNREFUSED:
      return DatagramStatus::kRefused;
    case EHOSTUNREACH:
    case ENETUNREACH:
      return DatagramStatus::kUnreachable;
    default:
      return DatagramStatus::kBroken;
  }
}

}  // namespace

class ProbeDatagrams::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(ProbeTools& tools, const ProbeTarget& target) : target_(target), socket_(tools.io()), timer_(tools.io()) {}

  // Nothing, or what failed with which errno.
  const char* open(int& number) {
    Code error;
    socket_.open(target_.destination.is_v4() ? Udp::v4() : Udp::v6(), error);
    number = error.value();
    if (error) return "open a socket";
    number = set_mark(socket_.native_handle(), target_.mark);
    if (number != 0) return "mark a socket";
    socket_.connect({asio_address(target_.destination), target_.port}, error);
    number = error.value();
    return error ? "connect a socket" : nullptr;
  }

  void set_limit(std::chrono::milliseconds limit) {
    timer_.expires_after(limit);
    timer_.async_wait([weak = weak_from_this()](const Code& error) {
      const auto self = weak.lock();
      if (error || !self) return;
      self->is_late_ = true;
      self->close();
    });
  }

  void close() {
    Code ignored;
    socket_.close(ignored);
  }

  void end() {
    timer_.cancel();
    close();
  }

  ProbeTarget target_;
  Udp::socket socket_;
  asio::steady_timer timer_;
  int number_ = 0;  // errno of the last failure
  bool is_late_ = false;
};

ProbeDatagrams::ProbeDatagrams(ProbeTools& tools, const ProbeTarget& target, ProbeLog* log)
    : impl_(std::make_shared<Impl>(tools, target)), log_(log), began_(ProbeClock::now()) {}

ProbeDatagrams::~ProbeDatagrams() { impl_->end(); }

std::optional<CheckResult> ProbeDatagrams::send(const std::string& bytes, std::chrono::milliseconds limit) {
  int& number = impl_->number_;
  if (const char* attempt = impl_->open(number)) {
    return result(CheckCode::kSocketError, std::string(attempt) + ": " + std::strerror(number));
  }
  Code error;
  impl_->socket_.non_blocking(true, error);
  impl_->socket_.send(asio::buffer(bytes), 0, error);
  number = error.value();
  const DatagramStatus status = status_of(number);
  if (status != DatagramStatus::kDone) return failure(status);
  add_step("sent " + std::to_string(bytes.size()) + " bytes");
  impl_->set_limit(limit);
  return std::nullopt;
}

asio::awaitable<DatagramStatus> ProbeDatagrams::receive(std::string& bytes) {
  if (impl_->is_late_) co_return DatagramStatus::kTimedOut;
  bytes.resize(kMaxDatagram);
  const auto buffer = asio::buffer(bytes);
  const auto [error, size] = co_await impl_->socket_.async_receive(buffer, asio::as_tuple(asio::use_awaitable));
  bytes.resize(error ? 0 : size);
  if (impl_->is_late_) co_return DatagramStatus::kTimedOut;
  impl_->number_ = error.value();
  co_return status_of(error.value());
}

CheckResult ProbeDatagrams::failure(DatagramStatus status) const {
  switch (status) {
    case DatagramStatus::kRefused:
      return result(CheckCode::kL4Refused, "ICMP port unreachable");
    case DatagramStatus::kUnreachable:
      return result(CheckCode::kL3Unreachable, std::strerror(impl_->number_));
    default:
      return result(CheckCode::kSocketError, std::strerror(impl_->number_));
  }
}

}  // namespace xdplb
