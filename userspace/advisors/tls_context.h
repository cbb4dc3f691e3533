// SPDX-License-Identifier: GPL-2.0-only
// What a TLS client of a probe asks and what it makes of the answer: OpenSSL without sockets.
#pragma once

#include "base/result.h"
#include "model/advisor_config.h"

#include <openssl/ssl.h>

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace xdplb {

struct SslContextFree {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using SslContext = std::unique_ptr<SSL_CTX, SslContextFree>;

// The contexts of all TLS probes, one a profile. A profile whose CA file was replaced is read again. Not thread-safe.
class TlsContexts {
 public:
  // A reference of its own to the context for `options`. TLS 1.2 and up, no tickets, and weak keys of servers taken:
  // a probe tells, it does not refuse. Errors: kFailed naming ca_file.
  Result<SslContext> find(const TlsOptions& options);

 private:
  struct Profile {
    SslContext context;
    std::string version;  // of the CA file
  };
  std::map<std::string, Profile> profiles_;  // by CA file; "" the system's, "-" none
};

// The name that a server must have: options.server_name, else `host` without its port.
std::string expected_name(const TlsOptions& options, const std::string& host);

// What the verification of a chain found first. Filled by TlsVerdict's callback during the handshake, which goes on.
struct ChainFault {
  int error = 0;  // X509_V_ERR_...; 0: none
  std::string text{};
};
// Keeps what `store` has to say about a certificate, with dates and names, unless `fault` holds something already.
void keep_fault(ChainFault& fault, X509_STORE_CTX* store, const std::string& name);

// SNI, the verified name and ALPN of one connection. Errors: kFailed.
Result<void> prepare_tls(SSL* ssl, const TlsOptions& options, const std::string& name);

// After a handshake. `fault` is said when it is the server's.
struct TlsSession {
  std::string text{};   // "TLS 1.3 TLS_AES_256_GCM_SHA384, certificate of web.example until 2027-01-01"
  std::string fault{};  // empty: it does
  std::optional<std::chrono::system_clock::time_point> certificate_end{};
};
TlsSession inspect_tls(SSL* ssl, const TlsOptions& options, const ChainFault& chain);

}  // namespace xdplb
