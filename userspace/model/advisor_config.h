// SPDX-License-Identifier: GPL-2.0-only
// How the servers of a port are probed, as the operator says it: passive structs, their defaults and rules.
#pragma once

#include "base/result.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace xdplb {

// The presets are conversations of advisor_steps(); kComposite asks several others.
enum class AdvisorType : std::uint8_t {
  kConnect,
  kPing,
  kHttp,
  kHttps,
  kTcp,
  kDns,
  kUdp,
  kAgent,
  kExec,
  kComposite,
  kSmtp,
  kImap,
  kPop3,
  kFtp,
  kRedis,
  kLdap,
  kMysql,
  kPgsql,
  kSip,
  kNntp,
  kTelnet,
};
std::string_view advisor_type_name(AdvisorType type);  // "connect", "ping", "http", ..., "composite", "smtp", ...
// A conversation of our own that kTcp could hold, too.
bool is_preset(AdvisorType type);

// Which way a probe takes. kVip: VIPA in the IP header, the server's MAC in the frame, as a client's packet. kOwn: the
// server's own address. kBoth: both, and both must answer.
enum class ProbeWay : std::uint8_t { kVip, kOwn, kBoth };
std::string_view probe_way_name(ProbeWay way);  // "vip", "own", "both"

// What a composite makes of the results of its checks.
enum class Combine : std::uint8_t { kAll, kAny, kAtLeast };
std::string_view combine_name(Combine combine);  // "all", "any", "at-least"

struct StatusRange {
  std::uint16_t first = 0;  // 100..599
  std::uint16_t last = 0;   // >= first
  bool operator==(const StatusRange&) const = default;
};

// What a reply must hold: `text` literally, or a regular expression of RE2's language (linear time).
struct ReplyMatch {
  std::string text{};
  bool is_regex = false;
  bool operator==(const ReplyMatch&) const = default;
};

struct HttpOptions {
  std::string method = "GET";                                  // a token of RFC 9110
  std::string path = "/";                                      // begins with '/', or is "*"
  std::string host{};                                          // Host field and SNI; empty: the probed address
  std::vector<std::pair<std::string, std::string>> headers{};  // further fields
  std::vector<StatusRange> statuses{{200, 399}};               // never empty
  std::optional<ReplyMatch> body{};                            // must occur in the body
  std::uint32_t max_bytes = 16384;                             // of the body that are read, 1..1 MiB
  bool operator==(const HttpOptions&) const = default;
};

struct TlsOptions {
  bool verify = false;              // chain, name and dates
  std::string ca_file{};            // PEM; empty: the system's
  std::string server_name{};        // SNI and the name verified; empty: HttpOptions::host, else none
  std::vector<std::string> alpn{};  // offered; the server must choose one when not empty
  bool operator==(const TlsOptions&) const = default;
};

// One step of a conversation over TCP. Bytes as they go over the wire; documents write them with the escapes \r \n \t
// \0 \\ \xHH.
struct TcpStep {
  enum class Kind : std::uint8_t { kSend, kExpect };
  Kind kind = Kind::kSend;
  std::string bytes{};  // kSend
  ReplyMatch match{};   // kExpect
  bool operator==(const TcpStep&) const = default;
};

struct DnsOptions {
  std::string name = ".";                      // asked for
  std::string type = "SOA";                    // A, AAAA, CNAME, MX, NS, PTR, SOA, SRV, TXT
  std::vector<std::string> rcodes{"NOERROR"};  // accepted: NOERROR, NXDOMAIN, SERVFAIL, REFUSED, ...
  std::string answer{};                        // must be among the answers, as text ("192.0.2.80"); empty: any, or none
  bool over_tcp = false;                       // default of a TCP port is true
  bool operator==(const DnsOptions&) const = default;
};

enum class OnSilence : std::uint8_t { kDown, kUp };
std::string_view on_silence_name(OnSilence on_silence);  // "down", "up"

struct UdpOptions {
  std::string payload{};               // bytes sent; escapes as TcpStep
  std::optional<ReplyMatch> answer{};  // absent: any answer
  std::optional<OnSilence> silence{};  // must be said: what no answer means; ICMP port unreachable is always down
  bool operator==(const UdpOptions&) const = default;
};

struct ExecOptions {
  std::vector<std::string> command{};  // argv; [0] is an absolute path
  std::string user = "nobody";
  bool operator==(const ExecOptions&) const = default;
};

inline constexpr unsigned kMinProbeTime = 20;       // milliseconds
inline constexpr unsigned kMaxProbeTime = 3600000;  // milliseconds
inline constexpr std::size_t kMaxChecks = 8;        // of a composite; none of them is one
inline constexpr std::size_t kMaxSteps = 32;

// Times in milliseconds.
struct AdvisorConfig {
  AdvisorType type = AdvisorType::kConnect;
  ProbeWay way = ProbeWay::kVip;
  std::optional<std::uint16_t> port{};  // probed one; absent: the cluster's port. Must be said for port 0, but for ping
                                        // and exec
  unsigned interval_ms = 2000;          // between probes
  // While results contradict the state, until fall or rise decides; absent: as interval.
  std::optional<unsigned> fast_interval_ms{};
  std::optional<unsigned> down_interval_ms{};  // of a server that is down; absent: as interval
  unsigned connect_timeout_ms = 2000;
  unsigned receive_timeout_ms = 2000;  // from the request to the whole reply, TLS handshake included
  unsigned fall = 3;                   // 1..100 failures in a row: down
  unsigned rise = 2;                   // 1..100 successes in a row: up
  // Keeps one idle connection to the service; when the server ends it, it is probed at once, fast. TCP types only. Not
  // for services that serve one client at a time.
  bool watches = false;
  HttpOptions http{};            // kHttp, kHttps
  TlsOptions tls{};              // kHttps, and kTcp and presets with use_tls
  bool use_tls = false;          // kTcp, kConnect and presets: TLS from the first byte
  std::vector<TcpStep> steps{};  // kTcp: at least one
  DnsOptions dns{};
  UdpOptions udp{};
  ExecOptions exec{};
  Combine combine = Combine::kAll;      // kComposite
  unsigned at_least = 0;                // kComposite with kAtLeast: 1..checks.size()
  std::vector<AdvisorConfig> checks{};  // kComposite: 1..kMaxChecks, each with its own timeouts; their times between
                                        // probes, fall, rise, way and watches are those of the composite
  bool operator==(const AdvisorConfig&) const = default;

  unsigned fast_ms() const { return fast_interval_ms.value_or(interval_ms); }
  unsigned down_ms() const { return down_interval_ms.value_or(interval_ms); }
};

// The conversation of kTcp and of the presets; empty for the other types. Every preset ends with a polite goodbye where
// its protocol has one. Sources: RFC 5321 (smtp), 9051 (imap), 1939 (pop3), 959 (ftp), 4511 (ldap), 3261 (sip), 3977
// (nntp), RESP (redis), the MySQL and PostgreSQL protocol documents.
std::vector<TcpStep> advisor_steps(const AdvisorConfig& advisor);

// Bytes of an escaped text ("PING\\r\\n"), and back. Errors: kUsage, naming the text and the escapes there are.
Result<std::string> unescape_bytes(std::string_view text);
std::string escape_bytes(std::string_view bytes);

}  // namespace xdplb
