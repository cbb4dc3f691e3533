// SPDX-License-Identifier: GPL-2.0-only
#include "host/host_monitor.h"

#include "base/log.h"
#include "host/host_tables.h"
#include "host/neighbor_keeper.h"
#include "host/netlink_socket.h"

#include <linux/rtnetlink.h>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <array>
#include <chrono>
#include <deque>
#include <utility>

namespace xdplb {
namespace {

namespace asio = boost::asio;

constexpr unsigned kDatagramsAWake = 256;    // then the other handlers of the loop get their turn
constexpr unsigned kTurnsBeforeADump = 64;   // an endless stream of events must not put the dump off for ever
constexpr std::size_t kRequestsASend = 256;  // the kernel works them off within the send: some 100 microseconds
constexpr auto kTick = std::chrono::seconds(1);
constexpr unsigned kTicksPerReconcile = 5;
constexpr std::array<std::uint16_t, 3> kTables = {RTM_GETLINK, RTM_GETADDR, RTM_GETNEIGH};
constexpr std::array<unsigned, 4> kGroups = {RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_NEIGH};

}  // namespace

// Shared with the pending handlers, which hold it weakly: closing the monitor ends them.
class HostMonitor::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(asio::io_context& io, NetlinkSocket events, NetlinkSocket dumps, NetlinkSocket requests)
      : events_(std::move(events)),
        dumps_(std::move(dumps)),
        requests_(std::move(requests)),
        events_ready_(io, events_.fd()),
        requests_ready_(io, requests_.fd()),
        timer_(io),
        keeper_(tables_) {}

  // Ownership of the descriptors stays with the NetlinkSockets.
  ~Impl() {
    events_ready_.release();
    requests_ready_.release();
  }

  Result<void> start() {
    if (auto dumped = reconcile(); !dumped) return dumped.error();
    wait_for_events();
    wait_for_refusals();
    timer_.expires_after(kTick);
    wait_for_tick();
    return {};
  }

  void close() {
    handler_ = nullptr;
    timer_.cancel();
    boost::system::error_code ignored;
    events_ready_.cancel(ignored);
    requests_ready_.cancel(ignored);
  }

  void set_handler(ChangeHandler handler) { handler_ = std::move(handler); }
  const HostTables& tables() const { return tables_; }

  Result<void> keep(const NeighborKey& key) {
    if (tables_.find_link(key.ifindex) == nullptr) {
      return fail(ErrorCode::kNotFound,
                  "neighbour " + key.address.to_string() + ": no interface with index " + std::to_string(key.ifindex));
    }
    keeper_.keep(key);
    schedule_flush();
    return {};
  }

  void release(const NeighborKey& key) {
    keeper_.release(key);
    schedule_flush();
  }

  std::optional<Error> keep_failure(const NeighborKey& key) const { return keeper_.failure(key); }

  Result<void> refresh() {
    read_all_events();
    return reconcile();
  }

 private:
  void publish(const HostChange& change) {
    keeper_.note(change);
    if (handler_) handler_(change);
  }

  // From the inbox, so that a handler that refreshes meanwhile has nothing older behind it.
  void take_events() {
    while (!inbox_.empty()) {
      NetlinkMessage message = std::move(inbox_.front());
      inbox_.pop_front();
      if (auto change = tables_.apply(message)) publish(*change);
      if (auto event = tables_.side_event(message)) publish(*event);
    }
  }

  Result<void> reconcile() {
    std::array<std::vector<NetlinkMessage>, 3> dumped;
    for (std::size_t i = 0; i < kTables.size(); ++i) {
      auto table = dumps_.dump(kTables[i]);
      if (!table) return table.error();
      dumped[i] = std::move(*table);
    }
    for (const auto& change : tables_.replace(dumped[0], dumped[1], dumped[2])) publish(change);
    schedule_flush();
    return {};
  }

  NetlinkSocket::Reading take_datagrams() {
    auto reading = events_.receive(kDatagramsAWake, [this](NetlinkMessage message) {
      if (!std::holds_alternative<std::monostate>(message)) inbox_.push_back(std::move(message));
    });
    take_events();
    schedule_flush();
    if (reading) return *reading;
    log_warning(reading.error().message);
    return NetlinkSocket::Reading::kEmpty;
  }

  void read_events() {
    if (take_datagrams() != NetlinkSocket::Reading::kLost) return;
    // The kernel says so ahead of what it kept, and drops all that comes before the queue is empty.
    read_all_events();
    repair();
  }

  // Until nothing waits: it is older than the dump that follows and would undo it for a moment.
  void read_all_events() {
    for (unsigned turn = 0; turn < kTurnsBeforeADump; ++turn) {
      if (take_datagrams() == NetlinkSocket::Reading::kEmpty) return;
    }
  }

