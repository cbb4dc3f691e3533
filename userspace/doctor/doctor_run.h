// SPDX-License-Identifier: GPL-2.0-only
// Is this host ready to be a dispatcher?
#pragma once

#include "base/result.h"
#include "doctor/doctor_task.h"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

namespace xdplb {

// Reads and judges; changes nothing. The LANs hear ARP and ND probes for the VIPAs. The io_context outlives it.
//
// Errors: kPermission for a process that is not root; os_error of netlink.
boost::asio::awaitable<Result<DoctorReport>> examine(boost::asio::io_context& io, DoctorTask task);

}  // namespace xdplb
