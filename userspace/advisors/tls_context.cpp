// SPDX-License-Identifier: GPL-2.0-only
#include "advisors/tls_context.h"

#include "advisors/reply_match.h"
#include "net/address.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <limits>
#include <string_view>
#include <system_error>
#include <vector>

namespace xdplb {
namespace {

constexpr std::size_t kMaxNames = 4;  // of a certificate, in a message

struct CertificateFree {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
struct NamesFree {
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};

std::string last_tls_error() {
  const unsigned long number = ERR_peek_last_error();
  const char* reason = ERR_reason_error_string(number);
  std::string text = reason != nullptr ? reason : "unknown error";
  ERR_clear_error();
  return text;
}

std::string string_of(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<std::size_t>(ASN1_STRING_length(text))};
}

std::string common_name(const X509_NAME* name) {
  const int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
  if (at < 0) return {};
  return string_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
}

std::string address_of(const ASN1_OCTET_STRING* bytes) {
  const unsigned char* data = ASN1_STRING_get0_data(bytes);
  std::array<std::uint8_t, 16> all{};
  const int length = ASN1_STRING_length(bytes);
  if (length != 4 && length != 16) return {};
  std::copy_n(data, length, all.begin());
  if (length == 16) return IpAddress::v6(all).to_string();
  return IpAddress::v4({all[0], all[1], all[2], all[3]}).to_string();
}

// Whom a certificate is for: its alternative names, else its common name. Never empty.
std::vector<std::string> names_of(const X509* certificate) {
  std::vector<std::string> found;
  const std::unique_ptr<GENERAL_NAMES, NamesFree> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  const int count = names ? sk_GENERAL_NAME_num(names.get()) : 0;
  for (int i = 0; i < count && found.size() < kMaxNames; ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_DNS) found.push_back(string_of(name->d.dNSName));
    if (name->type == GEN_IPADD) found.push_back(address_of(name->d.iPAddress));
  }
  if (found.empty()) found.push_back(common_name(X509_get_subject_name(certificate)));
  if (found.front().empty()) found.front() = "nobody";
  return found;
}

std::string date_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return "?";
  return fmt::format("{:04}-{:02}-{:02}", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday);
}

// RFC 5280 4.1.2.5: 99991231235959Z says that there is no end; it is beyond what system_clock counts.
std::optional<std::chrono::system_clock::time_point> time_of(const ASN1_TIME* time) {
  using Clock = std::chrono::system_clock;
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return std::nullopt;
  const std::chrono::seconds since(::timegm(&parts));
  const auto latest = std::chrono::floor<std::chrono::seconds>(Clock::time_point::max()).time_since_epoch();
  const auto earliest = std::chrono::ceil<std::chrono::seconds>(Clock::time_point::min()).time_since_epoch();
  return Clock::time_point(std::clamp(since, earliest, latest));
}

std::string fault_text(int error, X509* certificate, const std::string& name) {
  const std::string whose = "certificate of " + names_of(certificate).front();
  switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return whose + " expired " + date_of(X509_get0_notAfter(certificate));
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return whose + " begins " + date_of(X509_get0_notBefore(certificate));
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return fmt::format("certificate is for {}, not for {}", fmt::join(names_of(certificate), ", "), name);
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return fmt::format("{} is from an unknown issuer, {}", whose, common_name(X509_get_issuer_name(certificate)));
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      return whose + " is self-signed";
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
      return "the chain ends at an unknown issuer, " + common_name(X509_get_subject_name(certificate));
    default:
      return whose + ": " + X509_verify_cert_error_string(error);
  }
}

// Which of its versions a file is; empty when it is not there.
std::string file_version(const std::string& path) {
  std::error_code error;
  const auto written = std::filesystem::last_write_time(path, error).time_since_epoch().count();
  const auto size = error ? 0 : std::filesystem::file_size(path, error);
  return error ? std::string{} : fmt::format("{} {}", written, size);
}

Result<SslContext> make_context(const TlsOptions& options) {
  SslContext context(SSL_CTX_new(TLS_client_method()));
  if (!context) return fail(ErrorCode::kFailed, "TLS context: " + last_tls_error());
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_security_level(context.get(), 0);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_TICKET | SSL_OP_LEGACY_SERVER_CONNECT);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);
  // A faulty chain does not end the handshake: what is in it can be told then. See keep_fault().
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
  if (!options.verify) return context;
  const bool is_loaded = options.ca_file.empty()
                             ? SSL_CTX_set_default_verify_paths(context.get()) == 1
                             : SSL_CTX_load_verify_file(context.get(), options.ca_file.c_str()) == 1;
  if (is_loaded) return context;
  return fail(
      ErrorCode::kFailed,
      fmt::format("certificates of {}: {}", options.ca_file.empty() ? "this host" : options.ca_file, last_tls_error()));
}

