// SPDX-License-Identifier: GPL-2.0-only
#include "doctor/doctor_judge.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace xdplb {
namespace {

constexpr std::string_view kOwnProgram = "xdplb_dispatch";
constexpr std::string_view kLibxdp = "xdp_dispatcher";

// Judges one interface.
class Judge {
 public:
  Judge(const DoctorNeeds& needs, const InterfaceFacts& facts, const CpuFacts& cpus, bool has_others)
      : needs_(needs), facts_(facts), cpus_(cpus), has_others_(has_others) {}

  std::vector<Check> run() {
    if (!facts_.link) {
      bad(Verdict::kFailure, "interface_missing", "there is no interface of this name in this network namespace",
          "ip link show");
      return std::move(checks_);
    }
    judge_link();
    judge_programs();
    judge_xdp();
    if (facts_.driver) judge_driver(*facts_.driver);
    judge_mtu();
    return std::move(checks_);
  }

 private:
  void good(const char* code, std::string text) { checks_.push_back(well(code, facts_.name, std::move(text))); }
  void bad(Verdict verdict, const char* code, std::string text, std::string remedy) {
    checks_.push_back({.code = code,
                       .object = facts_.name,
                       .verdict = verdict,
                       .text = std::move(text),
                       .remedy = std::move(remedy)});
  }
  std::string command(const char* format) const { return fmt::format(fmt::runtime(format), facts_.name); }
  // Our own program is there already, alone or in libxdp's dispatcher.
  bool runs_here() const { return (facts_.is_ours && facts_.program == kOwnProgram) || is_chained(); }
  bool is_chained() const { return std::count(facts_.chain.begin(), facts_.chain.end(), kOwnProgram) != 0; }
  bool has_program_of_ours() const { return facts_.program == kOwnProgram; }

  void judge_link() {
    if (!facts_.link->is_up)
      return bad(Verdict::kFailure, "interface_down", "it is down", command("ip link set dev {} up"));
    if (!facts_.link->has_carrier)
      return bad(Verdict::kFailure, "interface_down", "it has no carrier: cable, switch port or peer",
                 command("ethtool {}"));
    good("interface_down", "it is up and has a carrier");
  }

  void judge_programs() {
    const auto& programs = facts_.programs;
    if (programs.is_free()) return good("other_xdp", "no XDP program is in the way");
    if (is_chained())
      return good("other_xdp", fmt::format("libxdp's dispatcher runs {}", fmt::join(facts_.chain, ", then ")));
    if (runs_here()) return good("other_xdp", "the program of this instance is on it, and no other");
    if (has_program_of_ours())
      return bad(Verdict::kFailure, "other_xdp", "another instance of xdplb forwards on it, or a forgotten one",
                 command("ls /sys/fs/bpf/xdplb  # then: xdplb --instance NAME unload {}"));
    if (facts_.program == kLibxdp)
      return bad(Verdict::kWarning, "other_xdp",
                 "libxdp's dispatcher is on it: xdplb runs in it by `load --chain` alone",
                 command("xdplb load --chain {}"));
    const auto name = facts_.program.empty() ? "whose name is not to be known" : "\"" + facts_.program + "\"";
    const char* mode = programs.native != 0 ? "xdpdrv" : programs.generic != 0 ? "xdpgeneric" : "xdpoffload";
    bad(Verdict::kFailure, "other_xdp", fmt::format("another XDP program, {}, is on it: nothing runs beside it", name),
        fmt::format("ip link set dev {} {} off", facts_.name, mode));
  }

  void judge_xdp() {
    if (runs_here() || facts_.program == kLibxdp) {
      const bool is_native = facts_.programs.native != 0 || facts_.programs.hardware != 0;
      if (is_native) {
        good("xdp_mode", "native, as the kernel tells");
      } else {
        bad(Verdict::kWarning, "xdp_mode", "generic: the kernel makes a socket buffer of each frame first",
            command(can_be_native() ? "xdplb unload {0} && xdplb load {0} --mode native" : "ethtool -i {}"));
      }
    }
    judge_xdp_driver();
  }

