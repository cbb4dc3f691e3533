// SPDX-License-Identifier: GPL-2.0-only
#include "server/persist_place.h"

#include "base/durable_file.h"

#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <map>
#include <sstream>

namespace xdplb {
namespace {

namespace fs = std::filesystem;

constexpr std::array kNetworkdFolders = {"etc/systemd/network", "run/systemd/network", "usr/local/lib/systemd/network",
                                         "usr/lib/systemd/network", "lib/systemd/network"};
// Not /run: what NetworkManager finds on lo without a profile it writes down there.
constexpr std::array kProfileFolders = {"etc/NetworkManager/system-connections",
                                        "usr/lib/NetworkManager/system-connections"};

bool is_there(const fs::path& path) {
  std::error_code failure;
  return fs::exists(fs::symlink_status(path, failure));
}

// systemd keeps this link while a unit is active (since version 240).
bool is_active(const fs::path& root, const std::string& unit) {
  return is_there(root / "run/systemd/units" / ("invocation:" + unit));
}

bool has_ifupdown(const fs::path& root) {
  const bool is_installed = is_there(root / "sbin/ifup") || is_there(root / "usr/sbin/ifup");
  return is_installed && is_there(root / "etc/network/interfaces");
}

std::string text_of(const fs::path& path) {
  auto text = read_whole(path);
  return text && *text ? std::move(**text) : std::string();
}

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") + 1 - first);
}

struct Setting {
  std::string section{};
  std::string key{};
  std::string value{};
};

// Lines of an ini file.
std::vector<Setting> settings_of(const std::string& text) {
  std::vector<Setting> settings;
  std::string section;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    line = trimmed(line);
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    if (line.front() == '[') {
      section = line.substr(1, line.find(']') - 1);
      continue;
    }
    const auto equals = line.find('=');
    if (equals == std::string::npos) continue;
    settings.push_back({section, trimmed(line.substr(0, equals)), trimmed(line.substr(equals + 1))});
  }
  return settings;
}

// Patterns as of systemd.network(5) [Match]: any of them, or, with a leading '!', none.
bool matches(std::string patterns, const char* word) {
  const bool is_inverted = !patterns.empty() && patterns.front() == '!';
  if (is_inverted) patterns.erase(0, 1);
  std::istringstream words(patterns);
  bool is_found = false;
  for (std::string pattern; words >> pattern;) is_found = is_found || ::fnmatch(pattern.c_str(), word, 0) == 0;
  return is_found != is_inverted;
}

// Whether a .network file is for lo. Conditions about the host are taken for met.
bool takes_loopback(const std::string& text) {
  constexpr std::array kNever = {"MACAddress", "PermanentMACAddress", "Path", "Driver", "Property",
                                 "Kind",       "WLANInterfaceType",   "SSID", "BSSID"};
  bool has_condition = false;
  std::string names;
  for (const Setting& setting : settings_of(text)) {
    if (setting.section != "Match") continue;
    has_condition = true;
    if (std::find(kNever.begin(), kNever.end(), setting.key) != kNever.end()) return false;
    if (setting.key == "Name" || setting.key == "OriginalName") names += (names.empty() ? "" : " ") + setting.value;
    if (setting.key == "Type" && !matches(setting.value, "loopback")) return false;
  }
  return has_condition && (names.empty() || matches(names, "lo"));
}

bool is_unmanaged(const std::string& text) {
  const auto settings = settings_of(text);
  return std::any_of(settings.begin(), settings.end(), [](const Setting& setting) {
    const bool says_yes = setting.value == "yes" || setting.value == "true" || setting.value == "1";
    return setting.section == "Link" && setting.key == "Unmanaged" && says_yes;
  });
}

// Files of the folders by their names: of two of one name the folder that comes first counts.
template <std::size_t kCount>
std::map<std::string, fs::path> files_by_name(const fs::path& root, const std::array<const char*, kCount>& folders,
                                              const std::string& extension) {
  std::map<std::string, fs::path> files;
  for (const char* folder : folders) {
    std::error_code failure;
    for (const auto& entry : fs::directory_iterator(root / folder, failure)) {
      if (entry.path().extension() == extension) files.try_emplace(entry.path().filename(), entry.path());
    }
  }
  return files;
}

