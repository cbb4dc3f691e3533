// SPDX-License-Identifier: GPL-2.0-only
#include "verify/verify_judge.h"

#include "verify/vipa_judge.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

namespace xdplb {
namespace {

// A refusal by the machine itself says that it takes the VIPA for its own; one by a router does not.
bool shows_alias(const CheckResult& result) {
  return result.ok() || (result.code == CheckCode::kL4Refused && result.text == "connection refused");
}

StepMark worse(StepMark one, StepMark two) {
  const auto rank = [](StepMark mark) {
    switch (mark) {
      case StepMark::kSkipped:
        return 0;
      case StepMark::kOk:
        return 1;
      case StepMark::kWarning:
        return 2;
      case StepMark::kFault:
        break;
    }
    return 3;
  };
  return rank(one) >= rank(two) ? one : two;
}

class Judge {
 public:
  Judge(const VerifyTask& task, const HostSnapshot& host, const VerifyPlan& plan, const VerifySeen& seen)
      : task_(task), host_(host), plan_(plan), seen_(seen) {}

  VerifyReport judge() {
    auto vipas = judge_vipas(task_, host_, plan_, seen_);
    report_.notes = plan_.notes;
    report_.notes.insert(report_.notes.end(), vipas.notes.begin(), vipas.notes.end());
    for (auto& fault : vipas.faults) add(std::move(fault));
    for (std::size_t i = 0; i < plan_.rows.size(); ++i) report_.rows.push_back(judge_resolved(plan_.rows[i]));
    tell_shared_macs();
    for (std::size_t i = 0; i < plan_.rows.size(); ++i) {
      auto& row = report_.rows[i];
      const auto& planned = plan_.rows[i];
      row.silent_before = silence_of(planned, vipas.leaks_before, true);
      row.silent_after = silence_of(planned, vipas.leaks_after, was_asked_again(planned.vipa));
      if (i < seen_.rows.size()) judge_through(planned, seen_.rows[i], row);
    }
    return std::move(report_);
  }

 private:
  void add(VerifyFault fault) {
    if (told_.insert(fault).second) report_.faults.push_back(std::move(fault));
  }

  const Answerers& claimants(const IpAddress& address) const {
    static const Answerers nobody;
    const auto found = seen_.adapters.find(address);
    return found != seen_.adapters.end() ? found->second : nobody;
  }

  bool was_asked_again(const IpAddress& vipa) const {
    const auto found = seen_.vipas.find(vipa);
    return found != seen_.vipas.end() && found->second.after.has_value();
  }

  // Of a server whose MAC is not known nothing can be said.
  StepMark silence_of(const AskedRow& row, const std::map<IpAddress, std::set<MacAddress>>& leaks,
                      bool was_asked) const {
    bool is_known = false;
    const auto found = leaks.find(row.vipa);
    for (const auto& adapter : row.adapters) {
      for (const auto& [mac, interface] : claimants(adapter.address)) {
        is_known = true;
        if (found != leaks.end() && found->second.contains(mac)) return StepMark::kFault;
      }
    }
    return is_known && was_asked ? StepMark::kOk : StepMark::kSkipped;
  }

  // ---- step 2

  VerifyRow judge_resolved(const AskedRow& planned) {
    const auto carrier = carrier_of(planned, seen_.adapters);
    VerifyRow row{.cluster = planned.cluster,
                  .server = planned.server,
                  .address = carrier ? carrier->adapter.address : planned.adapters.front().address,
                  .vipa = planned.vipa};
    const auto* link = host_.find_link(carrier ? carrier->adapter.ifindex : planned.adapters.front().ifindex);
    if (link != nullptr) row.interface = link->name;
    if (carrier) row.mac = carrier->mac;
    row.resolved = carrier ? StepMark::kOk : StepMark::kFault;
    for (const auto& adapter : planned.adapters) {
      const auto& macs = claimants(adapter.address);
      if (macs.size() > 1) {
        row.resolved = StepMark::kFault;
        add_two_macs(planned, adapter, macs);
      } else if (macs.empty()) {
        row.resolved = worse(row.resolved, StepMark::kWarning);
        add_no_mac(planned, adapter, carrier.has_value());
      } else if (seen_.deaf.contains(adapter.address)) {
        row.resolved = StepMark::kFault;
        add_deaf(planned, adapter, macs.begin()->first);
      }
    }
    return row;
  }

