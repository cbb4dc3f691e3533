// SPDX-License-Identifier: GPL-2.0-only
#include "advisors/probe_tools.h"

#include "advisors/tls_context.h"

namespace xdplb {

ProbeTools::ProbeTools(boost::asio::io_context& io) : io_(io), tls_(std::make_unique<TlsContexts>()) {}

ProbeTools::~ProbeTools() = default;

}  // namespace xdplb
