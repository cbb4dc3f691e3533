// SPDX-License-Identifier: GPL-2.0-only
// Reads the facts. Nothing of this host is changed.
#pragma once

#include "base/result.h"
#include "doctor/doctor_facts.h"
#include "doctor/doctor_needs.h"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <string>

namespace xdplb {

// Tries out what the kernel takes, see dataplane/kernel_features.h.
KernelFacts read_kernel();

// instance  whose pins are our own
// Errors: os_error of netlink.
Result<std::vector<InterfaceFacts>> read_interfaces(const DoctorNeeds& needs, const std::string& instance);

// All but who answers for the VIPAs. Errors: os_error of netlink.
Result<NetworkFacts> read_network(const DoctorNeeds& needs);

// Asks the LANs who answers for the VIPAs, as host/address_probe.h does, and takes that into `facts`. Without the
// rights it says so there.
boost::asio::awaitable<void> ask_for_vipas(boost::asio::io_context& io, const DoctorNeeds& needs,
                                           std::chrono::milliseconds wait, NetworkFacts& facts);

// daemon  its pid; 0: none runs
LimitFacts read_limits(int daemon);

}  // namespace xdplb
