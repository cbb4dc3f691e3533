// SPDX-License-Identifier: GPL-2.0-only
// Certificates made on the spot, and the server's side of a TLS connection.
#pragma once

#include "loopback_server.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace xdplb {

struct OpensslFree {
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* connection) const { SSL_free(connection); }
};

struct Identity {
  std::unique_ptr<X509, OpensslFree> certificate{};
  std::unique_ptr<EVP_PKEY, OpensslFree> key{};
};

struct CertificateSpec {
  std::string name = "web.example";  // common name
  std::string alternatives{};        // "DNS:web.example,IP:127.0.0.1"; empty: none
  long begin_s = -86400;             // from now
  std::string end{};                 // "20270101000000Z"; empty: in a day
  bool is_ca = false;
};

inline void add_extension(X509* certificate, int kind, const std::string& value) {
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str());
  ASSERT_NE(extension, nullptr) << value;
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

// issuer  nullptr: self-signed
inline Identity make_identity(const CertificateSpec& spec, const Identity* issuer = nullptr) {
  static long serial = 0;
  Identity made;
  made.key.reset(EVP_EC_gen("P-256"));
  made.certificate.reset(X509_new());
  X509* certificate = made.certificate.get();
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate), spec.begin_s);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
  if (!spec.end.empty()) ASN1_TIME_set_string(X509_getm_notAfter(certificate), spec.end.c_str());
  X509_set_pubkey(certificate, made.key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(spec.name.c_str()), -1, -1, 0);
  X509_set_issuer_name(certificate, X509_get_subject_name(issuer ? issuer->certificate.get() : certificate));
  if (!spec.alternatives.empty()) add_extension(certificate, NID_subject_alt_name, spec.alternatives);
  if (spec.is_ca) add_extension(certificate, NID_basic_constraints, "critical,CA:TRUE");
  EXPECT_GT(X509_sign(certificate, issuer ? issuer->key.get() : made.key.get(), EVP_sha256()), 0);
  return made;
}

// A PEM file that goes with its object.
class CaFile {
 public:
  explicit CaFile(const Identity& authority) : path_(::testing::TempDir() + "xdplb_ca_" + std::to_string(::getpid())) {
    write(authority);
  }
  ~CaFile() { std::filesystem::remove(path_); }
  CaFile(const CaFile&) = delete;
  CaFile& operator=(const CaFile&) = delete;
  const std::string& path() const { return path_; }
  void write(const Identity& authority) {
    std::FILE* file = std::fopen(path_.c_str(), "w");
    ASSERT_NE(file, nullptr);
    PEM_write_X509(file, authority.certificate.get());
    std::fclose(file);
  }

 private:
  std::string path_;
};

// The server's side of TLS. What a client asked for stays readable after the handshake.
class TlsPeer {
 public:
  struct Options {
    std::string alpn{};  // one protocol that the server has; empty: it knows nothing of ALPN
    int max_version = 0;
  };

  TlsPeer(Peer& peer, const Identity& identity, const Options& options) : options_(options) {
    context_.reset(SSL_CTX_new(TLS_server_method()));
    SSL_CTX_use_certificate(context_.get(), identity.certificate.get());
    SSL_CTX_use_PrivateKey(context_.get(), identity.key.get());
    if (options.max_version != 0) SSL_CTX_set_max_proto_version(context_.get(), options.max_version);
    if (!options.alpn.empty()) SSL_CTX_set_alpn_select_cb(context_.get(), &TlsPeer::choose, this);
    connection_.reset(SSL_new(context_.get()));
    SSL_set_fd(connection_.get(), peer.fd());
  }
  bool accept() { return SSL_accept(connection_.get()) == 1; }
  std::string server_name() const {
    const char* name = SSL_get_servername(connection_.get(), TLSEXT_NAMETYPE_host_name);
    return name != nullptr ? name : "";
  }
  bool send(std::string_view bytes) {
    return SSL_write(connection_.get(), bytes.data(), static_cast<int>(bytes.size())) > 0;
  }
  std::string read_until(std::string_view end) {
    std::string all;
    std::array<char, 4096> part{};
    while (all.find(end) == std::string::npos) {
      const int count = SSL_read(connection_.get(), part.data(), static_cast<int>(part.size()));
      if (count <= 0) break;
      all.append(part.data(), static_cast<std::size_t>(count));
    }
    return all;
  }
  // True when the client said close_notify before it left.
  bool hears_goodbye() {
    read_until("\x01 never");
    return (SSL_get_shutdown(connection_.get()) & SSL_RECEIVED_SHUTDOWN) != 0;
  }
  void say_goodbye() { SSL_shutdown(connection_.get()); }

 private:
  static int choose(SSL*, const unsigned char** out, unsigned char* length, const unsigned char* in, unsigned size,
                    void* self) {
    const std::string& wanted = static_cast<TlsPeer*>(self)->options_.alpn;
    for (unsigned at = 0; at < size; at += 1U + in[at]) {
      if (std::string_view(reinterpret_cast<const char*>(in + at + 1), in[at]) != wanted) continue;
      *out = in + at + 1;
      *length = in[at];
      return SSL_TLSEXT_ERR_OK;
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }

  Options options_;
  std::unique_ptr<SSL_CTX, OpensslFree> context_{};
  std::unique_ptr<SSL, OpensslFree> connection_{};
};

}  // namespace xdplb
