// SPDX-License-Identifier: GPL-2.0-only
#include "cli/typed.h"

#include "cli/context.h"
#include "model/option_text.h"
#include "model/text.h"

#include <fmt/format.h>

namespace xdplb {

// Text that somebody typed and that no object can be called is a mistake of usage, not of a configuration.
Result<std::string> typed_name(const std::string& text, std::string_view what) {
  if (const auto good = check_name(text, what); !good) return fail(ErrorCode::kUsage, good.error().message);
  return text;
}

Result<PortPath> typed_port(const std::string& text) {
  auto path = PortPath::parse(text);
  if (!path) return path.error();
  if (auto name = typed_name(path->cluster, "cluster"); !name) return name.error();
  return path;
}

Result<ServerPath> typed_server(const std::string& text) {
  auto path = ServerPath::parse(text);
  if (!path) return path.error();
  if (auto name = typed_name(path->port.cluster, "cluster"); !name) return name.error();
  return path;
}

Result<std::vector<IpAddress>> typed_list(const std::string& text, std::size_t max) {
  auto addresses = parse_address_list(text);
  if (!addresses || addresses->size() <= max) return addresses;
  return fail(ErrorCode::kUsage,
              fmt::format("there are {} addresses, at most {} are possible", addresses->size(), max));
}

Result<IpAddress> typed_vipa(const std::string& text) {
  const auto address = IpAddress::parse(text);
  if (!address) return fail(ErrorCode::kUsage, "vipa: " + address.error().message);
  return *address;
}

Result<std::string> typed_interface(const std::string& text) {
  if (is_interface_name(text)) return text;
  return fail(ErrorCode::kUsage, fmt::format("interface {}: not a name an interface can have", quote(text)));
}

Result<TypedAddresses> typed_addresses(const std::vector<std::string>& texts) {
  TypedAddresses typed;
  for (const std::string& text : texts) {
    if (auto added = of_option("address", add_cluster_address(text, typed.addresses, typed.prefixes)); !added) {
      return added.error();
    }
  }
  return typed;
}

Result<unsigned> typed_weight(const std::string& text) {
  const auto number = parse_number(text, kMaxWeight, "--weight");
  if (number) return *number;
  return fail(ErrorCode::kUsage, fmt::format("--weight {}: a weight is a whole number from 0 to {}", text, kMaxWeight));
}

Result<Family> typed_family(const std::string& text) {
  if (text == family_name(Family::kV4)) return Family::kV4;
  if (text == family_name(Family::kV6)) return Family::kV6;
  return fail(ErrorCode::kUsage, fmt::format("--family {}: a family is v4 or v6", text));
}

Result<bool> typed_switch(std::string_view option, const std::string& text) {
  if (text == "on" || text == "off") return text == "on";
  return fail(ErrorCode::kUsage, fmt::format("{} {}: it is on or off", option, text));
}

Result<unsigned> typed_count(std::string_view option, const std::string& text, unsigned max, unsigned min) {
  const auto number = parse_number(text, max, option);
  if (!number) return number.error();
  if (*number >= min) return *number;
  return fail(ErrorCode::kUsage, fmt::format("{} {}: it is a whole number from {} to {}", option, text, min, max));
}

}  // namespace xdplb
