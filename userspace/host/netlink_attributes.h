// SPDX-License-Identifier: GPL-2.0-only
// Reads the attributes of rtnetlink messages. Only for the .cpp files that parse them.
#pragma once

#include "net/address.h"

#include <libmnl/libmnl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>

namespace xdplb {

// Attributes by type; a later duplicate wins. One size for all messages: beyond every type that is read here, and types
// beyond it are dropped.
struct AttributeTable {
  static constexpr std::size_t kSize = 64;
  std::array<const nlattr*, kSize> at{};

  static int store(const nlattr* attribute, void* data) {
    auto* table = static_cast<AttributeTable*>(data);
    std::uint16_t type = mnl_attr_get_type(attribute);
    if (type < kSize) table->at[type] = attribute;
    return MNL_CB_OK;
  }
  void parse(const nlmsghdr& message, unsigned offset) { mnl_attr_parse(&message, offset, store, this); }
  void parse_nested(const nlattr* nest) { mnl_attr_parse_nested(nest, store, this); }

  std::optional<std::uint32_t> number(std::size_t type) const {
    if (at[type] == nullptr || mnl_attr_get_payload_len(at[type]) < sizeof(std::uint32_t)) return std::nullopt;
    return mnl_attr_get_u32(at[type]);
  }
  std::optional<std::uint8_t> byte(std::size_t type) const {
    if (at[type] == nullptr || mnl_attr_get_payload_len(at[type]) < 1) return std::nullopt;
    return mnl_attr_get_u8(at[type]);
  }
};

// The part of a message after its header, or nullptr when it is shorter than T.
template <typename T>
const T* family_header(const nlmsghdr& message) {
  if (mnl_nlmsg_get_payload_len(&message) < sizeof(T)) return nullptr;
  return static_cast<const T*>(mnl_nlmsg_get_payload(&message));
}

// nullopt for bytes that are no address of `family` (AF_INET, AF_INET6).
inline std::optional<IpAddress> make_address(std::span<const std::uint8_t> data, int family) {
  if (family == AF_INET && data.size() == 4) {
    std::array<std::uint8_t, 4> bytes{};
    std::copy_n(data.begin(), bytes.size(), bytes.begin());
    return IpAddress::v4(bytes);
  }
  if (family == AF_INET6 && data.size() == 16) {
    std::array<std::uint8_t, 16> bytes{};
    std::copy_n(data.begin(), bytes.size(), bytes.begin());
    return IpAddress::v6(bytes);
  }
  return std::nullopt;
}

// nullopt for a missing attribute, too.
inline std::optional<IpAddress> read_address(const nlattr* attribute, int family) {
  if (attribute == nullptr) return std::nullopt;
  const auto* data = static_cast<const std::uint8_t*>(mnl_attr_get_payload(attribute));
  return make_address({data, mnl_attr_get_payload_len(attribute)}, family);
}

// Zero for a missing attribute and for one that is no Ethernet address.
inline MacAddress read_mac(const nlattr* attribute) {
  MacAddress mac;
  if (attribute != nullptr && mnl_attr_get_payload_len(attribute) == mac.bytes.size()) {
    std::memcpy(mac.bytes.data(), mnl_attr_get_payload(attribute), mac.bytes.size());
  }
  return mac;
}

// Empty for a missing one.
inline std::string read_text(const nlattr* attribute) {
  if (attribute == nullptr) return {};
  const char* text = mnl_attr_get_str(attribute);
  return {text, strnlen(text, mnl_attr_get_payload_len(attribute))};
}

}  // namespace xdplb
