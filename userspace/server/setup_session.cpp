// SPDX-License-Identifier: GPL-2.0-only
#include "server/setup_session.h"

#include "host/sysctl.h"
#include "server/nft_table.h"
#include "server/object_change.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <thread>

namespace xdplb {
namespace {

// For another run that has the lock: a setup takes a fraction of a second.
constexpr auto kLockPatience = std::chrono::seconds(10);
constexpr auto kLockPause = std::chrono::milliseconds(20);

// A reboot took along what was there before; what a file of ours brought back is still ours.
void forget_lost(SetupRecord& record) {
  for (RecordedStep& step : record.steps) {
    ObjectChange& change = step.objects;
    change.lost.clear();
    std::erase_if(change.addresses_before, [&](const KernelObject& address) {
      const auto& after = change.addresses_after;
      return std::find(after.begin(), after.end(), address) == after.end();
    });
    if (step.setting || !change.raised_link) continue;
    change.raised_link = false;  // every boot raises it
    change.gained.clear();
    change.ifindex = 0;
  }
  std::erase_if(record.steps, [](const RecordedStep& step) { return !step.setting && step.objects.is_pending; });
}

RecordedStep record_of(const SetupStep& step) {
  return {.text = to_text(step.action),
          .undo_text = to_undo_text(step.action),
          .vipas = step.vipas,
          .serves = served_networks(step.action)};
}

RecordedStep* find_setting(SetupRecord& record, const std::string& name) {
  auto found = std::find_if(record.steps.begin(), record.steps.end(),
                            [&](const RecordedStep& step) { return step.setting && step.setting->name == name; });
  return found == record.steps.end() ? nullptr : &*found;
}

}  // namespace

Result<SetupSession> SetupSession::open(const ServerPaths& paths, bool is_dry_run, SetupTold told) {
  if (!is_dry_run && ::geteuid() != 0) {
    return fail(ErrorCode::kPermission, "changing this server's set-up needs root");
  }
  auto kernel = KernelObjects::open();
  if (!kernel) return kernel.error();
  SetupSession session(paths, is_dry_run, std::move(told), std::move(*kernel));
  if (!is_dry_run) {
    if (auto locked = session.lock(); !locked) return locked.error();
  }
  if (auto loaded = session.load(); !loaded) return loaded.error();
  return session;
}

Result<void> SetupSession::lock() {
  const auto folder = paths_.record.parent_path();
  std::error_code failure;
  std::filesystem::create_directories(folder, failure);
  if (failure) return os_error("make folder " + folder.string(), failure.value());
  lock_ = FileDescriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!lock_.is_open()) return os_error("open " + folder.string(), errno);
  // One at a time on a host: containers are set up side by side.
  const auto end = std::chrono::steady_clock::now() + kLockPatience;
  while (::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) return os_error("lock " + folder.string(), errno);
    if (std::chrono::steady_clock::now() >= end)
      return fail(ErrorCode::kConflict, folder.string() + ": another xdplb-server is at work; try again when it ended");
    std::this_thread::sleep_for(kLockPause);
  }
  return {};
}

Result<void> SetupSession::load() {
  auto identity = read_namespace_identity();
  if (!identity) return identity.error();
  auto record = load_record(paths_.record);
  if (!record) return record.error();
  record_ = std::move(*record);
  const bool is_same = record_.is_empty() || record_.made_in == *identity;
  if (!is_same && paths_.is_foreign) {
    record_ = {};
    was_made_anew_ = true;
  } else if (!is_same && record_.made_in.boot != identity->boot) {
    forget_lost(record_);
  }
  record_.made_in = *identity;
  return {};
}

Result<void> SetupSession::save() {
  if (is_dry_run_) return {};
  return save_record(paths_.record, record_);
}

void SetupSession::tell_change(const std::string& text) {
  ++changes_;
  told_(text);
}

Result<void> SetupSession::make(const SetupStep& step) {
  const auto* set = std::get_if<SetSysctl>(&step.action);
  if (set != nullptr) return make_setting(step, *set);
  return make_objects(step);
}

