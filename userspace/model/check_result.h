// SPDX-License-Identifier: GPL-2.0-only
// What one probe of one server found.
#pragma once

#include "model/config.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace xdplb {

// In one word where it broke: the layer, then how. After HAProxy's check codes.
enum class CheckCode : std::uint8_t {
  kNone,       // not probed yet
  kL2NoMac,    // no MAC of the server is known
  kL2ArpLeak,  // the server answers ARP or ND for the VIPA (a finding beside the probes, never a probe's result)
  kL3Ok,       // echo reply
  kL3Timeout,
  kL3Unreachable,  // ICMP unreachable
  kL3NoVip,        // its own address answers, the VIPA does not: the loopback alias is missing, or the service listens
                   // on its own address only
  kL4Ok,
  kL4Timeout,
  kL4Refused,  // connection refused, or reset in the handshake
  kL6Ok,
  kL6Timeout,
  kL6Response,  // TLS: no TLS there, or a certificate that does not do
  kL7Ok,
  kL7OkConditional,  // answers, and asks for a drain
  kL7Status,         // a status or answer code that is not accepted
  kL7Response,       // no reply of the protocol, cut short, or without what it must hold
  kL7Timeout,
  kProcOk,
  kProcError,
  kProcTimeout,
  kSocketError,  // the probe could not be sent: this host's fault, it counts neither as up nor as down
};
std::string_view check_code_name(CheckCode code);  // "L4CON", "L7STS", "L3NOVIP", ...; "-" for kNone
// One line for people: "connection refused".
std::string_view check_code_text(CheckCode code);
bool is_success(CheckCode code);

// The agent's own words; each undoes only what an earlier word of its did (HAProxy agent-check).
struct AgentWords {
  std::optional<unsigned> weight_percent{};  // 0..256, of the configured weight
  std::optional<Admin> admin{};              // ready, drain (no new flows), down (maint)
  std::optional<bool> is_up{};               // "up", or "down", "failed", "stopped"
  bool operator==(const AgentWords&) const = default;
};

struct CheckResult {
  CheckCode code = CheckCode::kNone;
  std::chrono::microseconds latency{};  // connect + receive; of a failure: until it was known
  std::string text{};                   // at most 200 bytes, printable ASCII: what was seen
  std::optional<unsigned> load{};       // a load that the server itself told (exec), else absent: latency counts
  AgentWords agent{};
  // End of the certificate that a TLS probe saw.
  std::optional<std::chrono::system_clock::time_point> certificate_end{};

  bool ok() const { return is_success(code); }
};

// At most `limit` bytes of text from strangers that a terminal and a log may see: a byte that is not printable ASCII
// becomes '.', a run of white space one space, and none at either end.
std::string clean_text(std::string_view text, std::size_t limit = 200);

}  // namespace xdplb
