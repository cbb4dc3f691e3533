// SPDX-License-Identifier: GPL-2.0-only
// The document's six steps, automated: who answers for the VIPA, each server's MAC, an echo and the ports through it,
// and who answers at the end.
#pragma once

#include "base/result.h"
#include "verify/verify_task.h"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

namespace xdplb {

// Needs root (packet sockets, policy routes). No neighbour entry for a VIPA is made, here or elsewhere; what is made of
// rules and routes is gone when it returns, and when the coroutine is destroyed half way. One at a time in a network
// namespace.
//
// Errors: kConflict when another one runs, kPermission, plan_verify's, os_error of packet sockets.
boost::asio::awaitable<Result<VerifyReport>> verify(boost::asio::io_context& io, VerifyTask task);

}  // namespace xdplb