// networkd goes by the first file that matches: the operator's keeps lo, ours comes last or is a drop-in of it.
Result<PersistPlace> find_networkd(const fs::path& root) {
  const std::string own = fs::path(kOwnNetworkdFile).filename();
  for (const auto& [name, path] : files_by_name(root, kNetworkdFolders, ".network")) {
    if (name == own) continue;
    const std::string text = text_of(path);
    if (!takes_loopback(text)) continue;
    if (is_unmanaged(text)) {
      return fail(ErrorCode::kConflict, path.string() + ": keeps systemd-networkd away from lo (Unmanaged=); take lo " +
                                            "out of its Name=, or use --persist sysctl-only");
    }
    return PersistPlace{.networkd_path = "/etc/systemd/network/" + name + ".d/xdplb-server.conf",
                        .has_networkd_file = true};
  }
  return PersistPlace{.networkd_path = kOwnNetworkdFile};
}

// As ifupdown does: relative to /etc/network, and of a folder only names of letters, digits, '-' and '_'.
bool sources_our_file(const std::string& word, const std::string& value) {
  const std::string absolute = value.starts_with('/') ? value : "/etc/network/" + value;
  if (word == "source") return ::fnmatch(absolute.c_str(), kIfupdownFile, FNM_PATHNAME | FNM_PERIOD) == 0;
  const std::string folder = absolute.ends_with('/') ? absolute.substr(0, absolute.size() - 1) : absolute;
  return ::fnmatch(folder.c_str(), fs::path(kIfupdownFile).parent_path().c_str(), FNM_PATHNAME | FNM_PERIOD) == 0;
}

Result<PersistPlace> find_ifupdown(const fs::path& root) {
  const fs::path path = root / "etc/network/interfaces";
  std::istringstream lines(text_of(path));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string word;
    words >> word;
    if (word != "source" && word != "source-directory") continue;
    for (std::string value; words >> value;) {
      if (sources_our_file(word, value)) return PersistPlace{};
    }
  }
  return fail(ErrorCode::kConflict, path.string() + ": does not take " + kIfupdownFile +
                                        "; add the line \"source /etc/network/interfaces.d/*\" to it, or use " +
                                        "--persist sysctl-only");
}

Result<PersistPlace> find_networkmanager(const fs::path& root) {
  const std::string own = fs::path(kNetworkManagerFile).filename();
  for (const auto& [name, path] : files_by_name(root, kProfileFolders, ".nmconnection")) {
    if (name == own) continue;
    for (const Setting& setting : settings_of(text_of(path))) {
      const bool is_loopback = (setting.key == "type" && setting.value == "loopback") ||
                               (setting.key == "interface-name" && setting.value == "lo");
      if (setting.section != "connection" || !is_loopback) continue;
      return fail(ErrorCode::kConflict, path.string() + ": NetworkManager has a profile for lo; add the VIPA to it " +
                                            "with `nmcli connection modify`, and use --persist sysctl-only");
    }
  }
  return PersistPlace{};
}

Result<PersistPlace> find_place(Persistence persistence, const fs::path& root) {
  switch (persistence) {
    case Persistence::kNetworkd:
      return find_networkd(root);
    case Persistence::kIfupdown:
      return find_ifupdown(root);
    case Persistence::kNetworkManager:
      return find_networkmanager(root);
    default:
      return PersistPlace{};
  }
}

}  // namespace

Result<Persistence> choose_persistence(Persistence asked, const ServerPaths& paths) {
  if (paths.is_foreign && asked != Persistence::kAuto && asked != Persistence::kNone) {
    return fail(ErrorCode::kUsage, "--persist " + std::string(persistence_name(asked)) +
                                       ": no file brings another network namespace back; leave it out and run setup " +
                                       "again when the namespace is made");
  }
  if (paths.is_foreign) return Persistence::kNone;
  if (asked != Persistence::kAuto) return asked;
  if (is_active(paths.root, "systemd-networkd.service")) return Persistence::kNetworkd;
  const bool runs_manager =
      is_active(paths.root, "NetworkManager.service") || is_there(paths.root / "run/NetworkManager/NetworkManager.pid");
  if (runs_manager) return Persistence::kNetworkManager;
  return has_ifupdown(paths.root) ? Persistence::kIfupdown : Persistence::kSysctlOnly;
}

Result<PersistPlace> find_persist_place(Persistence persistence, const ServerPaths& paths) {
  auto place = find_place(persistence, paths.root);
  if (place) place->has_systemd = is_there(paths.root / "run/systemd/system");
  return place;
}

}  // namespace xdplb
