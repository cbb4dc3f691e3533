// SPDX-License-Identifier: GPL-2.0-only
#include "server/setup_record.h"

#include "base/durable_file.h"
#include "base/file_descriptor.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <cerrno>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace xdplb {
namespace {

using nlohmann::json;

constexpr int kVersion = 1;
constexpr const char* kBoot = "/proc/sys/kernel/random/boot_id";
constexpr const char* kNamespace = "/proc/thread-self/ns/net";
constexpr std::string_view kDigits = "0123456789abcdef";

std::string to_hex(const std::vector<std::uint8_t>& bytes) {
  std::string text;
  for (std::uint8_t byte : bytes) {
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 0xfU];
  }
  return text;
}

// Decoding throws what nlohmann/json throws, or this; decode_record() catches both.
[[noreturn]] void refuse(const std::string& what) { throw std::invalid_argument(what); }

template <typename T>
T or_refuse(Result<T> value) {
  if (!value) refuse(value.error().message);
  return std::move(*value);
}

std::vector<std::uint8_t> from_hex(const std::string& text) {
  std::vector<std::uint8_t> bytes;
  for (std::size_t at = 0; at + 1 < text.size(); at += 2) {
    const auto high = kDigits.find(text[at]);
    const auto low = kDigits.find(text[at + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos) refuse("no hexadecimal digits");
    bytes.push_back(static_cast<std::uint8_t>(high << 4U | low));
  }
  return bytes;
}

json encode(const KernelObjectList& objects) {
  json list = json::array();
  for (const KernelObject& object : objects)
    list.push_back({{"what", to_text(object)}, {"message", to_hex(object.message)}});
  return list;
}

KernelObjectList decode_objects(const json& list) {
  KernelObjectList objects;
  for (const json& item : list) {
    auto object = parse_kernel_object(from_hex(item.at("message").get<std::string>()));
    if (!object) refuse("no message of the kernel");
    objects.push_back(std::move(*object));
  }
  return objects;
}

json encode(const ObjectChange& change) {
  json interfaces = json::object();
  for (const auto& [index, name] : change.interfaces) interfaces[std::to_string(index)] = name;
  return {{"pending", change.is_pending},
          {"raised_link", change.raised_link},
          {"ifindex", change.ifindex},
          {"family", family_name(change.family)},
          {"interfaces", interfaces},
          {"addresses_before", encode(change.addresses_before)},
          {"addresses_after", encode(change.addresses_after)},
          {"lost", encode(change.lost)},
          {"gained", encode(change.gained)},
          {"twins", encode(change.twins)}};
}

ObjectChange decode_change(const json& object) {
  ObjectChange change;
  change.is_pending = object.at("pending").get<bool>();
  change.raised_link = object.at("raised_link").get<bool>();
  change.ifindex = object.at("ifindex").get<std::uint32_t>();
  change.family = object.at("family") == family_name(Family::kV6) ? Family::kV6 : Family::kV4;
  for (const auto& [index, name] : object.at("interfaces").items()) {
    change.interfaces[or_refuse(parse_number(index, UINT32_MAX, "interface"))] = name.get<std::string>();
  }
  change.addresses_before = decode_objects(object.at("addresses_before"));
  change.addresses_after = decode_objects(object.at("addresses_after"));
  change.lost = decode_objects(object.at("lost"));
  change.gained = decode_objects(object.at("gained"));
  change.twins = decode_objects(object.at("twins"));
  return change;
}

template <typename T>
json texts_of(const std::vector<T>& values) {
  json list = json::array();
  for (const T& value : values) list.push_back(value.to_string());
  return list;
}

template <typename T>
std::vector<T> decode_texts(const json& list) {
  std::vector<T> values;
  for (const json& item : list) values.push_back(or_refuse(T::parse(item.get<std::string>())));
  return values;
}

json encode(const RecordedStep& step) {
  json object = {{"text", step.text},
                 {"undo", step.undo_text},
                 {"vipas", texts_of(step.vipas)},
                 {"serves", texts_of(step.serves)}};
  if (step.setting) {
    object["setting"] = {
        {"name", step.setting->name}, {"before", step.setting->before}, {"after", step.setting->after}};
  } else {
    object["objects"] = encode(step.objects);
  }
  return object;
}

RecordedStep decode_step(const json& object) {
  RecordedStep step;
  step.text = object.at("text").get<std::string>();
  step.undo_text = object.at("undo").get<std::string>();
  step.vipas = decode_texts<IpAddress>(object.at("vipas"));
  step.serves = decode_texts<IpPrefix>(object.at("serves"));
  if (const auto setting = object.find("setting"); setting != object.end()) {
    step.setting = SetSysctl{.name = setting->at("name").get<std::string>(),
                             .before = setting->at("before").get<int>(),
                             .after = setting->at("after").get<int>()};
  } else {
    step.objects = decode_change(object.at("objects"));
  }
  return step;
}

json encode(const RecordedVipa& vipa) {
  json ports = json::array();
  for (const ServerPort& port : vipa.ports) {
    ports.push_back({{"port", port.port}, {"protocol", protocol_name(port.protocol)}});
  }
  return {{"method", vipa.method == ServerMethod::kNft ? "nft" : "loopback"},
          {"ports", ports},
          {"persistence", persistence_name(vipa.persistence)}};
}

RecordedVipa decode_vipa(const json& object) {
  RecordedVipa vipa;
  vipa.method = object.at("method") == "nft" ? ServerMethod::kNft : ServerMethod::kLoopback;
  for (const json& item : object.at("ports")) {
    vipa.ports.push_back({.port = item.at("port").get<std::uint16_t>(),
                          .protocol = or_refuse(parse_protocol(item.at("protocol").get<std::string>()))});
  }
  vipa.persistence = or_refuse(parse_persistence(object.at("persistence").get<std::string>()));
  return vipa;
}

json encode(const RecordedFile& file) {
  json object = {{"path", file.path},
                 {"after", file.after},
                 {"mode", file.mode},
                 {"is_link", file.is_link},
                 {"folders", file.folders}};
  if (file.before) object["before"] = *file.before;
  if (file.former) object["former"] = *file.former;
  return object;
}

RecordedFile decode_file(const json& object) {
  RecordedFile file;
  file.path = object.at("path").get<std::string>();
  if (const auto before = object.find("before"); before != object.end()) file.before = before->get<std::string>();
  file.after = object.at("after").get<std::string>();
  if (const auto former = object.find("former"); former != object.end()) file.former = former->get<std::string>();
  file.mode = object.at("mode").get<unsigned>();
  file.is_link = object.at("is_link").get<bool>();
  file.folders = object.at("folders").get<std::vector<std::string>>();
  return file;
}

Result<std::uint64_t> namespace_cookie() {
  const FileDescriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket.is_open()) return os_error("socket", errno);
  std::uint64_t cookie = 0;
  socklen_t size = sizeof cookie;
  if (::getsockopt(socket.get(), SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size) == 0) return cookie;
  if (errno != ENOPROTOOPT) return os_error("SO_NETNS_COOKIE", errno);
  struct stat status {};
  if (::stat(kNamespace, &status) != 0) return os_error(kNamespace, errno);
  return status.st_ino;
}

