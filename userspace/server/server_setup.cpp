// SPDX-License-Identifier: GPL-2.0-only
#include "server/server_setup.h"

#include "server/nft_table.h"
#include "server/persist_place.h"
#include "server/setup_plan.h"
#include "server/setup_session.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

namespace xdplb {
namespace {

// What one step uncovers (a route that outlives its address), another round sees.
constexpr int kRounds = 3;

constexpr std::array<std::pair<Persistence, std::string_view>, 6> kPersistenceNames = {{
    {Persistence::kAuto, "auto"},
    {Persistence::kNetworkd, "networkd"},
    {Persistence::kIfupdown, "ifupdown"},
    {Persistence::kNetworkManager, "networkmanager"},
    {Persistence::kSysctlOnly, "sysctl-only"},
    {Persistence::kNone, "none"},
}};

template <typename T>
bool contains(const std::vector<T>& list, const T& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

std::string method_name(ServerMethod method) { return method == ServerMethod::kNft ? "nft" : "loopback"; }

// Enters the VIPAs, and where a step of others serves one of them, it needs that step from now on. Errors: kConflict
// for one that is set up by the other method.
Result<void> enter_vipas(SetupRecord& record, const SetupOptions& options, Persistence persistence) {
  for (const IpAddress& vipa : options.wish.vipas) {
    RecordedVipa wanted{.method = options.method, .ports = options.wish.ports, .persistence = persistence};
    const auto known = record.vipas.find(vipa);
    if (known != record.vipas.end() && known->second.method != options.method) {
      return fail(ErrorCode::kConflict, vipa.to_string() + ": is set up by method " +
                                            method_name(known->second.method) + "; `xdplb-server remove " +
                                            vipa.to_string() + "` first");
    }
    const bool keeps_file = known != record.vipas.end() && options.persistence == Persistence::kAuto;
    if (keeps_file) wanted.persistence = known->second.persistence;
    record.vipas[vipa] = wanted;
    for (RecordedStep& step : record.steps) {
      const bool serves = std::any_of(step.serves.begin(), step.serves.end(),
                                      [&](const IpPrefix& network) { return network.contains(vipa); });
      if (serves && !contains(step.vipas, vipa)) step.vipas.push_back(vipa);
    }
  }
  return {};
}

bool is_lasting(const SetupRecord& record, const RecordedStep& step) {
  return std::any_of(step.vipas.begin(), step.vipas.end(), [&](const IpAddress& vipa) {
    const auto found = record.vipas.find(vipa);
    return found != record.vipas.end() && found->second.persistence != Persistence::kNone;
  });
}

std::map<std::string, int> lasting_settings(const SetupRecord& record) {
  std::map<std::string, int> settings;
  for (const RecordedStep& step : record.steps) {
    if (step.setting && is_lasting(record, step)) settings[step.setting->name] = step.setting->after;
  }
  return settings;
}

// Of every kind of file that a VIPA of the record has. Errors: find_persist_place's.
Result<PersistPlace> find_places(const SetupRecord& record, const ServerPaths& paths) {
  auto all = find_persist_place(Persistence::kNone, paths);
  for (const auto& [address, vipa] : record.vipas) {
    if (!all || vipa.method == ServerMethod::kNft) continue;
    auto place = find_persist_place(vipa.persistence, paths);
    if (!place) return place;
    if (place->networkd_path.empty()) continue;
    all->networkd_path = place->networkd_path;
    all->has_networkd_file = place->has_networkd_file;
  }
  return all;
}

// Where they were written.
PersistPlace recorded_places(const SetupRecord& record) {
  PersistPlace place{.has_systemd = true};
  for (const RecordedFile& file : record.files) {
    if (!file.path.starts_with("/etc/systemd/network/")) continue;
    place.networkd_path = file.path;
    place.has_networkd_file = file.path != kOwnNetworkdFile;
  }
  const bool has_table = std::any_of(record.files.begin(), record.files.end(),
                                     [](const RecordedFile& file) { return file.path.ends_with(".nft"); });
  const bool has_unit = std::any_of(record.files.begin(), record.files.end(),
                                    [](const RecordedFile& file) { return file.path.ends_with(".service"); });
  place.has_systemd = !has_table || has_unit;
  return place;
}

// Until nothing is left to do, or nothing more can be done.
Result<void> make_steps(SetupSession& session, const SetupOptions& options, bool is_lasting) {
  for (int round = 0; round < kRounds; ++round) {
    auto facts = read_server_facts();
    if (!facts) return facts.error();
    if (round == 0) {
      if (auto brought = session.bring_nft(has_nft_table(*facts)); !brought) return brought;
      if (session.changes() > 0 && !session.is_dry_run()) facts = read_server_facts();
      if (!facts) return facts.error();
    }
    const unsigned before = session.changes();
    for (const SetupStep& step : plan_setup(*facts, options.wish, options.method, is_lasting)) {
      if (auto made = session.make(step); !made) return made;
    }
    if (session.changes() == before || session.is_dry_run()) break;
  }
  return {};
}

void note_what_is_not_kept(SetupSession& session, const SetupOptions& options) {
  for (const IpAddress& vipa : options.wish.vipas) {
    const RecordedVipa& recorded = session.record().vipas[vipa];
    if (session.changes() == 0 || recorded.persistence != Persistence::kSysctlOnly) continue;
    session.note(vipa.to_string() + (recorded.method == ServerMethod::kNft ? ": its redirection" : ": the alias") +
                 " will not survive a reboot: nothing is known here that would bring it back");
  }
}

Error not_set_up(const IpAddress& vipa) {
  return fail(ErrorCode::kNotFound, vipa.to_string() + ": not set up by xdplb-server here");
}

// All that the record knows, or those asked for. Errors: kNotFound.
Result<std::vector<IpAddress>> find_recorded(const SetupRecord& record, const std::vector<IpAddress>& asked) {
  std::vector<IpAddress> known;
  for (const auto& [address, vipa] : record.vipas) known.push_back(address);
  for (const RecordedStep& step : record.steps) {
    for (const IpAddress& vipa : step.vipas) {
      if (!contains(known, vipa)) known.push_back(vipa);
    }
  }
  for (const IpAddress& vipa : asked) {
    if (!contains(known, vipa)) return not_set_up(vipa);
  }
  return asked.empty() ? known : asked;
}

// Steps that nobody needs any more: addresses and routes first, the silence last.
Result<void> undo_steps(SetupSession& session, const std::vector<IpAddress>& gone) {
  for (const bool is_setting : {false, true}) {
    for (std::size_t left = session.record().steps.size(); left > 0; --left) {
      RecordedStep& step = session.record().steps[left - 1];
      if (step.setting.has_value() != is_setting) continue;
      const bool is_needed = std::any_of(step.vipas.begin(), step.vipas.end(),
                                         [&](const IpAddress& vipa) { return !contains(gone, vipa); });
      if (is_needed) {
        std::erase_if(step.vipas, [&](const IpAddress& vipa) { return contains(gone, vipa); });
        continue;
      }
      if (auto undone = session.undo(left - 1); !undone) return undone;
    }
  }
  return {};
}

}  // namespace

std::string_view persistence_name(Persistence persistence) {
  for (const auto& [known, name] : kPersistenceNames) {
    if (known == persistence) return name;
  }
  return "";
}

Result<Persistence> parse_persistence(std::string_view text) {
  std::string words;
  for (const auto& [known, name] : kPersistenceNames) {
    if (name == text) return known;
    words += (words.empty() ? "" : ", ") + std::string(name);
  }
  return fail(ErrorCode::kUsage, "persistence " + std::string(text) + ": one of " + words);
}

Result<unsigned> setup_server(const SetupOptions& options, const ServerPaths& paths, const SetupTold& told) {
  auto persistence = choose_persistence(options.persistence, paths);
  if (!persistence) return persistence.error();
  auto session = SetupSession::open(paths, options.is_dry_run, told);
  if (!session) return session.error();
  if (auto undone = session->undo_pending(); !undone) return undone.error();
  if (auto entered = enter_vipas(session->record(), options, *persistence); !entered) return entered.error();
  const auto place = find_places(session->record(), paths);
  if (!place) return place.error();
  if (auto made = make_steps(*session, options, *persistence != Persistence::kNone); !made) return made.error();
  SetupRecord& record = session->record();
  auto files = session->bring_files(make_persisted_files(record.vipas, lasting_settings(record), *place));
  if (!files) return files.error();
  note_what_is_not_kept(*session, options);
  if (auto saved = session->save(); !saved) return saved.error();
  return session->changes();
}

Result<unsigned> remove_server(const std::vector<IpAddress>& vipas, bool is_dry_run, const ServerPaths& paths,
                               const SetupTold& told) {
  auto session = SetupSession::open(paths, is_dry_run, told);
  if (!session) return session.error();
  SetupRecord& record = session->record();
  if (session->was_made_anew()) {
    session->note("the network namespace was made anew since: nothing of the set-up is left in it");
    if (auto saved = session->save(); !saved) return saved.error();
    return session->changes();
  }
  auto gone = find_recorded(record, vipas);
  if (!gone) return gone.error();
  // Files alone are left when an earlier run could not take them away.
  if (gone->empty() && record.is_empty()) return fail(ErrorCode::kNotFound, "no VIPA was set up by xdplb-server here");
  const PersistPlace place = recorded_places(record);
  std::erase_if(record.vipas, [&](const auto& entry) { return contains(*gone, entry.first); });
  // Files for those that stay, with the settings that they need.
  SetupRecord staying = record;
  for (RecordedStep& step : staying.steps) {
    std::erase_if(step.vipas, [&](const IpAddress& vipa) { return contains(*gone, vipa); });
  }
  auto files = session->bring_files(make_persisted_files(record.vipas, lasting_settings(staying), place));
  if (!files) return files.error();
  if (auto brought = session->bring_nft(true); !brought) return brought.error();
  if (auto undone = undo_steps(*session, *gone); !undone) return undone.error();
  if (auto saved = session->save(); !saved) return saved.error();
  return session->changes();
}

}  // namespace xdplb
