// SPDX-License-Identifier: GPL-2.0-only
// SetupSession: one run of setup or remove over the record of its namespace. What is changed is recorded before.
#pragma once

#include "base/file_descriptor.h"
#include "host/kernel_objects.h"
#include "server/persist_files.h"
#include "server/server_setup.h"
#include "server/setup_record.h"

#include <string>
#include <utility>
#include <vector>

namespace xdplb {

class SetupSession {
 public:
  // Loads the record, and lets no other run at it meanwhile. Errors: kPermission without root, unless it is a dry run;
  // kConflict when another runs; load_record's.
  static Result<SetupSession> open(const ServerPaths& paths, bool is_dry_run, SetupTold told);

  SetupRecord& record() { return record_; }
  unsigned changes() const { return changes_; }
  bool is_dry_run() const { return is_dry_run_; }
  // The namespace was made anew since, so nothing of the record is left in it; the record is empty now.
  bool was_made_anew() const { return was_made_anew_; }

  // A line that is no change.
  void note(const std::string& text) const { told_("note: " + text); }

  // Each does and tells one change, or a few. Errors: os_error naming the object.
  Result<void> make(const SetupStep& step);
  Result<void> undo(std::size_t index);  // of record().steps, which loses it
  Result<void> bring_files(const std::vector<PersistedFile>& wanted);
  Result<void> bring_nft(bool is_there);  // what record().vipas want
  Result<void> undo_pending();            // steps at which another run was killed

  // As it is now, also when nothing was changed.
  Result<void> save();

 private:
  SetupSession(ServerPaths paths, bool is_dry_run, SetupTold told, KernelObjects kernel)
      : paths_(std::move(paths)), is_dry_run_(is_dry_run), told_(std::move(told)), kernel_(std::move(kernel)) {}
  Result<void> lock();
  Result<void> load();
  void tell_change(const std::string& text);
  Result<void> make_setting(const SetupStep& step, const SetSysctl& set);
  Result<void> make_objects(const SetupStep& step);
  Result<void> undo_setting(const SetSysctl& set);
  Result<void> undo_objects(const RecordedStep& step);
  Result<void> write_file(const PersistedFile& wanted);
  Result<void> restore_file(const RecordedFile& file);
  Result<std::optional<std::string>> read_file(const std::string& path, bool is_link) const;

  ServerPaths paths_;
  bool is_dry_run_;
  SetupTold told_;
  KernelObjects kernel_;
  FileDescriptor lock_{};
  SetupRecord record_{};
  unsigned changes_ = 0;
  bool was_made_anew_ = false;
};

}  // namespace xdplb
