// SPDX-License-Identifier: GPL-2.0-only
#include "frames.h"

#include <linux/icmp.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <arpa/inet.h>

#include <array>
#include <bit>
#include <cstring>
#include <span>

namespace xdplb::bench {
namespace {

constexpr std::size_t kTransportBytes =
    sizeof(tcphdr);  // UDP fills the rest with payload, so that frames are equally long
constexpr std::size_t kTrafficBytes = 8;

// A frame that grows. Not a vector: g++ 12 warns of overflows in its insert that there are none of.
class Bytes {
 public:
  std::size_t size() const { return size_; }
  std::uint8_t* data() { return bytes_.data(); }
  void resize(std::size_t size) { size_ = size; }
  std::span<const std::uint8_t> all() const { return {bytes_.data(), size_}; }

 private:
  std::array<std::uint8_t, 128> bytes_ = {};
  std::size_t size_ = 0;
};

template <typename T>
void append(Bytes& bytes, const T& value) {
  const std::size_t start = bytes.size();
  bytes.resize(start + sizeof(T));
  std::memcpy(bytes.data() + start, &value, sizeof(T));
}

std::uint32_t sum_of(std::span<const std::uint8_t> bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) sum += static_cast<std::uint32_t>(bytes[i] << 8 | bytes[i + 1]);
  return sum;
}

// RFC 1071, in network order.
std::uint16_t checksum_of(std::uint32_t sum) {
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return htons(static_cast<std::uint16_t>(~sum));
}

void append_ethernet(Bytes& frame, const FrameSpec& spec) {
  const ethhdr ethernet = {.h_dest = {2, 0, 0, 0, 0, 0x10},
                           .h_source = {2, 0, 0, 0, 0, 0x20},
                           .h_proto = htons(spec.vlan          ? ETH_P_8021Q
                                            : spec.family == 4 ? ETH_P_IP
                                                               : ETH_P_IPV6)};
  append(frame, ethernet);
  if (!spec.vlan) return;
  append(frame, htons(100));
  append(frame, htons(spec.family == 4 ? ETH_P_IP : ETH_P_IPV6));
}

std::uint8_t protocol_of(const FrameSpec& spec) {
  return spec.transport == Transport::kUdp ? IPPROTO_UDP : IPPROTO_TCP;
}

constexpr std::uint32_t kFirstClient = 0xc6120000;

struct Ipv4 {
  std::uint8_t protocol = IPPROTO_TCP;
  std::uint32_t source = 0;  // network order
  std::uint32_t destination = 0;
  std::size_t payload_bytes = kTransportBytes + kTrafficBytes;
};

void append_ipv4(Bytes& frame, const Ipv4& spec) {
  const std::size_t start = frame.size();
  iphdr ip = {};
  ip.version = 4;
  ip.ihl = 5;
  ip.tot_len = htons(static_cast<std::uint16_t>(sizeof(iphdr) + spec.payload_bytes));
  ip.id = 0xffff;  // bytes 28 and 29 of the frame are 0: the sum that generate() keeps
  ip.ttl = 64;
  ip.protocol = spec.protocol;
  ip.saddr = spec.source;
  ip.daddr = spec.destination;
  append(frame, ip);
  ip.check = checksum_of(sum_of({frame.data() + start, sizeof(ip)}));
  std::memcpy(frame.data() + start, &ip, sizeof(ip));
}

// RFC 792: fragmentation needed, with the header and the first 8 bytes of what the VIPA sent to the first client.
void append_icmp_error(Bytes& frame, const FrameSpec& spec) {
  constexpr std::size_t kInnerBytes = 8;
  append_ipv4(frame, {.protocol = IPPROTO_ICMP,
                      .source = htonl(0xc0000201),
                      .destination = vipa_of(spec.cluster_index),
                      .payload_bytes = sizeof(icmphdr) + sizeof(iphdr) + kInnerBytes});
  const std::size_t start = frame.size();
  icmphdr icmp = {};
  icmp.type = ICMP_DEST_UNREACH;
  icmp.code = ICMP_FRAG_NEEDED;
  icmp.un.frag.mtu = htons(1400);
  append(frame, icmp);
  append_ipv4(frame, {.source = vipa_of(spec.cluster_index), .destination = htonl(kFirstClient)});
  append(frame, htons(kPort));
  append(frame, htons(kFirstClientPort));
  append(frame, std::uint32_t{0});
  icmp.checksum = checksum_of(sum_of(frame.all().subspan(start)));
  std::memcpy(frame.data() + start, &icmp, sizeof(icmp));
}

void append_ipv6(Bytes& frame, const FrameSpec& spec) {
  ipv6hdr ip = {};
  ip.version = 6;
  ip.payload_len = htons(kTransportBytes + kTrafficBytes);
  ip.nexthdr = protocol_of(spec);
  ip.hop_limit = 64;
  ip.saddr.s6_addr32[0] = htonl(0x20010db8);
  ip.saddr.s6_addr32[1] = htonl(0x00010000);
  vipa6_of(spec.cluster_index, ip.daddr.s6_addr32);
  append(frame, ip);
}

void append_transport(Bytes& frame, const FrameSpec& spec) {
  const std::size_t start = frame.size();
  if (spec.transport == Transport::kUdp) {
    append(frame, udphdr{.source = htons(kFirstClientPort), .dest = htons(kPort), .len = htons(28), .check = 0});
  } else {
    tcphdr tcp = {};
    tcp.source = htons(kFirstClientPort);
    tcp.dest = htons(kPort);
    tcp.ack_seq = htonl(0xffff0000 | static_cast<std::uint16_t>(~kFirstClientPort));  // what generate() writes
    tcp.doff = 5;
    tcp.window = htons(65535);
    tcp.syn = spec.transport == Transport::kTcpSyn;
    tcp.ack = !tcp.syn;
    append(frame, tcp);
  }
  frame.resize(start + kTransportBytes);
}

// struct traffic: random, address_mask, port_mask.
void append_traffic(Bytes& frame, const FrameSpec& spec) {
  const int bits = std::countr_zero(spec.flows) / 2;
  const auto mask = static_cast<std::uint16_t>((1U << bits) - 1);
  append(frame, spec.random);
  append(frame, mask);
  append(frame, mask);
}

void set_tcp_checksum(Bytes& frame, std::size_t ip_start) {
  const std::span<const std::uint8_t> all = frame.all();
  const std::size_t segment_bytes = kTransportBytes + kTrafficBytes;
  std::uint32_t sum = sum_of(all.subspan(ip_start + offsetof(iphdr, saddr), 8));
  sum += IPPROTO_TCP + static_cast<std::uint32_t>(segment_bytes);
  sum += sum_of(all.subspan(ip_start + sizeof(iphdr), segment_bytes));
  const std::uint16_t checksum = checksum_of(sum);
  std::memcpy(frame.data() + ip_start + sizeof(iphdr) + offsetof(tcphdr, check), &checksum, sizeof(checksum));
}

}  // namespace

std::uint32_t vipa_of(std::uint32_t cluster_index) { return htonl(0x0a630000 + cluster_index); }

void vipa6_of(std::uint32_t cluster_index, std::uint32_t (&words)[4]) {
  words[0] = htonl(0x20010db8);
  words[1] = htonl(0x00990000);
  words[2] = 0;
  words[3] = htonl(cluster_index);
}

std::vector<std::uint8_t> make_frame(const FrameSpec& spec) {
  Bytes frame;
  append_ethernet(frame, spec);
  const std::size_t ip_start = frame.size();
  if (spec.transport == Transport::kIcmpError) {
    append_icmp_error(frame, spec);
    return {frame.all().begin(), frame.all().end()};
  }
  if (spec.family == 4) {
    append_ipv4(
        frame,
        {.protocol = protocol_of(spec), .source = htonl(kFirstClient), .destination = vipa_of(spec.cluster_index)});
  } else {
    append_ipv6(frame, spec);
  }
  append_transport(frame, spec);
  append_traffic(frame, spec);
  if (spec.family == 4 && spec.transport != Transport::kUdp) set_tcp_checksum(frame, ip_start);
  return {frame.all().begin(), frame.all().end()};
}

}  // namespace xdplb::bench
