// SPDX-License-Identifier: GPL-2.0-only
#include "control/instance.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>

namespace xdplb {
namespace {

constexpr std::size_t kMaxNameLength = 32;
constexpr std::string_view kFirst = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
constexpr std::string_view kLater = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";

bool is_name(std::string_view name) {
  if (name.empty() || name.size() > kMaxNameLength) return false;
  if (kFirst.find(name.front()) == std::string_view::npos) return false;
  return name.find_first_not_of(kLater) == std::string_view::npos;
}

Result<void> make_dir(const std::filesystem::path& path) {
  if (path.empty() || path == path.root_path()) return {};
  if (::mkdir(path.c_str(), 0755) == 0 || errno == EEXIST) return {};
  if (errno != ENOENT) return os_error("create " + path.string(), errno);
  if (auto parent = make_dir(path.parent_path()); !parent) return parent.error();
  if (::mkdir(path.c_str(), 0755) == 0 || errno == EEXIST) return {};
  return os_error("create " + path.string(), errno);
}

}  // namespace

Result<Instance> Instance::make(std::string_view name, const InstanceRoots& roots) {
  if (!is_name(name)) {
    return fail(
        ErrorCode::kUsage,
        fmt::format("instance \"{}\": a name is 1 to {} letters, digits, '_', '.' and '-', the first no '.' and "
                    "no '-'",
                    name, kMaxNameLength));
  }
  Instance instance;
  instance.name = std::string(name);
  instance.run_dir = roots.run / instance.name;
  instance.socket = instance.run_dir / "api.sock";
  instance.lock_file = instance.run_dir / "lock";
  instance.log_file = instance.run_dir / "xdplbd.log";
  instance.pin_dir = roots.pins / instance.name;
  instance.state_dir = roots.state / instance.name;
  return instance;
}

Result<void> make_run_dir(const Instance& instance) { return make_dir(instance.run_dir); }

}  // namespace xdplb
