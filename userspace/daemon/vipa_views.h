// SPDX-License-Identifier: GPL-2.0-only
// VIPAs and interfaces as JSON. Shapes: docs/api.md.
#pragma once

#include "daemon/vipa_keeper.h"

#include <nlohmann/json.hpp>

#include <functional>
#include <string>
#include <vector>

namespace xdplb {

// What the views need besides the keeper.
struct VipaViewContext {
  const VipaKeeper& keeper;
  const HostMonitor& monitor;
  std::function<MacOwner(const MacAddress&)> owner_of;
};

nlohmann::json vipa_view(const VipaViewContext& context, const IpAddress& address, const VipaKeeper::Managed& managed);
nlohmann::json vipa_list_view(const VipaViewContext& context);

// Health and reach of one interface that is watched, and the VIPAs it owns.
nlohmann::json health_view(const VipaViewContext& context, const std::string& name);

// What is wrong with VIPAs and their interfaces now: {code, object, text} each.
//
// proxies  of routed VIPAs: the MACs that the server which should answer has, and its name
struct ProxyServer {
  std::string name;
  std::vector<MacAddress> macs{};
};
std::vector<nlohmann::json> vipa_problems(const VipaViewContext& context,
                                          const std::function<ProxyServer(const VipaConfig&)>& proxy_of);

}  // namespace xdplb
