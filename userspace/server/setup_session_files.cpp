// SPDX-License-Identifier: GPL-2.0-only
// The files of a set-up: written, and put back as they were.
#include "base/durable_file.h"
#include "server/setup_session.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

namespace xdplb {
namespace {

std::filesystem::path below(const std::filesystem::path& root, const std::string& path) {
  return root / std::filesystem::path(path).relative_path();
}

Result<void> put_file(const std::filesystem::path& path, const std::string& text, unsigned mode, bool is_link) {
  return is_link ? link_durably(path, text) : write_durably(path, text, mode);
}

// A run that was killed may have left what was ours before.
bool wrote(const RecordedFile& file, const std::string& text) { return text == file.after || text == file.former; }

unsigned mode_of(const std::filesystem::path& path, unsigned otherwise) {
  struct stat status {};
  constexpr unsigned kPermissions = 07777;
  return ::stat(path.c_str(), &status) == 0 ? status.st_mode & kPermissions : otherwise;
}

}  // namespace

Result<std::optional<std::string>> SetupSession::read_file(const std::string& path, bool is_link) const {
  const auto whole = below(paths_.root, path);
  return is_link ? read_link(whole) : read_whole(whole);
}

Result<void> SetupSession::bring_files(const std::vector<PersistedFile>& wanted) {
  for (std::size_t left = record_.files.size(); left > 0; --left) {
    const RecordedFile file = record_.files[left - 1];
    const bool stays =
        std::any_of(wanted.begin(), wanted.end(), [&](const auto& one) { return one.path == file.path; });
    if (stays) continue;
    if (auto restored = restore_file(file); !restored) return restored;
    record_.files.erase(record_.files.begin() + static_cast<std::ptrdiff_t>(left - 1));
    if (auto saved = save(); !saved) return saved;
  }
  for (const PersistedFile& file : wanted) {
    if (auto written = write_file(file); !written) return written;
  }
  return {};
}

Result<void> SetupSession::write_file(const PersistedFile& wanted) {
  auto now = read_file(wanted.path, wanted.is_link);
  if (!now) return now.error();
  if (*now == wanted.text) return {};
  auto known = std::find_if(record_.files.begin(), record_.files.end(),
                            [&](const RecordedFile& file) { return file.path == wanted.path; });
  const auto whole = below(paths_.root, wanted.path);
  if (known == record_.files.end()) {
    record_.files.push_back({.path = wanted.path,
                             .before = *now,
                             .after = wanted.text,
                             .mode = mode_of(whole, wanted.mode),
                             .is_link = wanted.is_link,
                             .folders = missing_folders(paths_.root, wanted.path)});
  } else {
    const bool is_ours = !*now || wrote(*known, **now);
    // Somebody's own changes to our file are what comes back.
    if (!is_ours) known->before = *now;
    known->former = is_ours ? *now : std::nullopt;
    known->after = wanted.text;
  }
  if (!is_dry_run_) {
    if (auto saved = save(); !saved) return saved;
    std::error_code failure;
    std::filesystem::create_directories(whole.parent_path(), failure);
    if (failure) return os_error("make folder " + whole.parent_path().string(), failure.value());
    if (auto put = put_file(whole, wanted.text, wanted.mode, wanted.is_link); !put) return put;
    for (RecordedFile& file : record_.files) {
      if (file.path == wanted.path) file.former.reset();
    }
  }
  tell_change("file " + whole.string() + ": written");
  return {};
}

Result<void> SetupSession::restore_file(const RecordedFile& file) {
  const auto whole = below(paths_.root, file.path);
  auto now = read_file(file.path, file.is_link);
  if (!now) return now.error();
  if (*now == file.before) return {};
  if (!*now || !wrote(file, **now)) {
    note("file " + whole.string() + " was changed since: it stays");
    return {};
  }
  if (!is_dry_run_) {
    auto restored = file.before ? put_file(whole, *file.before, file.mode, file.is_link) : remove_durably(whole);
    if (!restored) return restored;
    for (auto folder = file.folders.rbegin(); folder != file.folders.rend(); ++folder) {
      if (auto removed = remove_durably(below(paths_.root, *folder)); !removed) return removed;
    }
  }
  tell_change("file " + whole.string() + (file.before ? ": put back" : ": removed"));
  return {};
}

}  // namespace xdplb
