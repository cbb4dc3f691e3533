// SPDX-License-Identifier: GPL-2.0-only
#include "daemon/claimants.h"

namespace xdplb {
namespace {

// MACs come from the network: no more of them are kept.
constexpr std::size_t kMostEntries = 256;

template <typename T>
std::vector<T> recent(const std::map<T, Claimants::Clock::time_point>& book, Claimants::Clock::time_point now) {
  std::vector<T> list;
  for (const auto& [entry, at] : book)
    if (now - at < Claimants::kMemory) list.push_back(entry);
  return list;
}

}  // namespace

template <typename T>
void Claimants::note(std::map<T, Clock::time_point>& book, const T& entry, Clock::time_point now) {
  if (book.size() >= kMostEntries)
    std::erase_if(book, [now](const auto& known) { return now - known.second >= kMemory; });
  if (book.size() < kMostEntries || book.contains(entry)) book[entry] = now;
}

bool Claimants::is_due(const IpAddress& vipa, Clock::time_point owned_since,
                       std::optional<Clock::time_point> claimed_at, Clock::time_point now) {
  if (now - owned_since < kInterval || (claimed_at && now - *claimed_at < kAfterClaim)) return false;
  std::erase_if(asked_, [now](const auto& asked) { return now - asked.second >= kInterval; });
  return asked_.emplace(vipa, now).second;
}

void Claimants::note_server(const ServerPath& server, const IpAddress& vipa, Clock::time_point now) {
  note(leaks_, {.server = server, .vipa = vipa}, now);
}

void Claimants::note_stranger(const Stranger& stranger, Clock::time_point now) { note(strangers_, stranger, now); }

std::vector<Claimants::Leak> Claimants::leaks(Clock::time_point now) const { return recent(leaks_, now); }

std::vector<Claimants::Stranger> Claimants::strangers(Clock::time_point now) const { return recent(strangers_, now); }

}  // namespace xdplb