// RFC 7301 3.1: each protocol behind its length.
std::string alpn_list(const TlsOptions& options) {
  std::string list;
  for (const std::string& protocol : options.alpn) {
    list += static_cast<char>(protocol.size());
    list += protocol;
  }
  return list;
}

std::string session_text(SSL* ssl, const X509* certificate) {
  std::string version = SSL_get_version(ssl);
  if (version.starts_with("TLSv")) version.replace(0, 4, "TLS ");
  const std::string_view selected = SSL_get_cipher_name(ssl);
  std::string text = fmt::format("{} {}", version, selected);
  if (certificate == nullptr) return text + ", no certificate";
  return text + fmt::format(", certificate of {} until {}", names_of(certificate).front(),
                            date_of(X509_get0_notAfter(certificate)));
}

bool has_chosen_protocol(SSL* ssl) {
  const unsigned char* protocol = nullptr;
  unsigned length = 0;
  SSL_get0_alpn_selected(ssl, &protocol, &length);
  return length > 0;
}

}  // namespace

Result<SslContext> TlsContexts::find(const TlsOptions& options) {
  const std::string key = options.verify ? options.ca_file : "-";
  const bool has_file = options.verify && !options.ca_file.empty();
  const std::string version = has_file ? file_version(options.ca_file) : std::string{};
  auto at = profiles_.find(key);
  if (at == profiles_.end() || at->second.version != version) {
    auto made = make_context(options);
    if (!made) return made.error();
    at = profiles_.insert_or_assign(key, Profile{std::move(*made), version}).first;
  }
  SSL_CTX* shared = at->second.context.get();
  SSL_CTX_up_ref(shared);
  return SslContext(shared);
}

std::string expected_name(const TlsOptions& options, const std::string& host) {
  if (!options.server_name.empty()) return options.server_name;
  if (IpAddress::parse(host)) return host;  // "2001:db8::1" has no port
  if (host.starts_with('[')) return host.substr(1, host.find(']') - 1);
  return host.substr(0, host.find(':'));
}

void keep_fault(ChainFault& fault, X509_STORE_CTX* store, const std::string& name) {
  X509* certificate = X509_STORE_CTX_get_current_cert(store);
  if (certificate == nullptr) certificate = X509_STORE_CTX_get0_cert(store);
  if (fault.error != 0 || certificate == nullptr) return;
  fault.error = X509_STORE_CTX_get_error(store);
  fault.text = fault_text(fault.error, certificate, name);
}

Result<void> prepare_tls(SSL* ssl, const TlsOptions& options, const std::string& name) {
  const bool is_address = static_cast<bool>(IpAddress::parse(name));
  X509_VERIFY_PARAM* rules = SSL_get0_param(ssl);
  bool is_ready = true;
  if (!name.empty() && !is_address) is_ready = SSL_set_tlsext_host_name(ssl, name.c_str()) == 1;
  if (is_ready && options.verify && !name.empty()) {
    X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    is_ready = (is_address ? X509_VERIFY_PARAM_set1_ip_asc(rules, name.c_str())
                           : X509_VERIFY_PARAM_set1_host(rules, name.c_str(), name.size())) == 1;
  }
  const std::string protocols = alpn_list(options);
  // This one returns 0 for success.
  if (is_ready && !protocols.empty()) {
    is_ready = SSL_set_alpn_protos(ssl, reinterpret_cast<const unsigned char*>(protocols.data()),
                                   static_cast<unsigned>(protocols.size())) == 0;
  }
  if (is_ready) return {};
  return fail(ErrorCode::kFailed, fmt::format("TLS to {}: {}", name, last_tls_error()));
}

TlsSession inspect_tls(SSL* ssl, const TlsOptions& options, const ChainFault& chain) {
  TlsSession session;
  const std::unique_ptr<X509, CertificateFree> certificate(SSL_get1_peer_certificate(ssl));
  session.text = session_text(ssl, certificate.get());
  if (certificate) session.certificate_end = time_of(X509_get0_notAfter(certificate.get()));
  if (options.verify && !certificate) {
    session.fault = "the server has no certificate";
  } else if (chain.error != 0) {
    session.fault = chain.text;
  } else if (!options.alpn.empty() && !has_chosen_protocol(ssl)) {
    session.fault = fmt::format("the server chose no protocol of {}", fmt::join(options.alpn, ", "));
  }
  return session;
}

}  // namespace xdplb
