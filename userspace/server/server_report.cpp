// SPDX-License-Identifier: GPL-2.0-only
#include "server/server_report.h"

#include <algorithm>
#include <ostream>

namespace xdplb {
namespace {

// "it is on lo, silent to ARP, 80/tcp is served"
std::string praise(const ServerFacts& facts, const ServerWish& wish, const IpAddress& vipa) {
  const bool has_alias = std::any_of(facts.addresses.begin(), facts.addresses.end(),
                                     [&](const ServerAddress& address) { return address.prefix.address == vipa; });
  std::string text = has_alias ? "alias" : "taken without alias";
  text += vipa.is_v4() ? ", silent to ARP" : ", silent to ND";
  for (const ServerPort& port : wish.ports) {
    text += ", " + std::to_string(port.port) + "/" + std::string(protocol_name(port.protocol)) + " served";
  }
  return text;
}

}  // namespace

bool is_well(const Faults& faults) {
  return std::none_of(faults.begin(), faults.end(),
                      [](const Fault& fault) { return fault.severity == Severity::kFault; });
}

void print_report(std::ostream& out, const ServerFacts& facts, const ServerWish& wish, const Faults& faults) {
  for (const Fault& fault : faults) {
    const bool is_fault = fault.severity == Severity::kFault;
    out << (is_fault ? "FAULT " : "warn ") << fault.code << ' ' << fault.object << ": " << fault.text << '\n';
    if (!fault.remedy.empty()) out << "        " << fault.remedy << '\n';
  }
  for (const IpAddress& vipa : wish.vipas) {
    const ServerWish alone{.vipas = {vipa}, .ports = wish.ports};
    if (!is_well(judge_server(facts, alone))) continue;
    out << "ok " << vipa.to_string() << ": " << praise(facts, wish, vipa) << '\n';
  }
}

nlohmann::ordered_json report_json(const ServerWish& wish, const Faults& faults) {
  nlohmann::ordered_json report;
  report["ok"] = is_well(faults);
  report["vipas"] = nlohmann::ordered_json::array();
  for (const IpAddress& vipa : wish.vipas) report["vipas"].push_back(vipa.to_string());
  report["faults"] = nlohmann::ordered_json::array();
  for (const Fault& fault : faults) {
    report["faults"].push_back({{"code", fault.code},
                                {"object", fault.object},
                                {"text", fault.text},
                                {"remedy", fault.remedy},
                                {"severity", fault.severity == Severity::kFault ? "fault" : "warning"},
                                {"curable", fault.is_curable}});
  }
  return report;
}

}  // namespace xdplb
