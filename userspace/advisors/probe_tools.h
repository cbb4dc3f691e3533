// SPDX-License-Identifier: GPL-2.0-only
// ProbeTools: what all probes of a daemon share.
#pragma once

#include <boost/asio/io_context.hpp>

#include <memory>

namespace xdplb {

class TlsContexts;  // advisors/tls_context.h
class PingSockets;  // the sockets of ping, made by its first probe

// Not thread-safe: everything runs on the io_context's thread. It and the io_context outlive every probe.
class ProbeTools {
 public:
  explicit ProbeTools(boost::asio::io_context& io);
  ~ProbeTools();
  ProbeTools(const ProbeTools&) = delete;
  ProbeTools& operator=(const ProbeTools&) = delete;

  boost::asio::io_context& io() { return io_; }
  TlsContexts& tls() { return *tls_; }
  // Empty until ping's first probe fills it.
  std::shared_ptr<PingSockets>& ping() { return ping_; }

 private:
  boost::asio::io_context& io_;
  std::unique_ptr<TlsContexts> tls_;
  std::shared_ptr<PingSockets> ping_{};
};

}  // namespace xdplb
