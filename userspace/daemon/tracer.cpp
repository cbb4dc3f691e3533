// SPDX-License-Identifier: GPL-2.0-only
#include "daemon/tracer.h"

#include "base/log.h"
#include "daemon/object_views.h"
#include "dataplane/outcome_names.h"
#include "net/packet_summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <map>
#include <span>
#include <string_view>

namespace xdplb {
namespace {

using nlohmann::json;

constexpr auto kReadEvery = std::chrono::milliseconds(50);

struct HowName {
  unsigned bit;
  std::string_view name;
};
constexpr std::array<HowName, 8> kHowNames{{{XDPLB_HOW_ROW, "row"},
                                            {XDPLB_HOW_BASE, "base"},
                                            {XDPLB_HOW_FLOW, "flow"},
                                            {XDPLB_HOW_RECORDED, "recorded"},
                                            {XDPLB_HOW_REFUSED, "refused"},
                                            {XDPLB_HOW_CLIENT, "client"},
                                            {XDPLB_HOW_FRAGMENT, "fragment"},
                                            {XDPLB_HOW_INNER, "inner"}}};

json how_view(unsigned how) {
  json names = json::array();
  for (const auto& [bit, name] : kHowNames)
    if ((how & bit) != 0) names.push_back(name);
  return names;
}

std::string hex(std::span<const std::uint8_t> bytes) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * bytes.size());
  for (const auto byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

// All of them when none is named.
Result<std::uint64_t> mask_of(const std::vector<std::string>& names) {
  std::uint64_t mask = 0;
  for (const auto& outcome : outcome_names()) {
    const bool is_named = std::find(names.begin(), names.end(), outcome.name) != names.end();
    if (names.empty() || is_named) mask |= std::uint64_t{1} << outcome.outcome;
  }
  for (const auto& name : names) {
    const auto& known = outcome_names();
    if (std::none_of(known.begin(), known.end(), [&](const OutcomeName& one) { return one.name == name; }))
      return fail(ErrorCode::kUsage, fmt::format("\"{}\" is no outcome; `xdplb drops` lists those there are", name));
  }
  return mask;
}

json endpoint_view(const std::optional<IpAddress>& address, const std::optional<std::uint16_t>& port) {
  if (!address) return nullptr;
  return port ? Endpoint{.address = *address, .port = *port}.to_string() : address->to_string();
}

// Nanoseconds to add to the monotonic clock to have the time of day.
std::int64_t wall_clock_offset_ns() {
  timespec wall{}, monotonic{};
  ::clock_gettime(CLOCK_REALTIME, &wall);
  ::clock_gettime(CLOCK_MONOTONIC, &monotonic);
  return (wall.tv_sec - monotonic.tv_sec) * 1'000'000'000 + (wall.tv_nsec - monotonic.tv_nsec);
}

// Servers and ports by the indexes that records carry.
struct Names {
  explicit Names(const Plan& plan) : servers(server_paths(plan)) {
    for (const auto& [name, cluster] : plan.clusters)
      for (const auto& [path, port] : cluster.ports)
        for (const auto index : port->options)
          if (index != 0) ports.emplace(index, path);
  }
  // nullptr where there is none of this index.
  const ServerPath* server(const xdplb_trace_record& record) const {
    const auto found = servers.find(record.server);
    return found == servers.end() ? nullptr : &found->second;
  }
  const PortPath* port(const xdplb_trace_record& record) const {
    if (const auto* path = server(record)) return &path->port;
    const auto found = ports.find(record.options);
    return found == ports.end() ? nullptr : &found->second;
  }

  std::map<std::uint16_t, ServerPath> servers;
  std::map<std::uint32_t, PortPath> ports;
};

template <typename Path>
json path_view(const Path* path) {
  return path != nullptr ? json(path->to_string()) : json(nullptr);
}

json record_view(std::uint64_t id, const xdplb_trace_record& record, const Names& names, const InterfaceName& name,
                 std::int64_t offset_ns) {
  const std::span<const std::uint8_t> frame(record.frame, std::min<std::size_t>(record.captured, XDPLB_TRACE_BYTES));
  const auto packet = summarize_packet(frame);
  const bool is_known = record.outcome > 0 && record.outcome < XDPLB_OUTCOME_COUNT;
  const auto* outcome = is_known ? &name_of(static_cast<xdplb_outcome>(record.outcome)) : nullptr;
  return {{"id", id},
          {"time_ns", static_cast<std::int64_t>(record.time_ns) + offset_ns},
          {"interface", name(record.ifindex)},
          {"outcome", outcome != nullptr ? json(outcome->name) : json(nullptr)},
          {"verdict", outcome != nullptr ? json(outcome->verdict) : json(nullptr)},
          {"port", path_view(names.port(record))},
          {"server", path_view(names.server(record))},
          {"how", how_view(record.how)},
          {"source", endpoint_view(packet.source, packet.source_port)},
          {"destination", endpoint_view(packet.destination, packet.destination_port)},
          {"protocol", packet.protocol},
          {"tcp_flags", tcp_flags_text(packet.tcp_flags)},
          {"length", record.length},
          {"frame", hex(frame)}};
}

}  // namespace

Result<void> Tracer::start(std::uint64_t outcomes, std::uint32_t sample, Forwarding& forwarding) {
  if (forwarding_ == nullptr) {
    auto ring = TraceRing::open(forwarding.trace_descriptor(), [this](const xdplb_trace_record& record) {
      records_.push_back({.id = ++last_id_, .record = record});
      if (records_.size() > kKept) records_.pop_front();
    });
    if (!ring) return ring.error();
    ring_ = std::move(*ring);
    // Records of an earlier trace answer an earlier question.
    if (auto read = ring_->read(); !read) return read;
    records_.clear();
  }
  if (forwarding_ == nullptr || outcomes != outcomes_ || sample != sample_) {
    if (auto set = forwarding.set_trace(outcomes, sample); !set) return set;
    outcomes_ = outcomes;
    sample_ = sample;
  }
  if (forwarding_ == nullptr) {
    forwarding_ = &forwarding;
    read_soon();
  }
  return {};
}

Reply Tracer::poll(const TraceRequest& request, Forwarding& forwarding, const InterfaceName& name) {
  const auto outcomes = mask_of(request.outcomes);
  if (!outcomes) return outcomes.error();
  asked_ = std::chrono::steady_clock::now();
  if (auto started = start(*outcomes, request.sample, forwarding); !started) return started.error();
  read();
  const auto offset_ns = wall_clock_offset_ns();
  const Names names(forwarding.plan());
  json list = json::array();
  for (const auto& [id, record] : records_)
    if (id > request.after) list.push_back(record_view(id, record, names, name, offset_ns));
  return make_reply({{"last", last_id_}, {"records", std::move(list)}});
}

void Tracer::read() {
  if (auto good = ring_->read(); !good) log_warning(good.error().message);
}

void Tracer::read_soon() {
  timer_.expires_after(kReadEvery);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error || forwarding_ == nullptr) return;
    if (std::chrono::steady_clock::now() - asked_ > kLease) {
      stop();
      return;
    }
    read();
    read_soon();
  });
}

void Tracer::stop() {
  timer_.cancel();
  if (forwarding_ == nullptr) return;
  if (auto set = forwarding_->set_trace(0, 1); !set) log_warning(set.error().message);
  forwarding_ = nullptr;
  ring_.reset();
  records_.clear();
}

}  // namespace xdplb
