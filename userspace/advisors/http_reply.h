// SPDX-License-Identifier: GPL-2.0-only
// HttpReply: judges the reply of an HTTP/1 server while its bytes come. Pure: no sockets, no time.
#pragma once

#include "advisors/verdict.h"
#include "base/result.h"
#include "model/advisor_config.h"
#include "net/address.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace xdplb {

// Keeps at most 16 KiB of a header and options.max_bytes of a body. Interim replies (1xx but 101) are skipped. With a
// body to match the reply is read to its end, or as far as max_bytes, else only its header.
class HttpReply {
 public:
  // Errors: kUsage, as ReplyMatcher::make.
  static Result<HttpReply> make(const HttpOptions& options);
  HttpReply(HttpReply&&) noexcept;
  HttpReply& operator=(HttpReply&&) noexcept;
  ~HttpReply();

  // Bytes that came. False: it is judged, what may come more does not matter.
  bool take(std::string_view bytes);
  // The server sends nothing more.
  void end();

  // kL7Ok "HTTP 200", kL7Status "HTTP 503", kL7Response with the reason.
  const Verdict& verdict() const;
  // "waiting for a reply", "in the header of the reply", "in the body after 5 of 15 bytes"
  std::string doing() const;
  // "HTTP 200, 15 bytes", as far as known; empty before the header.
  std::string summary() const;

 private:
  class Impl;
  explicit HttpReply(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// The request as its bytes go. Fields of options.headers replace ours of the same name.
//
// server  is the Host when the options have none, with `port` unless it is `usual_port`
std::string http_request(const HttpOptions& options, const IpAddress& server, std::uint16_t port,
                         std::uint16_t usual_port);

}  // namespace xdplb
