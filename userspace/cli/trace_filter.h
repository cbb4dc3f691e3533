// SPDX-License-Identifier: GPL-2.0-only
// TraceFilter: which trace records a person wants to see. Pure.
#pragma once

#include "base/result.h"
#include "net/address.h"

#include <nlohmann/json.hpp>

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace xdplb {

class TraceFilter {
 public:
  // texts  "outcome=no_server", "client=198.51.100.0/24", "vipa=192.0.2.10", "server=web/80/s1", "port=web/80",
  //        "interface=eth0"; of values of the same key one must hold, of different keys all
  // Errors: kUsage, naming the text and the keys there are.
  static Result<TraceFilter> parse(const std::vector<std::string>& texts);

  // The outcomes wanted, which packets can be told apart by in the kernel; empty: all.
  std::vector<std::string> outcomes() const;
  // record  one of the reply to TraceRequest
  bool matches(const nlohmann::json& record) const;

 private:
  std::map<std::string, std::vector<std::string>> words_;  // by key; compared as text
  std::map<std::string, std::vector<IpPrefix>> networks_;  // "client", "vipa"
};

}  // namespace xdplb
