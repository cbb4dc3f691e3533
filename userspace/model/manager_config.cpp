// SPDX-License-Identifier: GPL-2.0-only
#include "model/manager_config.h"

#include "model/optional_fields.h"

namespace xdplb {

void ManagerChanges::apply(ManagerConfig& manager) const {
  set_field(manager.is_on, is_on);
  set_field(manager.proportions, proportions);
  set_field(manager.interval_s, interval_s);
  set_field(manager.refresh, refresh);
  set_field(manager.sensitivity, sensitivity);
  set_field(manager.smoothing_tenths, smoothing_tenths);
  set_field(manager.weight_bound, weight_bound);
}

}  // namespace xdplb
