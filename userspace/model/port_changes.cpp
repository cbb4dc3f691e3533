// SPDX-License-Identifier: GPL-2.0-only
#include "model/port_changes.h"

#include "model/optional_fields.h"

namespace xdplb {

void PortChanges::apply(PortConfig& port) const {
  set_field(port.pick, pick);
  set_field(port.stale_timeout_s, stale_timeout_s);
  set_field(port.on_stale, on_stale);
  set_field(port.no_server, no_server);
  set_field(port.sticky_s, sticky_s);
  set_field(port.sticky_mask_v4, sticky_mask_v4);
  set_field(port.sticky_mask_v6, sticky_mask_v6);
  set_field(port.crossport, crossport);
  set_field(port.udp_tracking, udp_tracking);
  set_field(port.new_flow_limit, new_flow_limit);
  set_field(port.half_open_limit, half_open_limit);
  set_field(port.min_up, min_up);
  set_field(port.on_all_down, on_all_down);
  set_field(port.slow_start_s, slow_start_s);
}

PortChanges options_of(const PortConfig& port) {
  const PortConfig usual;
  PortChanges options;
  note_field(options.pick, port.pick, usual.pick);
  note_field(options.stale_timeout_s, port.stale_timeout_s, usual.stale_timeout_s);
  note_field(options.on_stale, port.on_stale, usual.on_stale);
  note_field(options.no_server, port.no_server, usual.no_server);
  note_field(options.sticky_s, port.sticky_s, usual.sticky_s);
  note_field(options.sticky_mask_v4, port.sticky_mask_v4, usual.sticky_mask_v4);
  if (port.sticky_mask_v6 != usual.sticky_mask_v6) {
    options.sticky_mask_v4 = port.sticky_mask_v4;
    options.sticky_mask_v6 = port.sticky_mask_v6;
  }
  note_field(options.crossport, port.crossport, usual.crossport);
  note_field(options.udp_tracking, port.udp_tracking, usual.udp_tracking);
  note_field(options.new_flow_limit, port.new_flow_limit, usual.new_flow_limit);
  note_field(options.half_open_limit, port.half_open_limit, usual.half_open_limit);
  note_field(options.min_up, port.min_up, usual.min_up);
  note_field(options.on_all_down, port.on_all_down, usual.on_all_down);
  note_field(options.slow_start_s, port.slow_start_s, usual.slow_start_s);
  return options;
}

}  // namespace xdplb
