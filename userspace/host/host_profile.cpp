// SPDX-License-Identifier: GPL-2.0-only
#include "host/host_profile.h"

#include "base/durable_file.h"
#include "host/sysctl.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <string_view>
#include <utility>

namespace xdplb {
namespace {

constexpr int kFileVersion = 1;

// How "all" and the interface's own value make the one that counts (include/linux/inetdevice.h, net/ipv6/).
enum class Merge : std::uint8_t { kLarger, kEither, kOwn };
enum class Need : std::uint8_t { kAlways, kLocalV4, kLocalV6 };

struct Setting {
  std::string_view folder;
  std::string_view key;
  Merge merge = Merge::kOwn;
  Need need = Need::kAlways;
  bool (*is_right)(int value);  // of the value that counts
  int wanted = 0;
  std::string_view why;  // what happens otherwise; {} stands for the interface
};

constexpr std::string_view kIpv4 = "net/ipv4/conf/";
constexpr std::string_view kIpv6 = "net/ipv6/conf/";

// Not among them: arp_notify (the kernel announces only addresses of the interface itself, and a VIPA is none),
// send_redirects (a client takes a redirect only from its own gateway), arp_filter (with arp_ignore 1 it only concerns
// the interface's own address), and anything that keeps IPv6 from answering for an address on lo: it never does
// (ndisc_recv_ns() asks for the address on the interface itself).
constexpr std::array<Setting, 9> kSettings = {{
    {kIpv4, "arp_ignore", Merge::kLarger, Need::kLocalV4, [](int value) { return value == 1 || value == 2; }, 1,
     "the kernel answers ARP for local VIPAs on {}, too, with that interface's MAC"},
    {kIpv4, "arp_ignore", Merge::kLarger, Need::kAlways, [](int value) { return value != 8; }, 1,
     "this host answers no ARP on {}, not even for its own addresses"},
    {kIpv4, "arp_announce", Merge::kLarger, Need::kLocalV4, [](int value) { return value == 2; }, 2,
     "the kernel's own ARP questions on {} carry a local VIPA as sender and turn clients to that interface"},
    {kIpv4, "rp_filter", Merge::kLarger, Need::kLocalV4, [](int value) { return value != 1; }, 2,
     "packets for local VIPAs that arrive on {} are dropped when the way back leads through another interface"},
    {kIpv4, "accept_local", Merge::kEither, Need::kLocalV4, [](int value) { return value == 0; }, 0,
     "what claims to come from this host's own VIPAs is accepted on {}, our announcements that come back, too"},
    {kIpv4, "proxy_arp", Merge::kEither, Need::kAlways, [](int value) { return value == 0; }, 0,
     "as a router the kernel answers ARP on {} for VIPAs it has a route to through another interface"},
    {kIpv4, "ignore_routes_with_linkdown", Merge::kEither, Need::kLocalV4, [](int value) { return value != 0; }, 1,
     "what this host sends still leaves by {} after that has lost its carrier"},
    {kIpv6, "proxy_ndp", Merge::kEither, Need::kAlways, [](int value) { return value == 0; }, 0,
     "as a router the kernel answers neighbour solicitations on {} for addresses it is a proxy of"},
    {kIpv6, "ignore_routes_with_linkdown", Merge::kOwn, Need::kLocalV6, [](int value) { return value != 0; }, 1,
     "what this host sends still leaves by {} after that has lost its carrier"},
}};

bool applies(const Setting& setting, const ProfileNeeds& needs) {
  if (setting.need == Need::kLocalV4) return needs.has_local_v4;
  if (setting.need == Need::kLocalV6) return needs.has_local_v6;
  // The stricter entry of the same key says it already.
  return !(setting.key == "arp_ignore" && needs.has_local_v4);
}

std::string name_of(const Setting& setting, std::string_view scope) {
  return std::string(setting.folder).append(scope).append("/").append(setting.key);
}

std::string why_text(const Setting& setting, std::string_view scope) {
  std::string text(setting.why);
  return text.replace(text.find("{}"), 2, scope == "all" ? "every interface" : scope);
}

ProfileFault fault(const Setting& setting, std::string_view scope, int value, int wanted) {
  return {.setting = name_of(setting, scope),
          .value = value,
          .wanted = wanted,
          .why = why_text(setting, scope),
          .interface = std::string(scope)};
}

// The values to change so that the one that counts is right; none when it is.
std::vector<ProfileFault> check_setting(const Setting& setting, const std::string& interface, bool has_local_v4) {
  const auto own = read_sysctl(name_of(setting, interface));
  if (!own) return {};
  const auto read_all = setting.merge == Merge::kOwn ? own : read_sysctl(name_of(setting, "all"));
  const int all = read_all ? *read_all : 0;
  const int counts = setting.merge == Merge::kOwn ? *own : std::max(all, *own);
  if (setting.is_right(counts)) return {};
  // Too small, or missing: the interface's own value settles it, and other interfaces keep theirs.
  if (counts < setting.wanted) return {fault(setting, interface, *own, setting.wanted)};
  const bool is_plain_ban = setting.merge == Merge::kLarger && !has_local_v4;
  const int wanted = is_plain_ban ? 0 : setting.wanted;
  std::vector<ProfileFault> faults;
  auto is_wrong = [&](int value) { return value > setting.wanted && !setting.is_right(value); };
  if (setting.merge != Merge::kOwn && is_wrong(all)) faults.push_back(fault(setting, "all", all, wanted));
  if (is_wrong(*own)) faults.push_back(fault(setting, interface, *own, wanted));
  return faults;
}

struct Kept {
  int found = 0;
  int made = 0;
};
using KeptSettings = std::map<std::string, Kept>;

Error unreadable(const std::filesystem::path& path) {
  return fail(ErrorCode::kFailed, path.string() +
                                      ": not a list of kernel settings found before; restore them by hand "
                                      "if they matter, then remove the file");
}

Result<KeptSettings> load(const std::filesystem::path& path) {
  std::ifstream file(path);
  if (!file) {
    std::error_code failure;
    const int number = errno;
    if (!std::filesystem::exists(path, failure)) return KeptSettings{};
    return os_error("open " + path.string(), number);
  }
  const auto document = nlohmann::json::parse(file, nullptr, false);
  if (!document.is_object() || document.value("version", nlohmann::json()) != kFileVersion) return unreadable(path);
  const auto settings = document.value("settings", nlohmann::json());
  if (!settings.is_object()) return unreadable(path);
  KeptSettings kept;
  for (const auto& [name, values] : settings.items()) {
    const auto found = values.is_object() ? values.value("found", nlohmann::json()) : nlohmann::json();
    const auto made = values.is_object() ? values.value("made", nlohmann::json()) : nlohmann::json();
    if (!found.is_number_integer() || !made.is_number_integer()) return unreadable(path);
    kept[name] = {.found = found.get<int>(), .made = made.get<int>()};
  }
  return kept;
}

// All or nothing, also over a power failure. Nothing kept: no file.
Result<void> save(const std::filesystem::path& path, const KeptSettings& kept) {
  if (kept.empty()) return remove_durably(path);
  auto settings = nlohmann::json::object();
  for (const auto& [name, values] : kept) settings[name] = {{"found", values.found}, {"made", values.made}};
  const nlohmann::json document = {{"version", kFileVersion}, {"settings", settings}};
  return write_durably(path, document.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n", 0644);
}

}  // namespace

std::vector<ProfileFault> check_profile(const ProfileNeeds& needs) {
  std::vector<ProfileFault> faults;
  std::set<std::string> named;
  for (const std::string& interface : needs.interfaces) {
    for (const Setting& setting : kSettings) {
      if (!applies(setting, needs)) continue;
      for (ProfileFault& found : check_setting(setting, interface, needs.has_local_v4)) {
        if (named.insert(found.setting).second) faults.push_back(std::move(found));
      }
    }
  }
  return faults;
}

Result<std::vector<ProfileFault>> HostProfile::apply(const ProfileNeeds& needs) {
  const auto faults = check_profile(needs);
  if (faults.empty()) return faults;
  auto kept = load(kept_);
  if (!kept) return kept.error();
  for (const ProfileFault& wrong : faults) {
    auto [entry, is_new] = kept->try_emplace(wrong.setting, Kept{.found = wrong.value, .made = wrong.wanted});
    if (is_new) continue;
    // Somebody changed it since: theirs is the value to go back to.
    if (entry->second.made != wrong.value) entry->second.found = wrong.value;
    entry->second.made = wrong.wanted;
  }
  if (auto saved = save(kept_, *kept); !saved) return saved.error();
  for (const ProfileFault& wrong : faults) {
    if (auto written = write_sysctl(wrong.setting, wrong.wanted); !written) return written.error();
  }
  return faults;
}

Result<void> HostProfile::restore() {
  auto kept = load(kept_);
  if (!kept) return kept.error();
  Result<void> first;
  KeptSettings left;
  for (const auto& [name, values] : *kept) {
    const auto value = read_sysctl(name);
    if (!value && value.error().code == ErrorCode::kNotFound) continue;
    if (value && *value != values.made) continue;
    Result<void> restored;
    if (value) {
      restored = write_sysctl(name, values.found);
    } else {
      restored = value.error();
    }
    if (restored) continue;
    left.emplace(name, values);
    if (first) first = restored;
  }
  auto saved = save(kept_, left);
  return first ? saved : first;
}

bool HostProfile::has_changes() const {
  const auto kept = load(kept_);
  return !kept || !kept->empty();
}

}  // namespace xdplb