  bool can_be_native() const { return facts_.xdp && facts_.xdp->has_native; }

  void judge_xdp_driver() {
    if (!facts_.xdp) {
      if (runs_here() && facts_.programs.native != 0) return good("xdp_driver", "the driver runs the program natively");
      return bad(Verdict::kWarning, "xdp_driver",
                 "this kernel does not tell what the driver can do (Linux 6.3 and newer does)",
                 command("xdplb load {} --mode native  # tells"));
    }
    if (!facts_.xdp->has_native)
      return bad(Verdict::kWarning, "xdp_driver", "the driver has no native XDP: generic mode, slower, is what it gets",
                 command("ethtool -i {}"));
    if (!has_others_) return good("xdp_driver", "native XDP");
    if (facts_.xdp->can_redirect && facts_.xdp->takes_redirected)
      return good("xdp_driver", "native XDP, and frames from and to other interfaces");
    bad(Verdict::kWarning, "xdp_driver",
        facts_.xdp->can_redirect
            ? "native XDP, but it takes no frames of other interfaces now: servers behind it are reached from its own "
              "clients alone"
            : "native XDP, but frames cannot leave by other interfaces: only servers on its own LAN are reached",
        command("ethtool -i {}"));
  }

  void judge_driver(const DriverFacts& driver) {
    if (driver.channels) judge_queues(driver, *driver.channels);
    if (driver.receive_ring) judge_ring(*driver.receive_ring);
    judge_feature(
        driver.lro, "lro", "rx-lro", Verdict::kFailure,
        "LRO glues received frames together: what is forwarded is longer than the LAN allows, and most drivers "
        "refuse XDP",
        "ethtool -K {} lro off");
    judge_feature(driver.gro_hw, "gro_hw", "rx-gro-hw", Verdict::kWarning,
                  "the card itself glues frames together (GRO-HW): many drivers refuse native XDP then",
                  "ethtool -K {} rx-gro-hw off");
    const bool has_tags = needs_.has_tags || facts_.has_vlans;
    if (!has_tags && driver.vlan_offload && driver.vlan_offload->is_on)
      return good("vlan_offload", "the card takes VLAN tags out of frames; none are used here");
    judge_feature(driver.vlan_offload, "vlan_offload", "rx-vlan-hw-parse", Verdict::kWarning,
                  "the card takes VLAN tags out of frames before the program sees them", "ethtool -K {} rxvlan off");
  }

  void judge_feature(const std::optional<DriverFeature>& feature, const char* code, const char* name, Verdict verdict,
                     const char* text, const char* remedy) {
    if (!feature) return;
    if (!feature->is_on) return good(code, fmt::format("{} is off", name));
    if (feature->can_change) return bad(verdict, code, text, command(remedy));
    const bool is_virtio = facts_.driver->driver == "virtio_net";
    bad(Verdict::kWarning, code, fmt::format("{}; the driver does not let it be switched off", text),
        command(is_virtio ? "# on the hypervisor: ctrl_guest_offloads=on for the card of {}" : "ethtool -k {}"));
  }

  void judge_queues(const DriverFacts& driver, const DriverChannels& channels) {
    const auto text = fmt::format("{} of at most {} queues, {} CPUs", channels.now, channels.most, cpus_.online);
    if (driver.driver == "virtio_net" && facts_.programs.native != 0) return judge_running_virtio(channels, text);
    const auto wanted = std::min<std::uint32_t>(cpus_.online, channels.most);
    const auto queues = xdp_queues(driver, cpus_.possible);
    if (queues == XdpQueues::kPastTheLast)
      return bad(Verdict::kWarning, "queues",
                 text +
                     ": native XDP would take the kernel down, virtio_net sends on queues that are not there; it gets "
                     "generic mode",
                 set_queues(channels, channels.most - cpus_.possible));
    if (queues == XdpQueues::kShared && channels.most > cpus_.possible)
      return bad(Verdict::kWarning, "queues", text + ": virtio_net has no queue left for each CPU's XDP",
                 set_queues(channels, channels.most - cpus_.possible));
    if (queues == XdpQueues::kShared) return share_queues(text);
    if (channels.now < wanted)
      return bad(Verdict::kWarning, "queues", text + ": some CPUs receive nothing", set_queues(channels, wanted));
    good("queues", text);
  }

