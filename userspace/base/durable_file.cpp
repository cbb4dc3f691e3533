// SPDX-License-Identifier: GPL-2.0-only
#include "base/durable_file.h"

#include "base/file_descriptor.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>

namespace xdplb {
namespace {

std::filesystem::path next_to(const std::filesystem::path& path) {
  return path.parent_path() / ("." + path.filename().string() + ".xdplb-next");
}

// So that the name itself survives.
Result<void> sync_folder(const std::filesystem::path& folder) {
  const FileDescriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.is_open()) return os_error("open " + folder.string(), errno);
  // Some file systems cannot, and need not.
  if (::fsync(fd.get()) != 0 && errno != EINVAL) return os_error("write " + folder.string(), errno);
  return {};
}

Result<void> put_in_place(const std::filesystem::path& next, const std::filesystem::path& path) {
  if (std::rename(next.c_str(), path.c_str()) != 0) {
    const int number = errno;
    ::unlink(next.c_str());
    return os_error("rename " + next.string(), number);
  }
  return sync_folder(path.parent_path());
}

Result<void> write_all(const FileDescriptor& fd, const std::string& text, const std::string& name) {
  for (std::size_t written = 0; written < text.size();) {
    const ssize_t length = ::write(fd.get(), text.data() + written, text.size() - written);
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) return os_error("write " + name, errno);
    written += static_cast<std::size_t>(length);
  }
  if (::fsync(fd.get()) != 0) return os_error("write " + name, errno);
  return {};
}

}  // namespace

Result<std::optional<std::string>> read_whole(const std::filesystem::path& path) {
  const FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.is_open()) {
    if (errno == ENOENT || errno == ENOTDIR) return std::optional<std::string>();
    return os_error("open " + path.string(), errno);
  }
  std::string text;
  std::array<char, 4096> part{};
  for (;;) {
    const ssize_t length = ::read(fd.get(), part.data(), part.size());
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) return os_error("read " + path.string(), errno);
    if (length == 0) return std::optional<std::string>(std::move(text));
    text.append(part.data(), static_cast<std::size_t>(length));
  }
}

Result<std::optional<std::string>> read_link(const std::filesystem::path& path) {
  std::array<char, 4096> target{};
  const ssize_t length = ::readlink(path.c_str(), target.data(), target.size());
  if (length >= 0) return std::optional<std::string>(std::string(target.data(), static_cast<std::size_t>(length)));
  if (errno == ENOENT || errno == ENOTDIR) return std::optional<std::string>();
  return os_error("read link " + path.string(), errno);
}

Result<void> write_durably(const std::filesystem::path& path, const std::string& text, unsigned mode) {
  const auto next = next_to(path);
  ::unlink(next.c_str());
  const FileDescriptor fd(::open(next.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd.is_open()) return os_error("open " + next.string(), errno);
  if (::fchmod(fd.get(), mode) != 0) return os_error("chmod " + next.string(), errno);
  if (auto written = write_all(fd, text, next.string()); !written) {
    ::unlink(next.c_str());
    return written;
  }
  return put_in_place(next, path);
}

Result<void> link_durably(const std::filesystem::path& path, const std::string& target) {
  const auto next = next_to(path);
  ::unlink(next.c_str());
  if (::symlink(target.c_str(), next.c_str()) != 0) return os_error("link " + next.string(), errno);
  return put_in_place(next, path);
}

Result<void> remove_durably(const std::filesystem::path& path) {
  if (std::remove(path.c_str()) == 0) return sync_folder(path.parent_path());
  const bool is_fine = errno == ENOENT || errno == ENOTDIR || errno == ENOTEMPTY || errno == EEXIST;
  if (!is_fine) return os_error("remove " + path.string(), errno);
  return {};
}

std::vector<std::string> missing_folders(const std::filesystem::path& root, const std::string& path) {
  std::vector<std::string> missing;
  std::error_code failure;
  auto folder = std::filesystem::path(path).parent_path();
  for (; folder.has_relative_path(); folder = folder.parent_path()) {
    if (std::filesystem::exists(root / folder.relative_path(), failure)) break;
    missing.push_back(folder.string());
  }
  std::reverse(missing.begin(), missing.end());
  return missing;
}

}  // namespace xdplb
