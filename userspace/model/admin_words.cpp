// SPDX-License-Identifier: GPL-2.0-only
#include "model/admin_words.h"

#include <algorithm>

namespace xdplb {

std::string_view admin_source_name(AdminSource source) {
  switch (source) {
    case AdminSource::kConfig:
      return "config";
    case AdminSource::kOperator:
      return "operator";
    case AdminSource::kAgent:
      return "agent";
    case AdminSource::kHook:
      return "hook";
  }
  return "unknown";
}

bool DailyHours::contains(unsigned hour) const {
  if (first <= last) return hour >= first && hour <= last;
  return hour >= first || hour <= last;
}

Admin AdminWords::admin() const { return *std::max_element(words_.begin(), words_.end()); }

std::optional<AdminSource> AdminWords::source() const {
  const Admin severest = admin();
  if (severest == Admin::kReady) return std::nullopt;
  return *std::find_if(kAdminSources.begin(), kAdminSources.end(),
                       [&](AdminSource source) { return of(source) == severest; });
}

}  // namespace xdplb
