// SPDX-License-Identifier: GPL-2.0-only
// VipaService: runs the machine of every VIPA: hears, answers, asks and announces ARP and ND for them.
#pragma once

#include "base/result.h"
#include "model/vipa_machine.h"
#include "net/address.h"
#include "vipa/answer.h"

#include <boost/asio/io_context.hpp>

#include <array>
#include <chrono>
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
  bool is_up = false;  // wanted up and has carrier
  // Source of the IPv6 announcements and questions; without one announcements come from the VIPA itself, questions
  // from ::.
  std::optional<IpAddress> link_local;
  std::optional<IpAddress> own_v4{};  // source of questions who answers; without one 0.0.0.0 is
  bool operator==(const VipaInterface&) const = default;
};

// One VIPA as it shall be.
struct ManagedVipa {
  IpAddress address;
  VipaRules rules{};
  std::vector<VipaEntry> entries{};  // of interfaces given by set_interfaces, or with ifindex 0
};

// A machine that is told of moves by a frame of its own: a gateway, a reach target.
struct KnownNeighbour {
  IpAddress address;
  MacAddress mac;
  std::uint32_t ifindex = 0;  // where its LAN is
};

// Another machine claims a VIPA: an ARP packet with it as sender, or an advertisement or solicitation for it.
struct VipaConflict {
  IpAddress address;
  std::uint32_t ifindex = 0;   // where it was heard
  MacAddress mac;              // of the claimant
  bool is_answer = false;      // it answered our question
  bool is_own_kernel = false;  // this host's own kernel answers beside us: `mac` is one of ours
};

// One claimant as heard so far.
struct ClaimHeard {
  MacAddress mac;
  std::uint32_t ifindex = 0;  // where it was heard last
  std::uint64_t count = 0;
  std::chrono::steady_clock::time_point last;
  bool is_own_kernel = false;
  bool is_expected = false;  // no conflict: see on_conflict
};

struct VipaCounters {
  std::uint64_t requests = 0;                                   // questions for a VIPA
  std::uint64_t answers = 0;                                    // replies sent
  std::uint64_t healed = 0;                                     // of them: to a question sent to a former owner
  std::array<std::uint64_t, kSilenceReasonCount> suppressed{};  // by SilenceReason; kNotForVipa is not counted
  std::uint64_t announcements = 0;                              // frames of announcements sent, unicast ones, too
  std::uint64_t probes = 0;                                     // frames of probes and watches sent
  std::uint64_t send_errors = 0;                                // frames the kernel did not take
  std::uint64_t conflicts = 0;                                  // claims heard
};

struct VipaStatus {
  IpAddress address;
  VipaReport report;
  std::uint64_t requests = 0;
  std::uint64_t answers = 0;
  std::uint64_t announcements = 0;  // frames
  std::optional<std::chrono::steady_clock::time_point> last_announcement{};
  // From the event of the last move or claim to its first announcement; absent before the first one left.
  std::optional<std::chrono::nanoseconds> event_to_announcement{};
  std::vector<ClaimHeard> claims{};  // the latest 8 claimants, last heard first
};

// One packet socket pair an interface; the cost of a question does not grow with the number of VIPAs (I9). Not
// thread-safe: everything runs on the io_context's thread. Needs CAP_NET_RAW.
class VipaService {
 public:
  using Clock = std::chrono::steady_clock;
  using ConflictHandler = std::function<void(const VipaConflict&)>;
  using EventHandler = std::function<void(const IpAddress&, const TellEvent&)>;
  // A frame was not taken by the kernel.
  using SendErrorHandler = std::function<void(const std::string& interface, int error_number)>;

  // Opens nothing on the network yet. The io_context must outlive the service. Errors: os_error.
  static Result<std::unique_ptr<VipaService>> open(boost::asio::io_context& io);
  ~VipaService();  // silence at once; there is no goodbye in ARP
  VipaService(const VipaService&) = delete;
  VipaService& operator=(const VipaService&) = delete;

  // Handlers are called from the io_context, never from within a call of this object; they may call it.
  // For a foreign claim, for the same VIPA and MAC at most once every 10 s. What other machines say of a backup's or a
  // disabled VIPA is no conflict, nor is an answer for a routed one or any frame of who answered for it last: report()
  // tells who that is.
  void on_conflict(ConflictHandler handler);
  void on_event(EventHandler handler);
  void on_send_error(SendErrorHandler handler);

  // The whole list of interfaces; one that is missing goes silent at once. What has a new MAC announces the VIPAs it
  // owns again. Call it before set_vipas when both change: the frames leave after both. Idempotent; an interface whose
  // sockets could not be opened is tried again by the next call. Returns the first interface's failure; the others are
  // served.
  Result<void> set_interfaces(const std::vector<VipaInterface>& interfaces);

  // The whole list of VIPAs, each once. What lost an interface stops there before what gained one announces, over all
  // VIPAs. Idempotent. Takes effect at return, as far as probes need not come first; announcements follow as
  // announce_schedule.h says, at most 200 frames a second an interface, the first pair of every VIPA before any second.
  //
  // event_at  when what caused this was heard, for VipaStatus::event_to_announcement
  void set_vipas(const std::vector<ManagedVipa>& vipas, Clock::time_point event_at);

  // The kernel says that what is behind an interface moved (a bond's active member): its VIPAs are announced again.
  void announce_again(std::uint32_t ifindex);

  // Told of moves by unicast, besides those who asked lately (at most 64 an interface).
  void set_neighbours(const std::vector<KnownNeighbour>& neighbours);

  // MACs of this host beyond the interfaces': a frame from one of them is an echo, never a conflict.
  void set_own_macs(const std::vector<MacAddress>& macs);

  // Asks, as any host would, who answers for a VIPA that an interface of ours owns: whoever does is heard as a claim.
  // Without effect for others.
  void ask(const IpAddress& vipa);

  // The operator. Errors: kNotFound when the VIPA is not one; as VipaMachine.
  Result<void> move_to(const IpAddress& vipa, const std::string& entry);
  Result<void> resume(const IpAddress& vipa);
  Result<void> set_disabled(const IpAddress& vipa, bool is_disabled);
  // What the operator said before a restart: call it before the set_vipas that brings the VIPA.
  void restore(const IpAddress& vipa, bool is_disabled, const std::string& pinned);

  const VipaCounters& counters() const;
  std::vector<VipaStatus> status() const;  // ordered by address
  std::optional<VipaStatus> status(const IpAddress& vipa) const;

 private:
  class Impl;
  explicit VipaService(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace xdplb
