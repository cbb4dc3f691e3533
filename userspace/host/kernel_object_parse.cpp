// SPDX-License-Identifier: GPL-2.0-only
// The kernel's messages about addresses, routes and published neighbours, cleared of what it only tells.
#include "host/kernel_objects.h"
#include "host/netlink_attributes.h"

#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <limits>

namespace xdplb {
namespace {

constexpr std::uint32_t kForEver = std::numeric_limits<std::uint32_t>::max();
// States, and what the kernel works out by itself. 1: secondary (IPv4) or temporary (IPv6).
constexpr std::uint32_t kAddressStates =
    IFA_F_SECONDARY | IFA_F_OPTIMISTIC | IFA_F_DADFAILED | IFA_F_DEPRECATED | IFA_F_TENTATIVE | IFA_F_PERMANENT;
constexpr std::uint8_t kProtocolRouterAdvertisement = 9;  // RTPROT_RA
constexpr std::uint8_t kByKernelRouter = 2;               // IFAPROT_KERNEL_RA
constexpr std::uint8_t kByKernelLinkLocal = 3;            // IFAPROT_KERNEL_LL

// A message in the making: the header of `about`, its body, then attributes.
class Rebuilt {
 public:
  Rebuilt(const nlmsghdr& about, std::size_t body) {
    const auto* start = reinterpret_cast<const std::uint8_t*>(&about);
    bytes_.assign(start, start + NLMSG_HDRLEN + NLMSG_ALIGN(body));
    auto* header = reinterpret_cast<nlmsghdr*>(bytes_.data());
    header->nlmsg_flags = NLM_F_REQUEST;
    header->nlmsg_seq = 0;
    header->nlmsg_pid = 0;
  }
  template <typename T>
  T& body() {
    return *reinterpret_cast<T*>(bytes_.data() + NLMSG_HDRLEN);
  }
  void append(std::uint16_t type, std::span<const std::uint8_t> payload) {
    nlattr header{.nla_len = static_cast<std::uint16_t>(NLA_HDRLEN + payload.size()), .nla_type = type};
    const std::size_t start = bytes_.size();
    bytes_.resize(start + NLA_HDRLEN + NLA_ALIGN(payload.size()));
    std::memcpy(bytes_.data() + start, &header, sizeof(header));
    if (!payload.empty()) std::memcpy(bytes_.data() + start + NLA_HDRLEN, payload.data(), payload.size());
  }
  std::vector<std::uint8_t> take() {
    reinterpret_cast<nlmsghdr*>(bytes_.data())->nlmsg_len = static_cast<std::uint32_t>(bytes_.size());
    return std::move(bytes_);
  }