  void add_two_macs(const AskedRow& planned, const AskedAdapter& adapter, const Answerers& macs) {
    std::string list;
    for (const auto& [mac, interface] : macs) list += (list.empty() ? "" : " and ") + mac.to_string();
    add({.code = "two_macs",
         .object = planned.object,
         .text = fmt::format("{} answer {} for its address {} on {}: two machines have it, or one answers through two "
                             "adapters (arp_ignore 1 ends that)",
                             list, question_name(adapter.address), adapter.address.to_string(), macs.begin()->second),
         .remedy = fmt::format("on the machine that is not {}: ip address delete {} dev NIC", planned.server,
                               adapter.address.to_string())});
  }

  // Its kernel drops what comes from an address that it takes for its own, so a dispatcher never learns its MAC.
  void add_deaf(const AskedRow& planned, const AskedAdapter& adapter, const MacAddress& mac) {
    const auto own = host_.source_for(adapter.ifindex, adapter.address);
    add({.code = "no_mac",
         .object = planned.object,
         .text = fmt::format("{} answers ARP probes for its address {}, but not the questions of {}: it takes that "
                             "address for its own (an alias with a wide mask, or an extra local route)",
                             mac.to_string(), adapter.address.to_string(), own ? own->to_string() : "this host"),
         .remedy = setup_remedy(planned)});
  }

  void add_no_mac(const AskedRow& planned, const AskedAdapter& adapter, bool is_warning) {
    const auto address = adapter.address.to_string();
    const auto* link = host_.find_link(adapter.ifindex);
    VerifyFault fault{.code = "no_mac", .object = planned.object, .is_warning = is_warning};
    if (link == nullptr) {
      fault.text = fmt::format("{} is on no network of this host that is up: it must be on the same LAN", address);
      fault.remedy = "run xdplb verify on a host of that LAN, or say --interface";
    } else {
      fault.text = fmt::format("nobody answers {} for its address {} on {}", question_name(adapter.address), address,
                               link->name);
      fault.remedy = fmt::format("on {}: ip address show; here: ping {}", planned.server, address);
    }
    add(std::move(fault));
  }

  // The frame says the MAC alone: of two servers behind one the wrong one may take it.
  void tell_shared_macs() {
    std::map<MacAddress, std::set<std::string>> users;
    for (std::size_t i = 0; i < plan_.rows.size(); ++i)
      if (report_.rows[i].mac) users[*report_.rows[i].mac].insert(report_.rows[i].address.to_string());
    for (const auto& [mac, addresses] : users) {
      if (addresses.size() < 2) continue;
      add({.code = "shared_mac",
           .object = mac.to_string(),
           .text = fmt::format("{} all have this MAC: a frame cannot tell them apart (ipvlan, a router with proxy ARP, "
                               "or one machine with several addresses)",
                               fmt::join(addresses, ", ")),
           .remedy = "give each server a MAC of its own (macvlan or a bridge in place of ipvlan)",
           .is_warning = true});
    }
  }

  // ---- steps 3 and 4

  void judge_through(const AskedRow& planned, const RowSeen& seen, VerifyRow& row) {
    const bool has_alias = std::any_of(seen.ports.begin(), seen.ports.end(),
                                       [](const auto& result) { return result && shows_alias(*result); });
    row.echo = judge_echo(planned, seen, row, has_alias);
    // Without the address no port can answer: that is one fault, not many.
    const bool is_explained = row.echo == StepMark::kFault && seen.own_answers.value_or(false) && !seen.echo;
    for (std::size_t i = 0; i < planned.ports.size(); ++i) {
      const auto& result = i < seen.ports.size() ? seen.ports[i] : std::nullopt;
      row.port_results.push_back(judge_port(planned, planned.ports[i], result, row, is_explained));
      row.ports = worse(row.ports, row.port_results.back().mark);
    }
  }