  // Those in use are XDP's, too, and cannot be changed now.
  void judge_running_virtio(const DriverChannels& channels, const std::string& text) {
    if (channels.now > cpus_.possible) return good("queues", text + ", those of XDP among them");
    if (channels.most <= cpus_.possible) return share_queues(text);
    bad(Verdict::kWarning, "queues", text + ": virtio_net had no queue left for each CPU's XDP",
        fmt::format("xdplb unload {0} && {1} && xdplb load {0}", facts_.name,
                    set_queues(channels, channels.most - cpus_.possible)));
  }

  void share_queues(const std::string& text) {
    bad(Verdict::kWarning, "queues", text + ": virtio_net has no queue for each CPU's XDP, CPUs share them",
        fmt::format("# on the hypervisor: queues={} for this card", 2 * cpus_.possible));
  }

  std::string set_queues(const DriverChannels& channels, std::uint32_t count) const {
    return fmt::format("ethtool -L {} {} {}", facts_.name, channels.are_combined ? "combined" : "rx", count);
  }

  void judge_ring(const DriverRing& ring) {
    const auto wanted = std::min(kWantedRing, ring.most);
    const auto text = fmt::format("{} of at most {} descriptors receive", ring.now, ring.most);
    if (ring.now >= wanted) return good("rings", text);
    bad(Verdict::kWarning, "rings", text + ": a burst is lost soon",
        fmt::format("ethtool -G {} rx {}", facts_.name, wanted));
  }

  void judge_mtu() {
    const auto mtu = facts_.link->mtu;
    if (mtu < kLeastV6Mtu && needs_.has_v6())
      return bad(Verdict::kFailure, "mtu",
                 fmt::format("{}: IPv6 needs {} at least, and there is an IPv6 VIPA", mtu, kLeastV6Mtu),
                 command("ip link set dev {} mtu 1500"));
    const bool is_native = runs_here() && facts_.programs.native != 0;
    if (mtu > kMostNativeMtu && !is_native)
      return bad(
          Verdict::kWarning, "mtu",
          fmt::format("{}: a frame must fit one page, so most drivers refuse native XDP above {}", mtu, kMostNativeMtu),
          command("ip link set dev {} mtu 1500"));
    good("mtu", std::to_string(mtu));
  }

  const DoctorNeeds& needs_;
  const InterfaceFacts& facts_;
  const CpuFacts& cpus_;
  bool has_others_;
  std::vector<Check> checks_{};
};

// What came in by a long LAN may leave by a shorter one.
void judge_equal_mtus(const std::vector<InterfaceFacts>& interfaces, std::vector<Check>& checks) {
  std::optional<std::uint32_t> first;
  for (const auto& facts : interfaces) {
    if (!facts.link) continue;
    if (!first) first = facts.link->mtu;
    if (facts.link->mtu == *first) continue;
    checks.push_back({.code = "mtu",
                      .object = facts.name,
                      .verdict = Verdict::kWarning,
                      .text = fmt::format("{}, and {} on another interface: longer packets do not get through between "
                                          "them",
                                          facts.link->mtu, *first),
                      .remedy = fmt::format("ip link set dev {} mtu {}", facts.name, *first)});
  }
}

}  // namespace

std::vector<Check> judge_interfaces(const DoctorNeeds& needs, const std::vector<InterfaceFacts>& interfaces,
                                    const CpuFacts& cpus) {
  std::vector<Check> checks;
  for (const auto& facts : interfaces) {
    auto own = Judge(needs, facts, cpus, interfaces.size() > 1).run();
    checks.insert(checks.end(), std::make_move_iterator(own.begin()), std::make_move_iterator(own.end()));
  }
  judge_equal_mtus(interfaces, checks);
  return checks;
}

}  // namespace xdplb
