// SPDX-License-Identifier: GPL-2.0-only
#include "model/check_result.h"

#include <array>

namespace xdplb {
namespace {

struct CodeWords {
  CheckCode code;
  std::string_view name;
  std::string_view text;
  bool is_success;
};

// In the order of CheckCode.
constexpr std::array kCodes = {
    CodeWords{CheckCode::kNone, "-", "not probed yet", false},
    CodeWords{CheckCode::kL2NoMac, "L2NOMAC", "its MAC address is not known", false},
    CodeWords{CheckCode::kL2ArpLeak, "L2ARPLEAK", "it answers ARP or ND for the VIPA", false},
    CodeWords{CheckCode::kL3Ok, "L3OK", "echo reply", true},
    CodeWords{CheckCode::kL3Timeout, "L3TOUT", "no echo reply in time", false},
    CodeWords{CheckCode::kL3Unreachable, "L3UNR", "unreachable", false},
    CodeWords{CheckCode::kL3NoVip, "L3NOVIP",
              "its own address answers, the VIPA does not: is the VIPA on its loopback, does the service listen there?",
              false},
    CodeWords{CheckCode::kL4Ok, "L4OK", "connected", true},
    CodeWords{CheckCode::kL4Timeout, "L4TOUT", "not connected in time", false},
    CodeWords{CheckCode::kL4Refused, "L4CON", "connection refused", false},
    CodeWords{CheckCode::kL6Ok, "L6OK", "TLS handshake done", true},
    CodeWords{CheckCode::kL6Timeout, "L6TOUT", "TLS handshake not done in time", false},
    CodeWords{CheckCode::kL6Response, "L6RSP", "no TLS, or a certificate that is not accepted", false},
    CodeWords{CheckCode::kL7Ok, "L7OK", "answered", true},
    CodeWords{CheckCode::kL7OkConditional, "L7OKC", "answered, and asks for a drain", true},
    CodeWords{CheckCode::kL7Status, "L7STS", "answered with a status that is not accepted", false},
    CodeWords{CheckCode::kL7Response, "L7RSP", "answered something else than expected", false},
    CodeWords{CheckCode::kL7Timeout, "L7TOUT", "no answer in time", false},
    CodeWords{CheckCode::kProcOk, "PROCOK", "the command succeeded", true},
    CodeWords{CheckCode::kProcError, "PROCERR", "the command failed", false},
    CodeWords{CheckCode::kProcTimeout, "PROCTOUT", "the command did not end in time", false},
    CodeWords{CheckCode::kSocketError, "SOCKERR", "this host could not send the probe", false},
};

constexpr bool is_in_order() {
  for (std::size_t i = 0; i < kCodes.size(); ++i) {
    if (static_cast<std::size_t>(kCodes[i].code) != i) return false;
  }
  return kCodes.back().code == CheckCode::kSocketError;
}
static_assert(is_in_order());

const CodeWords& words_of(CheckCode code) { return kCodes.at(static_cast<std::size_t>(code)); }

// Of the C locale, whatever the process's is.
bool is_space(char byte) { return byte == ' ' || (byte >= '\t' && byte <= '\r'); }
bool is_printable(char byte) { return byte >= ' ' && byte <= '~'; }

}  // namespace

std::string_view check_code_name(CheckCode code) { return words_of(code).name; }
std::string_view check_code_text(CheckCode code) { return words_of(code).text; }
bool is_success(CheckCode code) { return words_of(code).is_success; }

std::string clean_text(std::string_view text, std::size_t limit) {
  std::string clean;
  bool is_after_space = false;
  for (const char byte : text) {
    if (is_space(byte)) {
      is_after_space = true;
      continue;
    }
    const bool has_gap = is_after_space && !clean.empty();
    if (clean.size() + (has_gap ? 2 : 1) > limit) break;
    if (has_gap) clean += ' ';
    clean += is_printable(byte) ? byte : '.';
    is_after_space = false;
  }
  return clean;
}

}  // namespace xdplb
