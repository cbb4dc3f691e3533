// SPDX-License-Identifier: GPL-2.0-only
#include "host/child_process.h"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <deque>

namespace xdplb {
namespace {

constexpr int kMaxLinks = 40;  // as the kernel

std::string user_name(uid_t uid) {
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, 4096> room{};
  const int failed = ::getpwuid_r(uid, &entry, room.data(), room.size(), &found);
  return failed == 0 && found != nullptr ? std::string(entry.pw_name) : std::to_string(uid);
}

std::string group_name(gid_t gid) {
  group entry{};
  group* found = nullptr;
  std::array<char, 4096> room{};
  const int failed = ::getgrgid_r(gid, &entry, room.data(), room.size(), &found);
  return failed == 0 && found != nullptr ? std::string(entry.gr_name) : std::to_string(gid);
}

// Nobody but root and us can change it.
Result<void> check_owner(const std::string& path, const struct stat& status, const std::string& what) {
  const uid_t us = ::geteuid();
  auto refuse = [&](const std::string& why) { return fail(ErrorCode::kPermission, what + ": " + path + why); };
  if (status.st_uid != 0 && status.st_uid != us) {
    return refuse(fmt::format(" belongs to user {}, who can change it; chown root it", user_name(status.st_uid)));
  }
  if ((status.st_mode & S_IWOTH) != 0) return refuse(" can be written by everybody; chmod o-w it");
  if ((status.st_mode & S_IWGRP) != 0 && status.st_gid != 0) {
    return refuse(fmt::format(" can be written by group {}; chmod g-w it", group_name(status.st_gid)));
  }
  return {};
}

// Puts the parts of a path before those that are left.
void prepend_parts(const std::string& path, std::deque<std::string>& parts) {
  std::size_t end = path.size();
  while (end != 0) {
    const std::size_t slash = path.rfind('/', end - 1);
    const std::size_t start = slash == std::string::npos ? 0 : slash + 1;
    if (end > start) parts.push_front(path.substr(start, end - start));
    end = slash == std::string::npos ? 0 : slash;
  }
}

// Follows a path as the kernel does, so that each folder on the way is seen, behind symbolic links, too.
class Walk {
 public:
  Walk(const std::string& path, const std::string& what) : path_(path), what_(what) { prepend_parts(path, parts_); }

  Result<void> run() {
    if (auto entered = enter_root(); !entered) return entered;
    while (!parts_.empty()) {
      const std::string part = parts_.front();
      parts_.pop_front();
      if (part == ".") continue;
      if (part == "..") {
        at_.resize(at_.rfind('/') == std::string::npos ? 0 : at_.rfind('/'));
        continue;
      }
      if (auto stepped = step(at_ + "/" + part); !stepped) return stepped;
    }
    return is_file_ ? Result<void>{} : refuse(" is a folder, not a program");
  }

 private:
  Result<void> refuse(const std::string& why) const { return fail(ErrorCode::kPermission, what_ + ": " + path_ + why); }

  Result<void> enter_root() {
    at_.clear();
    struct stat status {};
    if (::lstat("/", &status) != 0) return os_error(what_ + ": /", errno);
    return check_owner("/", status, what_);
  }

  Result<void> step(const std::string& next) {
    struct stat status {};
    if (::lstat(next.c_str(), &status) != 0) {
      if (errno == ENOENT || errno == ENOTDIR)
        return fail(ErrorCode::kNotFound, what_ + ": " + path_ + ": there is no such program");
      return os_error(what_ + ": " + next, errno);
    }
    if (S_ISLNK(status.st_mode)) return follow(next);
    if (auto safe = check_owner(next, status, what_); !safe) return safe;
    at_ = next;
    if (S_ISDIR(status.st_mode)) return {};
    if (!S_ISREG(status.st_mode) || !parts_.empty()) return refuse(" is no regular file");
    if ((status.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) == 0) return refuse(" cannot be executed; chmod +x it");
    is_file_ = true;
    return {};
  }

  Result<void> follow(const std::string& link) {
    if (++links_ > kMaxLinks) return refuse(" leads in a circle");
    std::array<char, PATH_MAX> target{};
    const ssize_t length = ::readlink(link.c_str(), target.data(), target.size());
    if (length < 0) return os_error(what_ + ": " + link, errno);
    const std::string text(target.data(), static_cast<std::size_t>(length));
    prepend_parts(text, parts_);
    return !text.empty() && text[0] == '/' ? enter_root() : Result<void>{};
  }

  const std::string& path_;
  const std::string& what_;
  std::deque<std::string> parts_;
  std::string at_;  // without the last '/'
  bool is_file_ = false;
  int links_ = 0;
};

}  // namespace

Result<void> check_program(const std::string& path, const std::string& what) {
  if (path.empty() || path[0] != '/' || path.find('\0') != std::string::npos) {
    return fail(ErrorCode::kUsage, fmt::format("{}: '{}' is no absolute path; write it from the root", what, path));
  }
  return Walk(path, what).run();
}

}  // namespace xdplb