  StepMark judge_echo(const AskedRow& planned, const RowSeen& seen, const VerifyRow& row, bool has_alias) {
    const auto vipa = planned.vipa.to_string();
    if (!seen.was_asked) {
      if (row.mac)
        add({.code = "no_source",
             .object = vipa,
             .text = fmt::format("{} has no {} address to ask from: the echo is left out", row.interface,
                                 planned.vipa.is_v4() ? "IPv4" : "IPv6"),
             .remedy = fmt::format("ip address add ADDRESS dev {}", row.interface),
             .is_warning = true});
      return StepMark::kSkipped;
    }
    if (seen.echo == planned.vipa) return StepMark::kOk;
    VerifyFault fault{.object = planned.object, .remedy = setup_remedy(planned)};
    if (seen.echo) {
      fault.code = "echo_source";
      fault.text =
          fmt::format("its answer to an echo for {} comes from {}: clients drop that", vipa, seen.echo->to_string());
    } else if (has_alias) {
      fault.code = "echo_ignored";
      fault.text = fmt::format("it does not answer echo requests for {}, though its ports do", vipa);
      fault.remedy = fmt::format("on {}: sysctl net.ipv4.icmp_echo_ignore_all; nft list ruleset", planned.server);
      fault.is_warning = true;
    } else if (seen.own_answers.value_or(false)) {
      fault.code = "no_alias";
      fault.text = fmt::format("it answers for its own address {}, not for {}: it does not take the VIPA for its own",
                               row.address.to_string(), vipa);
    } else {
      fault.code = "no_echo";
      fault.text = fmt::format("it answers no echo request, neither for {} nor for its own address {}", vipa,
                               row.address.to_string());
      fault.remedy = fmt::format("on {}: xdplb-server check {}", planned.server, vipa);
    }
    const auto mark = fault.is_warning ? StepMark::kWarning : StepMark::kFault;
    add(std::move(fault));
    return mark;
  }

  static std::string setup_remedy(const AskedRow& planned) {
    return fmt::format("on {}: xdplb-server setup {}", planned.server, planned.vipa.to_string());
  }

  VerifyPort judge_port(const AskedRow& planned, const AskedPort& port, const std::optional<CheckResult>& result,
                        const VerifyRow& row, bool is_explained) {
    VerifyPort judged{.path = port.path};
    if (!port.advisor) {
      add_unasked(port);
      return judged;
    }
    if (!row.mac || !result) return judged;
    judged.code = result->code;
    judged.text = result->text.empty() ? std::string(check_code_text(result->code)) : result->text;
    judged.mark = result->ok() ? StepMark::kOk : StepMark::kFault;
    if (!result->ok() && !is_explained) add_port_fault(planned, port, judged);
    return judged;
  }

  void add_unasked(const AskedPort& port) {
    if (port.path.port == 0 || port.path.protocol == Protocol::kTcp) return;
    add({.code = "udp_unasked",
         .object = port.path.to_string(),
         .text = "without an advisor nobody knows what to ask it: it is not tested",
         .remedy = task_.is_made_up ? std::string()
                                    : fmt::format("xdplb advisor set {} --type udp ...", port.path.to_string()),
         .is_warning = true});
  }

  void add_port_fault(const AskedRow& planned, const AskedPort& port, const VerifyPort& judged) {
    const auto number = port.path.port;
    const auto name = fmt::format("{}/{}", number, protocol_name(port.path.protocol));
    const auto vipa = planned.vipa.to_string();
    VerifyFault fault{.object = planned.object};
    if (judged.code == CheckCode::kL4Refused) {
      fault.code = "port_refused";
      fault.text = fmt::format("port {} of {}: {}", name, vipa, judged.text);
      fault.remedy =
          fmt::format("on {}: ss -ln{} 'sport = :{}'", planned.server, name.ends_with("udp") ? "u" : "t", number);
    } else if (judged.code == CheckCode::kL4Timeout || judged.code == CheckCode::kL3Timeout ||
               judged.code == CheckCode::kL7Timeout) {
      fault.code = "port_silent";
      fault.text = fmt::format("port {} of {}: {}", name, vipa, judged.text);
      fault.remedy = fmt::format("on {}: xdplb-server check {} --port {}", planned.server, vipa, name);
    } else {
      fault.code = "port_failed";
      fault.text = fmt::format("port {} of {}: {} {}", name, vipa, check_code_name(judged.code), judged.text);
      if (judged.code != CheckCode::kSocketError)
        fault.remedy = fmt::format("on {}: xdplb-server check {} --port {}", planned.server, vipa, name);
    }
    add(std::move(fault));
  }

  const VerifyTask& task_;
  const HostSnapshot& host_;
  const VerifyPlan& plan_;
  const VerifySeen& seen_;
  std::set<VerifyFault> told_{};
  VerifyReport report_{};
};

}  // namespace

std::optional<TestedAdapter> carrier_of(const AskedRow& row, const std::map<IpAddress, Answerers>& adapters) {
  for (const auto& adapter : row.adapters) {
    const auto found = adapters.find(adapter.address);
    if (found == adapters.end() || found->second.size() != 1) continue;
    return TestedAdapter{.adapter = adapter, .mac = found->second.begin()->first};
  }
  return std::nullopt;
}

VerifyReport judge_verify(const VerifyTask& task, const HostSnapshot& host, const VerifyPlan& plan,
                          const VerifySeen& seen) {
  return Judge(task, host, plan, seen).judge();
}

}  // namespace xdplb