Result<void> SetupSession::make_setting(const SetupStep& step, const SetSysctl& set) {
  RecordedStep wanted = record_of(step);
  wanted.setting = set;
  if (RecordedStep* known = find_setting(record_, set.name); known != nullptr) {
    // What was there at first is what comes back, unless somebody chose another value since.
    if (set.before == known->setting->after) wanted.setting->before = known->setting->before;
    for (const IpAddress& vipa : known->vipas) {
      if (std::find(wanted.vipas.begin(), wanted.vipas.end(), vipa) == wanted.vipas.end()) wanted.vipas.push_back(vipa);
    }
    *known = wanted;
  } else {
    record_.steps.push_back(wanted);
  }
  if (!is_dry_run_) {
    if (auto saved = save(); !saved) return saved;
    if (auto written = write_sysctl(set.name, set.after); !written) return written;
  }
  tell_change(wanted.text);
  return {};
}

Result<void> SetupSession::make_objects(const SetupStep& step) {
  RecordedStep wanted = record_of(step);
  if (is_dry_run_) {
    tell_change(wanted.text);
    return {};
  }
  auto record_change = [&](const ObjectChange& change) -> Result<void> {
    wanted.objects = change;
    // Made again, it is still needed by those that needed it before.
    std::erase_if(record_.steps, [&](const RecordedStep& known) {
      if (known.text != wanted.text) return false;
      for (const IpAddress& vipa : known.vipas) {
        if (std::find(wanted.vipas.begin(), wanted.vipas.end(), vipa) == wanted.vipas.end())
          wanted.vipas.push_back(vipa);
      }
      return true;
    });
    record_.steps.push_back(wanted);
    return save();
  };
  auto outcome = make_object_change(kernel_, step.action, record_change);
  if (!outcome) return outcome.error();
  if (outcome->is_done) tell_change(wanted.text);
  for (const std::string& text : outcome->notes) note(text);
  return {};
}

Result<void> SetupSession::undo(std::size_t index) {
  const RecordedStep step = record_.steps[index];
  auto undone = step.setting ? undo_setting(*step.setting) : undo_objects(step);
  if (!undone) return undone;
  record_.steps.erase(record_.steps.begin() + static_cast<std::ptrdiff_t>(index));
  return save();
}

Result<void> SetupSession::undo_setting(const SetSysctl& set) {
  const std::string name = sysctl_text(set.name);
  auto now = read_sysctl(set.name);
  if (!now) {
    if (now.error().code != ErrorCode::kNotFound) return now.error();
    note(fmt::format("sysctl {} is gone, with its interface", name));
    return {};
  }
  if (*now == set.before) return {};
  if (*now != set.after) {
    note(fmt::format("sysctl {} is {}, which is not what setup made it ({}): it stays", name, *now, set.after));
    return {};
  }
  if (!is_dry_run_) {
    if (auto written = write_sysctl(set.name, set.before); !written) return written;
  }
  tell_change(to_undo_text(set));
  return {};
}

Result<void> SetupSession::undo_objects(const RecordedStep& step) {
  if (is_dry_run_) {
    tell_change(step.undo_text);
    return {};
  }
  auto outcome = undo_object_change(kernel_, step.objects);
  if (!outcome) return outcome.error();
  if (outcome->is_done) tell_change(step.undo_text);
  for (const std::string& text : outcome->notes) note(step.text + ": " + text);
  return {};
}

Result<void> SetupSession::undo_pending() {
  for (std::size_t left = record_.steps.size(); left > 0; --left) {
    const RecordedStep& step = record_.steps[left - 1];
    if (step.setting || !step.objects.is_pending) continue;
    note("an earlier run ended in the middle of \"" + step.text + "\": that is undone first");
    if (auto undone = undo(left - 1); !undone) return undone;
  }
  return {};
}

Result<void> SetupSession::bring_nft(bool is_there) {
  const std::string wanted = make_nft_table(record_.vipas);
  const bool is_right = wanted.empty() ? !record_.nft : record_.nft == wanted && is_there;
  if (is_right) return {};
  const std::string commands = wanted.empty() ? make_nft_removal() : wanted;
  if (!is_dry_run_) {
    if (!wanted.empty()) {
      record_.nft = wanted;
      if (auto saved = save(); !saved) return saved;
    }
    if (auto run = run_nft(commands); !run) return run;
  }
  tell_change(std::string("nft table inet xdplb_server: ") + (wanted.empty() ? "removed" : "written"));
  if (wanted.empty()) record_.nft.reset();
  return save();
}

}  // namespace xdplb
