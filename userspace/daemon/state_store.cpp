// SPDX-License-Identifier: GPL-2.0-only
#include "daemon/state_store.h"

#include "base/file_descriptor.h"
#include "model/config_json.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <array>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

namespace xdplb {
namespace {

using nlohmann::json;

constexpr int kStateVersion = 1;
constexpr std::array<const char*, 2> kFamilyKeys = {"v4", "v6"};

json encode_assignment(const PortAssignment& assignment) {
  json rows = json::object();
  for (std::size_t family = 0; family < kFamilyKeys.size(); ++family)
    if (assignment.rows[family])
      rows[kFamilyKeys[family]] = {assignment.rows[family]->first, assignment.rows[family]->second};
  return {{"servers", assignment.servers}, {"rows", std::move(rows)}};
}

PortAssignment decode_assignment(const json& object) {
  PortAssignment assignment;
  assignment.servers = object.at("servers").get<std::map<std::string, std::uint16_t>>();
  for (std::size_t family = 0; family < kFamilyKeys.size(); ++family) {
    const auto slice = object.at("rows").find(kFamilyKeys[family]);
    if (slice != object.at("rows").end())
      assignment.rows[family] = {slice->at(0).get<std::uint32_t>(), slice->at(1).get<std::uint32_t>()};
  }
  return assignment;
}

// One cluster with the numbers of its ports.
std::string encode_cluster_state(const ClusterConfig& cluster, const Assignments& assignments) {
  json numbers = json::object();
  for (const auto& [path, assignment] : assignments) numbers[path.to_string()] = encode_assignment(assignment);
  return json{{"config", encode_cluster(cluster)}, {"assignments", std::move(numbers)}}.dump();
}

void decode_cluster_state(const json& object, json& clusters, Assignments& assignments) {
  clusters.push_back(object.at("config"));
  for (const auto& [text, value] : object.at("assignments").items()) {
    const auto path = PortPath::parse(text);
    if (path) assignments.emplace(*path, decode_assignment(value));
  }
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
    if (document.at("version") != kStateVersion) {
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
    json config = {{"clusters", json::array()}};
    if (const auto secret = document.at("secret").get<std::string>(); !secret.empty()) config["secret"] = secret;
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
    for (auto one = state.assignments.lower_bound({.cluster = cluster.name, .port = 0, .protocol = Protocol::kTcp});
         one != state.assignments.end() && one->first.cluster == cluster.name; ++one)
      assignments.insert(*one);
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
                     {"secret", state.config.secret}};
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

Result<void> StateStore::commit() const {
  std::error_code failure;
  std::filesystem::rename(next_path(), path(), failure);
  if (failure) return os_error("rename " + next_path().string(), failure.value());
  return {};
}

}  // namespace xdplb
