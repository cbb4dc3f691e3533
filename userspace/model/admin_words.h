// SPDX-License-Identifier: GPL-2.0-only
// What is said of a server's administration, and by whom: each source takes back only its own word. Pure.
#pragma once

#include "model/config.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace xdplb {

enum class AdminSource : std::uint8_t { kConfig, kOperator, kAgent, kHook };
inline constexpr std::array kAdminSources = {AdminSource::kConfig, AdminSource::kOperator, AdminSource::kAgent,
                                             AdminSource::kHook};
std::string_view admin_source_name(AdminSource source);  // "config", "operator", "agent", "hook"

// Every day from the beginning of hour `first` to the end of hour `last`, local time, 0..23; first > last: over
// midnight. "2 5" is 02:00 to 05:59:59.
struct DailyHours {
  unsigned first = 0;
  unsigned last = 0;
  bool operator==(const DailyHours&) const = default;
  bool contains(unsigned hour) const;
};

// One word of each source.
class AdminWords {
 public:
  Admin of(AdminSource source) const { return words_[static_cast<std::size_t>(source)]; }
  void set(AdminSource source, Admin admin) { words_[static_cast<std::size_t>(source)] = admin; }
  // The most severe word.
  Admin admin() const;
  // Who said it; the first in the order of kAdminSources when several did. nullopt when all say ready.
  std::optional<AdminSource> source() const;
  bool operator==(const AdminWords&) const = default;

 private:
  std::array<Admin, kAdminSources.size()> words_{};  // by source; kReady: nothing was said
};

}  // namespace xdplb