 private:
  std::vector<std::uint8_t> bytes_{};
};

std::span<const std::uint8_t> payload_of(const nlattr* attribute) {
  return {static_cast<const std::uint8_t*>(mnl_attr_get_payload(attribute)), mnl_attr_get_payload_len(attribute)};
}

using Visit = std::function<void(const nlattr*)>;

// Calls `visit` with each attribute behind the body.
void each_attribute(const nlmsghdr& message, std::size_t body, Visit visit) {
  auto call = [](const nlattr* attribute, void* data) {
    (*static_cast<Visit*>(data))(attribute);
    return MNL_CB_OK;
  };
  mnl_attr_parse(&message, static_cast<unsigned>(body), call, &visit);
}

std::uint32_t read_number(std::span<const std::uint8_t> payload) {
  std::uint32_t number = 0;
  if (payload.size() >= sizeof(number)) std::memcpy(&number, payload.data(), sizeof(number));
  return number;
}

std::span<const std::uint8_t> bytes_of(const std::uint32_t& number) {
  return {reinterpret_cast<const std::uint8_t*>(&number), sizeof(number)};
}

std::vector<std::uint8_t> rebuild_address(const nlmsghdr& message, bool with_lifetime) {
  Rebuilt out(message, sizeof(ifaddrmsg));
  out.body<ifaddrmsg>().ifa_flags = 0;  // IFA_FLAGS has them all
  each_attribute(message, sizeof(ifaddrmsg), [&](const nlattr* attribute) {
    const std::uint16_t type = mnl_attr_get_type(attribute);
    if (type == IFA_CACHEINFO && !with_lifetime) return;
    if (type != IFA_FLAGS) return out.append(type, payload_of(attribute));
    const std::uint32_t flags = read_number(payload_of(attribute)) & ~kAddressStates;
    out.append(type, bytes_of(flags));
  });
  return out.take();
}

std::optional<KernelObject> parse_address(const nlmsghdr& message) {
  const auto* header = family_header<ifaddrmsg>(message);
  if (header == nullptr) return std::nullopt;
  AttributeTable attributes;
  attributes.parse(message, sizeof(ifaddrmsg));
  const nlattr* local = attributes.at[IFA_LOCAL];
  auto address = read_address(local != nullptr ? local : attributes.at[IFA_ADDRESS], header->ifa_family);
  if (!address) return std::nullopt;
  KernelObject object{.kind = KernelObjectKind::kAddress,
                      .prefix = {.address = *address, .length = header->ifa_prefixlen},
                      .ifindexes = {header->ifa_index}};
  object.is_tentative = (attributes.number(IFA_FLAGS).value_or(header->ifa_flags) & IFA_F_TENTATIVE) != 0;
  bool has_lifetime = false;
  if (const nlattr* cache = attributes.at[IFA_CACHEINFO]; cache != nullptr) {
    ifa_cacheinfo info{};
    const auto payload = payload_of(cache);
    std::memcpy(&info, payload.data(), std::min(payload.size(), sizeof(info)));
    has_lifetime = info.ifa_valid != kForEver || info.ifa_prefered != kForEver;
  }
  const std::uint8_t maker = attributes.byte(IFA_PROTO).value_or(0);
  object.lives_for_ever = !has_lifetime && maker != kByKernelRouter && maker != kByKernelLinkLocal;
  object.message = rebuild_address(message, has_lifetime);
  object.identity = rebuild_address(message, false);
  return object;
}

// What the kernel says of hops and does not take.
std::vector<std::uint8_t> clean_hops(std::span<const std::uint8_t> payload) {
  std::vector<std::uint8_t> hops(payload.begin(), payload.end());
  for (std::size_t at = 0; at + sizeof(rtnexthop) <= hops.size();) {
    auto* hop = reinterpret_cast<rtnexthop*>(hops.data() + at);
    hop->rtnh_flags &= RTNH_F_ONLINK;
    if (hop->rtnh_len < sizeof(rtnexthop)) break;
    at += NLMSG_ALIGN(hop->rtnh_len);
  }
  return hops;
}

std::vector<std::uint8_t> rebuild_route(const nlmsghdr& message, bool has_nexthop_object) {
  Rebuilt out(message, sizeof(rtmsg));
  out.body<rtmsg>().rtm_flags &= RTNH_F_ONLINK;
  each_attribute(message, sizeof(rtmsg), [&](const nlattr* attribute) {
    const std::uint16_t type = mnl_attr_get_type(attribute);
    const bool is_told_only = type == RTA_CACHEINFO || type == RTA_UID || type == RTA_IIF;
    // The kernel spells out the hops of a nexthop object, and refuses both together.
    const bool is_hop = type == RTA_OIF || type == RTA_GATEWAY || type == RTA_VIA || type == RTA_MULTIPATH ||
                        type == RTA_ENCAP || type == RTA_ENCAP_TYPE;
    if (is_told_only || (has_nexthop_object && is_hop)) return;
    if (type == RTA_MULTIPATH) return out.append(type, clean_hops(payload_of(attribute)));
    out.append(type, payload_of(attribute));
  });
  return out.take();
}

void read_hops(const AttributeTable& attributes, int family, KernelObject& object) {
  auto take = [&](const AttributeTable& hop, std::optional<std::uint32_t> ifindex) {
    if (ifindex) object.ifindexes.push_back(*ifindex);
    if (auto gateway = read_address(hop.at[RTA_GATEWAY], family)) object.gateways.push_back(*gateway);
  };
  take(attributes, attributes.number(RTA_OIF));
  const nlattr* several = attributes.at[RTA_MULTIPATH];
  if (several == nullptr) return;
  const auto payload = payload_of(several);
  for (std::size_t at = 0; at + sizeof(rtnexthop) <= payload.size();) {
    rtnexthop hop{};
    std::memcpy(&hop, payload.data() + at, sizeof(hop));
    if (hop.rtnh_len < sizeof(hop) || at + hop.rtnh_len > payload.size()) return;
    AttributeTable inner;
    mnl_attr_parse_payload(payload.data() + at + sizeof(hop), hop.rtnh_len - sizeof(hop), AttributeTable::store,
                           &inner);
    take(inner, static_cast<std::uint32_t>(hop.rtnh_ifindex));
    at += NLMSG_ALIGN(hop.rtnh_len);
  }
}

bool expires(const AttributeTable& attributes) {
  const nlattr* cache = attributes.at[RTA_CACHEINFO];
  if (cache == nullptr) return false;
  rta_cacheinfo info{};
  const auto payload = payload_of(cache);
  std::memcpy(&info, payload.data(), std::min(payload.size(), sizeof(info)));
  return info.rta_expires != 0;
}

std::optional<KernelObject> parse_route(const nlmsghdr& message) {
  const auto* header = family_header<rtmsg>(message);
  if (header == nullptr || (header->rtm_flags & RTM_F_CLONED) != 0) return std::nullopt;
  if (header->rtm_family != AF_INET && header->rtm_family != AF_INET6) return std::nullopt;
  AttributeTable attributes;
  attributes.parse(message, sizeof(rtmsg));
  const IpAddress any = header->rtm_family == AF_INET ? IpAddress() : IpAddress::v6({});
  KernelObject object{
      .kind = KernelObjectKind::kRoute,
      .prefix = {.address = read_address(attributes.at[RTA_DST], header->rtm_family).value_or(any),
                 .length = header->rtm_dst_len},
      .source = read_address(attributes.at[RTA_PREFSRC], header->rtm_family),
      .table = attributes.number(RTA_TABLE).value_or(header->rtm_table),
      .priority = attributes.number(RTA_PRIORITY).value_or(0),
      .type = header->rtm_type,
      .protocol = header->rtm_protocol,
      .lives_for_ever = !expires(attributes) && header->rtm_protocol != kProtocolRouterAdvertisement,
  };
  read_hops(attributes, header->rtm_family, object);
  object.message = rebuild_route(message, attributes.at[RTA_NH_ID] != nullptr);
  object.identity = object.message;
  return object;
}

std::optional<KernelObject> parse_published(const nlmsghdr& message) {
  const auto* header = family_header<ndmsg>(message);
  if (header == nullptr || (header->ndm_flags & NTF_PROXY) == 0) return std::nullopt;
  AttributeTable attributes;
  attributes.parse(message, sizeof(ndmsg));
  auto address = read_address(attributes.at[NDA_DST], header->ndm_family);
  if (!address) return std::nullopt;
  const auto length = static_cast<std::uint8_t>(8 * address->bytes().size());
  KernelObject object{.kind = KernelObjectKind::kPublished,
                      .prefix = {.address = *address, .length = length},
                      .ifindexes = {static_cast<std::uint32_t>(header->ndm_ifindex)}};
  Rebuilt out(message, sizeof(ndmsg));
  each_attribute(message, sizeof(ndmsg),
                 [&](const nlattr* attribute) { out.append(mnl_attr_get_type(attribute), payload_of(attribute)); });
  object.message = out.take();
  object.identity = object.message;
  return object;
}

}  // namespace

std::optional<KernelObject> parse_kernel_object(const nlmsghdr& message) {
  switch (message.nlmsg_type) {
    case RTM_NEWADDR:
      return parse_address(message);
    case RTM_NEWROUTE:
      return parse_route(message);
    case RTM_NEWNEIGH:
      return parse_published(message);
    default:
      return std::nullopt;
  }
}

std::optional<KernelObject> parse_kernel_object(std::span<const std::uint8_t> bytes) {
  // Aligned as the kernel's own.
  std::vector<std::uint8_t> copy(bytes.begin(), bytes.end());
  if (copy.size() < sizeof(nlmsghdr)) return std::nullopt;
  const auto* message = reinterpret_cast<const nlmsghdr*>(copy.data());
  if (!mnl_nlmsg_ok(message, static_cast<int>(copy.size()))) return std::nullopt;
  return parse_kernel_object(*message);
}

KernelObject without_source(const KernelObject& route) {
  const auto& message = *reinterpret_cast<const nlmsghdr*>(route.message.data());
  Rebuilt out(message, sizeof(rtmsg));
  each_attribute(message, sizeof(rtmsg), [&](const nlattr* attribute) {
    if (mnl_attr_get_type(attribute) != RTA_PREFSRC) out.append(mnl_attr_get_type(attribute), payload_of(attribute));
  });
  const auto bytes = out.take();
  auto object = parse_kernel_object(bytes);
  return object ? *object : route;
}

}  // namespace xdplb
