// SPDX-License-Identifier: GPL-2.0-only
#include "model/port_changes.h"

namespace xdplb {
namespace {

template <typename T>
void set(T& field, const std::optional<T>& value) {
  if (value) field = *value;
}

template <typename T>
void note(std::optional<T>& change, const T& value, const T& usual) {
  if (value != usual) change = value;
}

}  // namespace

void PortChanges::apply(PortConfig& port) const {
  set(port.pick, pick);
  set(port.stale_timeout_s, stale_timeout_s);
  set(port.on_stale, on_stale);
  set(port.no_server, no_server);
  set(port.sticky_s, sticky_s);
  set(port.sticky_mask_v4, sticky_mask_v4);
  set(port.sticky_mask_v6, sticky_mask_v6);
  set(port.crossport, crossport);
  set(port.udp_tracking, udp_tracking);
  set(port.new_flow_limit, new_flow_limit);
  set(port.half_open_limit, half_open_limit);
}

PortChanges options_of(const PortConfig& port) {
  const PortConfig usual;
  PortChanges options;
  note(options.pick, port.pick, usual.pick);
  note(options.stale_timeout_s, port.stale_timeout_s, usual.stale_timeout_s);
  note(options.on_stale, port.on_stale, usual.on_stale);
  note(options.no_server, port.no_server, usual.no_server);
  note(options.sticky_s, port.sticky_s, usual.sticky_s);
  note(options.sticky_mask_v4, port.sticky_mask_v4, usual.sticky_mask_v4);
  if (port.sticky_mask_v6 != usual.sticky_mask_v6) {
    options.sticky_mask_v4 = port.sticky_mask_v4;
    options.sticky_mask_v6 = port.sticky_mask_v6;
  }
  note(options.crossport, port.crossport, usual.crossport);
  note(options.udp_tracking, port.udp_tracking, usual.udp_tracking);
  note(options.new_flow_limit, port.new_flow_limit, usual.new_flow_limit);
  note(options.half_open_limit, port.half_open_limit, usual.half_open_limit);
  return options;
}

}  // namespace xdplb
