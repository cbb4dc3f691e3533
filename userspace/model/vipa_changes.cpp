// SPDX-License-Identifier: GPL-2.0-only
#include "model/vipa_changes.h"

#include "model/optional_fields.h"

namespace xdplb {

void VipaChanges::apply(VipaConfig& vipa) const {
  set_field(vipa.preferred, preferred);
  const bool is_routed = vipa.preferred && vipa.preferred->empty();
  if (preferred && !is_routed) vipa.proxy.reset();
  set_field(vipa.proxy, proxy);
  set_field(vipa.is_local, is_local);
  set_field(vipa.is_backup, is_backup);
  set_field(vipa.failback, failback);
  set_field(vipa.hold_s, hold_s);
  set_field(vipa.on_conflict, on_conflict);
  set_field(vipa.probe, probe);
  set_field(vipa.refresh_s, refresh_s);
}

VipaChanges options_of(const VipaConfig& vipa) {
  const VipaConfig usual;
  VipaChanges options;
  note_field(options.preferred, vipa.preferred, usual.preferred);
  note_field(options.proxy, vipa.proxy, usual.proxy);
  note_field(options.is_local, vipa.is_local, usual.is_local);
  note_field(options.is_backup, vipa.is_backup, usual.is_backup);
  note_field(options.failback, vipa.failback, usual.failback);
  note_field(options.hold_s, vipa.hold_s, usual.hold_s);
  note_field(options.on_conflict, vipa.on_conflict, usual.on_conflict);
  note_field(options.probe, vipa.probe, usual.probe);
  note_field(options.refresh_s, vipa.refresh_s, usual.refresh_s);
  return options;
}

void HealthChanges::apply(HealthConfig& health) const {
  set_field(health.reach_targets, reach_targets);
  set_field(health.needs_all_targets, needs_all_targets);
  set_field(health.reach_interval_s, reach_interval_s);
  set_field(health.reach_missed, reach_missed);
  set_field(health.up_delay_s, up_delay_s);
  set_field(health.down_delay_s, down_delay_s);
}

HealthChanges options_of(const HealthConfig& health) {
  const HealthConfig usual;
  HealthChanges options;
  note_field(options.reach_targets, health.reach_targets, usual.reach_targets);
  note_field(options.needs_all_targets, health.needs_all_targets, usual.needs_all_targets);
  note_field(options.reach_interval_s, health.reach_interval_s, usual.reach_interval_s);
  note_field(options.reach_missed, health.reach_missed, usual.reach_missed);
  note_field(options.up_delay_s, health.up_delay_s, usual.up_delay_s);
  note_field(options.down_delay_s, health.down_delay_s, usual.down_delay_s);
  return options;
}

}  // namespace xdplb