SetupRecord decode(const json& document) {
  if (document.at("version") != kVersion) refuse("another version");
  SetupRecord record;
  record.made_in = {.boot = document.at("boot").get<std::string>(),
                    .cookie = document.at("namespace").get<std::uint64_t>()};
  for (const auto& [name, vipa] : document.at("vipas").items()) {
    record.vipas[or_refuse(IpAddress::parse(name))] = decode_vipa(vipa);
  }
  for (const json& step : document.at("steps")) record.steps.push_back(decode_step(step));
  if (const auto nft = document.find("nft"); nft != document.end()) record.nft = nft->get<std::string>();
  for (const json& file : document.at("files")) record.files.push_back(decode_file(file));
  return record;
}

}  // namespace

std::string encode_record(const SetupRecord& record) {
  json document = {{"version", kVersion},     {"boot", record.made_in.boot}, {"namespace", record.made_in.cookie},
                   {"vipas", json::object()}, {"steps", json::array()},      {"files", json::array()}};
  for (const auto& [address, vipa] : record.vipas) document["vipas"][address.to_string()] = encode(vipa);
  for (const RecordedStep& step : record.steps) document["steps"].push_back(encode(step));
  if (record.nft) document["nft"] = *record.nft;
  for (const RecordedFile& file : record.files) document["files"].push_back(encode(file));
  return document.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
}

Result<SetupRecord> decode_record(std::string_view text, const std::string& name) {
  try {
    return decode(json::parse(text));
  } catch (const std::exception& failure) {
    return fail(ErrorCode::kFailed, name + ": no record of what was set up here (" + failure.what() +
                                        "); move it away, and undo by hand what it lists");
  }
}

Result<SetupRecord> load_record(const std::filesystem::path& path) {
  auto text = read_whole(path);
  if (!text) return text.error();
  if (!*text) return SetupRecord{};
  return decode_record(**text, path.string());
}

Result<void> save_record(const std::filesystem::path& path, const SetupRecord& record) {
  if (record.is_empty()) {
    auto removed = remove_durably(path);
    if (!removed) return removed.error();
    return {};
  }
  return write_durably(path, encode_record(record), 0600);
}

Result<NamespaceIdentity> read_namespace_identity() {
  auto boot = read_whole(kBoot);
  if (!boot) return boot.error();
  if (!*boot) return fail(ErrorCode::kFailed, std::string(kBoot) + ": there is none");
  auto cookie = namespace_cookie();
  if (!cookie) return cookie.error();
  return NamespaceIdentity{.boot = (*boot)->substr(0, (*boot)->find('\n')), .cookie = *cookie};
}

}  // namespace xdplb
