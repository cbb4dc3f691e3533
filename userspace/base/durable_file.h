// SPDX-License-Identifier: GPL-2.0-only
// Files that are there as a whole or not at all, also over a power failure.
#pragma once

#include "base/result.h"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace xdplb {

// nullopt: there is none. Errors: os_error.
Result<std::optional<std::string>> read_whole(const std::filesystem::path& path);
// Where a symbolic link points; nullopt: there is none. Errors: os_error, also for what is no link.
Result<std::optional<std::string>> read_link(const std::filesystem::path& path);

// In place of what is there. The folder must be. Errors: os_error.
Result<void> write_durably(const std::filesystem::path& path, const std::string& text, unsigned mode);
Result<void> link_durably(const std::filesystem::path& path, const std::string& target);
// One that is not there is success, and so is a folder that is not empty. Errors: os_error.
Result<void> remove_durably(const std::filesystem::path& path);

// The folders above `path` that are not there, outermost first, "/"-rooted below `root`.
std::vector<std::string> missing_folders(const std::filesystem::path& root, const std::string& path);

}  // namespace xdplb
