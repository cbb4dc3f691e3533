// SPDX-License-Identifier: GPL-2.0-only
#include "daemon/state_store.h"

#include "base/file_descriptor.h"
#include "model/config_json.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>

namespace xdplb {
namespace {

using nlohmann::json;

constexpr int kStateVersion = 4;
constexpr int kOldestVersion = 1;  // 1: without settings, admins, options, members and homes; 2: without VIPAs; 3:
                                   // without health and other sources of admin words
constexpr std::array<const char*, 2> kFamilyKeys = {"v4", "v6"};

json encode_slices(const ByFamily<std::optional<SliceAssignment>>& slices) {
  json object = json::object();
  for (std::size_t family = 0; family < kFamilyKeys.size(); ++family)
    if (slices[family]) object[kFamilyKeys[family]] = {slices[family]->first_row, slices[family]->count};
  return object;
}

ByFamily<std::optional<SliceAssignment>> decode_slices(const json& object) {
  ByFamily<std::optional<SliceAssignment>> slices;
  for (std::size_t family = 0; family < kFamilyKeys.size(); ++family) {
    const auto slice = object.find(kFamilyKeys[family]);
    if (slice == object.end()) continue;
    slices[family] = {.first_row = slice->at(0).get<std::uint32_t>(), .count = slice->at(1).get<std::uint32_t>()};
  }
  return slices;
}

json encode_options(const ByFamily<std::uint16_t>& options) {
  json object = json::object();
  for (std::size_t family = 0; family < kFamilyKeys.size(); ++family)
    if (options[family] != 0) object[kFamilyKeys[family]] = options[family];
  return object;
}

ByFamily<std::uint16_t> decode_options(const json& object) {
  ByFamily<std::uint16_t> options{};
  for (std::size_t family = 0; family < kFamilyKeys.size(); ++family)
    options[family] = object.value(kFamilyKeys[family], std::uint16_t{0});
  return options;
}

// Rows that left with the same servers together: {"HOME-LAST": "ROWS"}, all hexadecimal, four digits a row.
json encode_homes(const ByFamily<std::vector<RowHome>>& homes) {
  json object = json::object();
  for (std::size_t family = 0; family < kFamilyKeys.size(); ++family) {
    std::map<std::string, std::string> rows;
    for (const auto& home : homes[family])
      fmt::format_to(std::back_inserter(rows[fmt::format("{:016x}-{:016x}", home.home, home.last_home)]), "{:04x}",
                     home.row);
    if (!rows.empty()) object[kFamilyKeys[family]] = rows;
  }
  return object;
}

// Zero for text that is no number: such a row has no home, which moves no flow.
template <typename T>
T from_hex(std::string_view text) {
  T value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  return error == std::errc() && end == text.data() + text.size() ? value : T{0};
}

ByFamily<std::vector<RowHome>> decode_homes(const json& object) {
  constexpr std::size_t kRowDigits = 4;
  ByFamily<std::vector<RowHome>> homes;
  for (std::size_t family = 0; family < kFamilyKeys.size(); ++family) {
    const auto found = object.find(kFamilyKeys[family]);
    if (found == object.end()) continue;
    for (const auto& [names, value] : found->items()) {
      const std::string_view pair = names;
      const auto dash = pair.find('-');
      if (dash == std::string_view::npos) continue;
      const auto home = from_hex<std::uint64_t>(pair.substr(0, dash));
      const auto last_home = from_hex<std::uint64_t>(pair.substr(dash + 1));
      const auto rows = value.get<std::string>();
      for (std::size_t at = 0; at + kRowDigits <= rows.size(); at += kRowDigits)
        homes[family].push_back({.row = from_hex<std::uint32_t>(std::string_view(rows).substr(at, kRowDigits)),
                                 .home = home,
                                 .last_home = last_home});
    }
    std::sort(homes[family].begin(), homes[family].end(),
              [](const RowHome& a, const RowHome& b) { return a.row < b.row; });
  }
  return homes;
}

json encode_assignment(const PortAssignment& assignment) {
  json object = {{"servers", assignment.servers}, {"rows", encode_slices(assignment.rows)}};
  const auto add = [&object](const char* key, json value) {
    if (!value.empty()) object[key] = std::move(value);
  };
  add("options", encode_options(assignment.options));
  add("members", encode_slices(assignment.members));
  add("homes", encode_homes(assignment.homes));
  return object;
}

PortAssignment decode_assignment(const json& object) {
  const auto none = json::object();
  return {.servers = object.at("servers").get<std::map<std::string, std::uint16_t>>(),
          .rows = decode_slices(object.at("rows")),
          .homes = decode_homes(object.value("homes", none)),
          .members = decode_slices(object.value("members", none)),
          .options = decode_options(object.value("options", none))};
}

// One cluster with its numbers and those of its ports.
std::string encode_cluster_state(const ClusterConfig& cluster, const Assignments& assignments) {
  json numbers = json::object();
  for (const auto& [path, assignment] : assignments.ports) numbers[path.to_string()] = encode_assignment(assignment);
  json object = {{"config", encode_cluster(cluster)}, {"assignments", std::move(numbers)}};
  for (const auto& [name, options] : assignments.clusters) object["options"] = encode_options(options);
  return object.dump();
}

void decode_cluster_state(const json& object, json& clusters, Assignments& assignments) {
  clusters.push_back(object.at("config"));
  if (const auto options = object.find("options"); options != object.end())
    assignments.clusters.emplace(object.at("config").at("name").get<std::string>(), decode_options(*options));
  for (const auto& [text, value] : object.at("assignments").items()) {
    const auto path = PortPath::parse(text);
    if (path) assignments.ports.emplace(*path, decode_assignment(value));
  }
}

// The configuration without clusters and interfaces, as a document.
json encode_settings(const Config& config) {
  return encode_config({.interfaces = {},
                        .secret = config.secret,
                        .peers = config.peers,
                        .decrement_ttl = config.decrement_ttl,
                        .fix_host = config.fix_host,
                        .health = config.health,
                        .has_failure_guard = config.has_failure_guard,
                        .exits = config.exits,
                        .clusters = {},
                        .vipas = config.vipas});
}

json encode_admins(const std::map<ServerPath, AdminWordStates>& admins) {
  json list = json::array();
  for (const auto& [path, words] : admins) {
    for (const auto& [source, state] : words) {
      // An agent says its word again.
      if (source == AdminSource::kAgent) continue;
      json one = {
          {"server", path.to_string()}, {"admin", admin_name(state.admin)}, {"source", admin_source_name(source)}};
      if (state.deadline) one["deadline"] = std::chrono::system_clock::to_time_t(*state.deadline);
      if (state.daily) one["daily"] = {state.daily->first, state.daily->last};
      list.push_back(std::move(one));
    }
  }
  return list;
}

std::map<ServerPath, AdminWordStates> decode_admins(const json& list) {
  std::map<ServerPath, AdminWordStates> admins;
  for (const auto& one : list) {
    const auto path = ServerPath::parse(one.at("server").get<std::string>());
    if (!path) continue;
    AdminState state;
    for (const auto admin : {Admin::kDrain, Admin::kDrainNow, Admin::kDown})
      if (one.at("admin") == admin_name(admin)) state.admin = admin;
    if (const auto deadline = one.find("deadline"); deadline != one.end())
      state.deadline = std::chrono::system_clock::from_time_t(deadline->get<std::time_t>());
    if (const auto daily = one.find("daily"); daily != one.end())
      state.daily = DailyHours{.first = daily->at(0).get<unsigned>(), .last = daily->at(1).get<unsigned>()};
    // Up to version 3 only the operator had a word.
    const bool is_hook = one.value("source", std::string()) == admin_source_name(AdminSource::kHook);
    if (state.admin != Admin::kReady) admins[*path][is_hook ? AdminSource::kHook : AdminSource::kOperator] = state;
  }
  return admins;
}

json encode_standings(const std::map<ServerPath, ServerStanding>& standings) {
  json list = json::array();
  for (const auto& [path, standing] : standings) {
    json one = {{"server", path.to_string()}};
    for (const Family family : kFamilies) {
      const auto health = standing.health[static_cast<std::size_t>(family)];
      if (health != Health::kUnknown) one[std::string(family_name(family))] = health == Health::kUp;
    }
    if (standing.weight) one["weight"] = *standing.weight;
    list.push_back(std::move(one));
  }
  return list;
}

std::map<ServerPath, ServerStanding> decode_standings(const json& list) {
  std::map<ServerPath, ServerStanding> standings;
  for (const auto& one : list) {
    const auto path = ServerPath::parse(one.at("server").get<std::string>());
    if (!path) continue;
    ServerStanding standing;
    for (const Family family : kFamilies) {
      const auto health = one.find(std::string(family_name(family)));
      if (health != one.end())
        standing.health[static_cast<std::size_t>(family)] = health->get<bool>() ? Health::kUp : Health::kDown;
    }
    if (const auto weight = one.find("weight"); weight != one.end()) standing.weight = weight->get<unsigned>();
    standings.emplace(*path, standing);
  }
  return standings;
}

json encode_vipa_words(const VipaWords& words) {
  json object = {{"disabled", json::array()}, {"pins", json::object()}, {"interfaces", words.disabled_interfaces}};
  for (const auto& address : words.disabled) object["disabled"].push_back(address.to_string());
  for (const auto& [address, entry] : words.pins) object["pins"][address.to_string()] = entry;
  return object;
}

VipaWords decode_vipa_words(const json& object) {
  VipaWords words;
  if (object.empty()) return words;
  for (const auto& text : object.at("disabled"))
    if (const auto address = IpAddress::parse(text.get<std::string>())) words.disabled.insert(*address);
  for (const auto& [text, entry] : object.at("pins").items())
    if (const auto address = IpAddress::parse(text)) words.pins.emplace(*address, entry.get<std::string>());
  words.disabled_interfaces = object.at("interfaces").get<std::set<std::string>>();
  return words;
}

json encode_interfaces(const std::vector<InterfaceState>& interfaces) {
  json list = json::array();
  for (const auto& interface : interfaces) {
    list.push_back({{"name", interface.name}, {"mode", attach_mode_name(interface.mode)}, {"chain", interface.chain}});
  }
  return list;
}

AttachMode mode_of(const std::string& name) {
  if (name == attach_mode_name(AttachMode::kNative)) return AttachMode::kNative;
  return name == attach_mode_name(AttachMode::kGeneric) ? AttachMode::kGeneric : AttachMode::kAuto;
}

Result<State> decode(const json& document, const std::string& source) {
  State state;
  try {
    const auto version = document.at("version").get<int>();
    if (version < kOldestVersion || version > kStateVersion) {
      return fail(
          ErrorCode::kInvalidConfig,
          fmt::format("{}: state version {} is not known to this xdplbd; run the one that wrote it, or move the "
                      "file away to start afresh",
                      source, document.at("version").dump()));
    }
    for (const auto& interface : document.at("interfaces")) {
      state.interfaces.push_back({.name = interface.at("name").get<std::string>(),
                                  .mode = mode_of(interface.at("mode").get<std::string>()),
                                  .chain = interface.at("chain").get<bool>()});
    }
    state.generated_secret = document.at("generated_secret").get<std::string>();
    json config = document.value("settings", json::object());
    config["clusters"] = json::array();
    if (const auto secret = document.value("secret", std::string()); !secret.empty()) config["secret"] = secret;
    state.admins = decode_admins(document.value("admins", json::array()));
    state.standings = decode_standings(document.value("standings", json::array()));
    state.vipas = decode_vipa_words(document.value("vipa_words", json::object()));
    for (const auto& cluster : document.at("clusters"))
      decode_cluster_state(cluster, config["clusters"], state.assignments);
    auto decoded = decode_config(config, source);
    if (!decoded) return decoded.error();
    state.config = std::move(*decoded);
  } catch (const json::exception& error) {
    return fail(ErrorCode::kInvalidConfig,
                fmt::format("{}: {}; move the file away to start afresh", source, error.what()));
  }
  return state;
}

Result<void> write_whole(int fd, std::string_view text, const std::string& name) {
  while (!text.empty()) {
    const auto written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return os_error("write " + name, errno);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fdatasync(fd) != 0) return os_error("sync " + name, errno);
  return {};
}

}  // namespace

// A thousand clusters are a megabyte of text; a change is one of them, so the others' text is kept.
std::string StateStore::encode(const State& state) {
  std::map<std::string, ClusterText> next;
  std::string clusters;
  for (const auto& cluster : state.config.clusters) {
    Assignments assignments;
    const auto& ports = state.assignments.ports;
    for (auto one = ports.lower_bound({.cluster = cluster.name, .port = 0, .protocol = Protocol::kTcp});
         one != ports.end() && one->first.cluster == cluster.name; ++one)
      assignments.ports.insert(*one);
    if (const auto one = state.assignments.clusters.find(cluster.name); one != state.assignments.clusters.end())
      assignments.clusters.insert(*one);
    auto known = written_.find(cluster.name);
    const bool is_same =
        known != written_.end() && known->second.config == cluster && known->second.assignments == assignments;
    auto text = is_same ? std::move(known->second)
                        : ClusterText{cluster, assignments, encode_cluster_state(cluster, assignments)};
    clusters.append(clusters.empty() ? "" : ",\n").append(text.text);
    next.emplace(cluster.name, std::move(text));
  }
  written_ = std::move(next);
  const json head = {{"version", kStateVersion},
                     {"interfaces", encode_interfaces(state.interfaces)},
                     {"generated_secret", state.generated_secret},
                     {"settings", encode_settings(state.config)},
                     {"admins", encode_admins(state.admins)},
                     {"standings", encode_standings(state.standings)},
                     {"vipa_words", encode_vipa_words(state.vipas)}};
  std::string text = head.dump();
  text.pop_back();
  return text + ",\n\"clusters\": [" + clusters + "]}\n";
}

Result<std::optional<State>> StateStore::load() const {
  std::ifstream file(path());
  if (!file) {
    if (!std::filesystem::exists(path())) return std::optional<State>();
    return os_error("open " + path().string(), errno);
  }
  std::ostringstream text;
  text << file.rdbuf();
  const auto document = parse_json(text.str(), path().string());
  if (!document) return document.error();
  auto state = decode(*document, path().string());
  if (!state) return state.error();
  std::error_code failure;
  const auto written = std::filesystem::last_write_time(path(), failure);
  if (!failure) state->alive_at = std::chrono::file_clock::to_sys(written);
  return std::optional<State>(std::move(*state));
}

Result<void> StateStore::prepare(const State& state) {
  std::error_code failure;
  std::filesystem::create_directories(folder_, failure);
  if (failure) return os_error("make " + folder_.string(), failure.value());
  const auto next = next_path().string();
  // Only root: the secret is in it.
  const FileDescriptor file(::open(next.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!file.is_open()) return os_error("open " + next, errno);
  return write_whole(file.get(), encode(state), next);
}

void StateStore::touch() const {
  std::error_code failure;
  std::filesystem::last_write_time(path(), std::filesystem::file_time_type::clock::now(), failure);
}

Result<void> StateStore::commit() const {
  std::error_code failure;
  std::filesystem::rename(next_path(), path(), failure);
  if (failure) return os_error("rename " + next_path().string(), failure.value());
  return {};
}

}  // namespace xdplb