  void repair() {
    if (auto dumped = reconcile(); !dumped) log_warning(dumped.error().message);
  }

  void wait_for_events() {
    events_ready_.async_wait(asio::posix::stream_descriptor::wait_read,
                             [weak = weak_from_this()](const boost::system::error_code& error) {
                               auto self = weak.lock();
                               if (error || !self) return;
                               self->read_events();
                               self->wait_for_events();
                             });
  }

  void wait_for_refusals() {
    requests_ready_.async_wait(asio::posix::stream_descriptor::wait_read,
                               [weak = weak_from_this()](const boost::system::error_code& error) {
                                 auto self = weak.lock();
                                 if (error || !self) return;
                                 self->read_refusals();
                                 self->wait_for_refusals();
                               });
  }

  void read_refusals() {
    auto reading = requests_.receive(kDatagramsAWake, [this](const NetlinkMessage& message) {
      const auto* refusal = std::get_if<RefusalMessage>(&message);
      if (refusal != nullptr && refusal->neighbor) keeper_.note_refusal(*refusal->neighbor, refusal->number);
    });
    if (!reading) log_warning(reading.error().message);
    schedule_flush();
  }

  void wait_for_tick() {
    timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
      auto self = weak.lock();
      if (error || !self) return;
      self->tick();
      self->timer_.expires_after(kTick);
      self->wait_for_tick();
    });
  }

  void tick() {
    if (++ticks_ % kTicksPerReconcile == 0) {
      read_all_events();
      repair();
    }
    keeper_.tick();
    schedule_flush();
  }

  void schedule_flush() {
    if (is_flush_pending_ || !keeper_.has_requests()) return;
    is_flush_pending_ = true;
    asio::post(timer_.get_executor(), [weak = weak_from_this()] {
      if (auto self = weak.lock()) self->flush();
    });
  }

  void flush() {
    is_flush_pending_ = false;
    std::vector<std::uint8_t> bytes;
    auto batch = keeper_.take_requests(kRequestsASend);
    for (const auto& request : batch) append_neighbor_request(bytes, request);
    if (auto sent = requests_.send(bytes); !sent) log_warning(sent.error().message);  // the next tick asks again
    read_refusals();
  }

  NetlinkSocket events_;
  NetlinkSocket dumps_;
  NetlinkSocket requests_;
  asio::posix::stream_descriptor events_ready_;
  asio::posix::stream_descriptor requests_ready_;
  asio::steady_timer timer_;
  HostTables tables_;
  NeighborKeeper keeper_;
  std::deque<NetlinkMessage> inbox_;  // read, not yet taken in
  ChangeHandler handler_;
  bool is_flush_pending_ = false;
  unsigned ticks_ = 0;
};

HostMonitor::HostMonitor(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

HostMonitor::~HostMonitor() { impl_->close(); }

Result<std::unique_ptr<HostMonitor>> HostMonitor::open(asio::io_context& io) {
  auto events = NetlinkSocket::open(kGroups);
  if (!events) return events.error();
  auto dumps = NetlinkSocket::open({});
  if (!dumps) return dumps.error();
  auto requests = NetlinkSocket::open({});
  if (!requests) return requests.error();
  auto impl = std::make_shared<Impl>(io, std::move(*events), std::move(*dumps), std::move(*requests));
  if (auto started = impl->start(); !started) return started.error();
  return std::unique_ptr<HostMonitor>(new HostMonitor(std::move(impl)));
}

void HostMonitor::on_change(ChangeHandler handler) { impl_->set_handler(std::move(handler)); }

Result<void> HostMonitor::refresh() { return impl_->refresh(); }

const std::map<std::uint32_t, Link>& HostMonitor::links() const { return impl_->tables().links(); }

const Link* HostMonitor::find_link(std::string_view name) const { return impl_->tables().find_link(name); }

const Link* HostMonitor::find_link(std::uint32_t index) const { return impl_->tables().find_link(index); }

const std::vector<InterfaceAddress>& HostMonitor::addresses() const { return impl_->tables().addresses(); }

const Neighbor* HostMonitor::find_neighbor(std::uint32_t ifindex, const IpAddress& address) const {
  return impl_->tables().find_neighbor({.ifindex = ifindex, .address = address});
}

Result<void> HostMonitor::keep_neighbor(std::uint32_t ifindex, const IpAddress& address) {
  return impl_->keep({.ifindex = ifindex, .address = address});
}

void HostMonitor::release_neighbor(std::uint32_t ifindex, const IpAddress& address) {
  impl_->release({.ifindex = ifindex, .address = address});
}

std::optional<Error> HostMonitor::keep_failure(std::uint32_t ifindex, const IpAddress& address) const {
  return impl_->keep_failure({.ifindex = ifindex, .address = address});
}

}  // namespace xdplb
