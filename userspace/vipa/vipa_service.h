// SPDX-License-Identifier: GPL-2.0-only
// VipaService: answers and announces ARP and ND for the VIPAs, by the elections it is given.
#pragma once

#include "base/result.h"
#include "model/vipa_election.h"
#include "net/address.h"
#include "vipa/answer.h"

#include <boost/asio/io_context.hpp>

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace xdplb {

// An interface the service listens on.
struct VipaInterface {
  std::uint32_t ifindex = 0;
  std::string name;
  MacAddress mac;
  bool is_up = false;                   // wanted up and has carrier
  std::optional<IpAddress> link_local;  // source of the IPv6 announcements; without one the VIPA itself is
  bool operator==(const VipaInterface&) const = default;
};

struct OwnedVipa {
  IpAddress address;
  Election election;
};

// Another machine claims a VIPA: an ARP packet with it as sender, or an advertisement or solicitation for it.
struct VipaConflict {
  IpAddress address;
  std::uint32_t ifindex = 0;  // where it was heard
  MacAddress mac;             // of the claimant
};

struct VipaCounters {
  std::uint64_t requests = 0;                                   // questions for a VIPA
  std::uint64_t answers = 0;                                    // replies sent
  std::array<std::uint64_t, kSilenceReasonCount> suppressed{};  // by SilenceReason; kNotForVipa is not counted
  std::uint64_t announcements = 0;                              // frames of announcements sent
  std::uint64_t send_errors = 0;                                // replies and announcements the kernel did not take
  std::uint64_t conflicts = 0;                                  // claims heard
};

struct VipaStatus {
  IpAddress address;
  Election election;
  std::uint64_t answers = 0;
  std::uint64_t announcements = 0;  // frames
  std::uint64_t conflicts = 0;
  std::optional<MacAddress> last_claimant;
};

// One packet socket pair an interface; the cost of a question does not grow with the number of VIPAs (I9). Not
// thread-safe: everything runs on the io_context's thread. Needs CAP_NET_RAW.
class VipaService {
 public:
  using ConflictHandler = std::function<void(const VipaConflict&)>;

  // Opens nothing on the network yet. The io_context must outlive the service. Errors: os_error.
  static Result<std::unique_ptr<VipaService>> open(boost::asio::io_context& io);
  ~VipaService();  // silence at once; there is no goodbye in ARP
  VipaService(const VipaService&) = delete;
  VipaService& operator=(const VipaService&) = delete;

  // Called for a foreign claim, for the same VIPA and MAC at most once every 10 s.
  void on_conflict(ConflictHandler handler);

  // The whole list of interfaces; one that is missing goes silent at once. What is up again or has a new MAC announces
  // the VIPAs it owns. Call it before set_vipas when both change: the frames leave after both. Idempotent; an interface
  // whose sockets could not be opened is tried again by the next call. Returns the first interface's failure; the
  // others are served.
  Result<void> set_interfaces(const std::vector<VipaInterface>& interfaces);

  // The whole list of VIPAs, each once, with its election. What lost an interface stops there before what gained one
  // announces. Idempotent: an election that decides the same sends nothing. Takes effect at return; announcements
  // follow at 0, 1.1, 2.2, 3.3, 4.4, 10 and 30 s, at most 200 frames a second an interface.
  void set_vipas(const std::vector<OwnedVipa>& vipas);

  // MACs of this host beyond the interfaces': a frame from one of them is an echo, never a conflict.
  void set_own_macs(const std::vector<MacAddress>& macs);

  const VipaCounters& counters() const;
  std::vector<VipaStatus> status() const;  // ordered by address

 private:
  class Impl;
  explicit VipaService(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace xdplb
