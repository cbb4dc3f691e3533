// SPDX-License-Identifier: GPL-2.0-only
#include "dataplane/attachments.h"

#include "dataplane/dispatcher.h"
#include "dataplane/kernel_features.h"

#include <linux/if_link.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>
#include <cstring>

namespace xdplb {
namespace {

// As the kernel shows it: the name of the function, cut at 15 characters.
constexpr std::string_view kOwnProgram = "xdplb_dispatch";

struct Occupant {
  std::uint32_t program_id = 0;  // 0: the interface is free
  AttachMode mode = AttachMode::kNative;
};

Result<Occupant> query(const std::string& name, std::uint32_t ifindex) {
  bpf_xdp_query_opts info{};
  info.sz = sizeof(info);
  const int error = bpf_xdp_query(static_cast<int>(ifindex), 0, &info);
  if (error != 0) return os_error("interface " + name + ": XDP state", -error);
  if (info.skb_prog_id != 0) return Occupant{info.skb_prog_id, AttachMode::kGeneric};
  if (info.drv_prog_id != 0) return Occupant{info.drv_prog_id, AttachMode::kNative};
  return Occupant{info.prog_id, AttachMode::kNative};
}

Error occupied(const std::string& name, const Occupant& occupant) {
  const auto name_of_program = program_name(occupant.program_id);
  const std::string program = name_of_program.empty() ? "unknown" : name_of_program;
  if (program == kOwnProgram) {
    return fail(
        ErrorCode::kConflict,
        fmt::format("interface {0}: another instance of xdplb forwards on it (program {1}): `xdplb --instance NAME "
                    "unload {0}` first; `ls /sys/fs/bpf/xdplb` names the instances",
                    name, occupant.program_id));
  }
  return fail(
      ErrorCode::kConflict,
      fmt::format("interface {0}: another XDP program is attached (id {1}, \"{2}\"): detach it with its own tool or "
                  "`ip link set dev {0} xdp off`, or load with --chain to run beside it",
                  name, occupant.program_id, program));
}

std::uint32_t flags_of(AttachMode mode) {
  return mode == AttachMode::kGeneric ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE;
}

constexpr std::string_view kDriversWords = "Kernel error message: ";
thread_local std::string t_drivers_words;

int keep_drivers_words(libbpf_print_level /*level*/, const char* format, va_list arguments) {
  std::array<char, 512> line{};
  const int length = std::vsnprintf(line.data(), line.size(), format, arguments);
  const std::string_view text(line.data());
  if (const auto at = text.find(kDriversWords); at != std::string_view::npos)
    t_drivers_words = text.substr(at + kDriversWords.size(), text.find('\n', at) - at - kDriversWords.size());
  return length;
}

// What the driver has to say about a refusal; empty: nothing. The kernel hands its words out by netlink alone, not
// where links are made, so it is asked once more by that way.
std::string drivers_words(int program, std::uint32_t ifindex, AttachMode mode) {
  const std::uint32_t flags = flags_of(mode) | XDP_FLAGS_UPDATE_IF_NOEXIST;
  t_drivers_words.clear();
  const auto printer = libbpf_set_print(keep_drivers_words);
  if (bpf_xdp_attach(static_cast<int>(ifindex), program, flags, nullptr) == 0)
    bpf_xdp_detach(static_cast<int>(ifindex), flags_of(mode), nullptr);
  libbpf_set_print(printer);
  return t_drivers_words;
}

// The kernel's reason in words that say what to change on the interface.
std::string reason_of(int error, int program, const std::string& name, std::uint32_t ifindex, AttachMode mode) {
  const bool is_of_driver = error == EOPNOTSUPP || error == ERANGE || error == EINVAL;
  if (!is_of_driver) return std::strerror(error);
  const auto words = drivers_words(program, ifindex, mode);
  // The kernel's own words for a driver without the hook.
  if (error == EOPNOTSUPP && (words.empty() || words.find("does not support XDP") != std::string::npos))
    return "its driver has no native XDP";
  if (error == ERANGE && words.empty()) return "its MTU, or that of its peer, is too large for native XDP";
  return fmt::format("its driver refuses{}: `xdplb doctor {}` looks at MTU, offloads and queues",
                     words.empty() ? "" : " (\"" + words + "\")", name);
}

int create_link(int program, std::uint32_t ifindex, AttachMode mode) {
  bpf_link_create_opts options{};
  options.sz = sizeof(options);
  options.flags = flags_of(mode);
  return bpf_link_create(program, static_cast<int>(ifindex), BPF_XDP, &options);
}

}  // namespace

Result<std::optional<Attachment>> Attachments::adopt_link(const std::string& name, std::uint32_t ifindex) {
  const auto path = link_path(name);
  const FileDescriptor link(bpf_obj_get(path.c_str()));
  if (!link.is_open()) return std::optional<Attachment>();
  bpf_link_info info{};
  std::uint32_t length = sizeof(info);
  const bool is_of_interface = bpf_obj_get_info_by_fd(link.get(), &info, &length) == 0 && info.xdp.ifindex == ifindex;
  if (!is_of_interface) {
    // The device it was made for is gone; another one has its name now.
    std::error_code ignored;
    std::filesystem::remove(path, ignored);
    return std::optional<Attachment>();
  }
  const int error = bpf_link_update(link.get(), program_->descriptor(), nullptr);
  if (error != 0) return os_error("interface " + name + ": exchange the program", -error);
  const auto occupant = query(name, ifindex);
  if (!occupant) return occupant.error();
  return std::optional(Attachment{.name = name,
                                  .ifindex = ifindex,
                                  .mode = occupant->mode,
                                  .through_dispatcher = false,
                                  .program_id = program_->id(),
                                  .warnings = {}});
}

Result<Attachment> Attachments::attach_link(const std::string& name, std::uint32_t ifindex, AttachMode mode) {
  Attachment attachment{.name = name,
                        .ifindex = ifindex,
                        .mode = mode,
                        .through_dispatcher = false,
                        .program_id = program_->id(),
                        .warnings = {}};
  if (mode == AttachMode::kAuto) attachment.mode = AttachMode::kNative;
  FileDescriptor link(create_link(program_->descriptor(), ifindex, attachment.mode));
  int error = link.is_open() ? 0 : errno;
  const bool may_fall_back = mode == AttachMode::kAuto && error != EBUSY && error != EEXIST && error != EPERM;
  if (error != 0 && may_fall_back) {
    attachment.warnings.push_back(
        fmt::format("interface {}: generic mode, slower than native: {}", name,
                    reason_of(error, program_->descriptor(), name, ifindex, AttachMode::kNative)));
    attachment.mode = AttachMode::kGeneric;
    link = FileDescriptor(create_link(program_->descriptor(), ifindex, attachment.mode));
    error = link.is_open() ? 0 : errno;
  }
  if (error == EPERM)
    return fail(ErrorCode::kPermission, fmt::format("interface {}: attaching is not permitted; run as root", name));
  if (error != 0) {
    const auto reason = reason_of(error, program_->descriptor(), name, ifindex, attachment.mode);
    const char* way_out =
        attachment.mode == AttachMode::kNative ? "; without --mode native it runs in generic mode" : "";
    return fail(ErrorCode::kFailed, fmt::format("interface {}: cannot attach in {} mode: {}{}", name,
                                                attach_mode_name(attachment.mode), reason, way_out));
  }
  const auto path = link_path(name);
  std::error_code failure;
  std::filesystem::create_directories(path.parent_path(), failure);
  if (const int pinned = bpf_obj_pin(link.get(), path.c_str()); pinned != 0)
    return os_error("pin " + path.string(), -pinned);
  return attachment;
}

Result<Attachment> Attachments::attach_chained(const std::string& name, std::uint32_t ifindex, AttachMode mode) {
  auto object = program_->open_sharing_maps();
  if (!object) return object.error();
  auto chained = dispatcher::attach(object->get(), name, ifindex, mode);
  if (!chained) return chained.error();
  if (chained->is_chained) {
    Attachment attachment{.name = name,
                          .ifindex = ifindex,
                          .mode = chained->mode,
                          .through_dispatcher = true,
                          .program_id = chained->program_id,
                          .warnings = {}};
    if (!chained->why_generic.empty())
      attachment.warnings.push_back(
          fmt::format("interface {}: generic mode, slower than native: {}", name, chained->why_generic));
    return attachment;
  }
  const auto occupant = query(name, ifindex);
  if (!occupant) return occupant.error();
  if (occupant->program_id != 0)
    return fail(ErrorCode::kConflict,
                fmt::format("interface {}: other XDP programs are attached, and {}: detach them with their own tools "
                            "(`xdp-loader status` names them)",
                            name, chained->refusal));
  auto attachment = attach_link(name, ifindex, mode);
  if (attachment) {
    attachment->warnings.push_back(
        fmt::format("interface {}: attached by a pinned link, alone: {}", name, chained->refusal));
  }
  return attachment;
}

// bpffs refuses names with a dot, which every VLAN's interface has; a colon is in no interface's name.
std::filesystem::path Attachments::link_path(const std::string& name) const {
  std::string file = name;
  std::replace(file.begin(), file.end(), '.', ':');
  return program_->pin_dir() / "links" / file;
}

Result<Attachment> Attachments::attach(const std::string& name, std::uint32_t ifindex, AttachMode mode, bool chain) {
  auto adopted = adopt_link(name, ifindex);
  if (!adopted) return adopted.error();
  if (*adopted) return std::move(**adopted);
  if (const auto ours = dispatcher::find(ifindex, program_->descriptor())) {
    return Attachment{.name = name,
                      .ifindex = ifindex,
                      .mode = ours->mode,
                      .through_dispatcher = true,
                      .program_id = ours->program_id,
                      .warnings = {}};
  }
  const auto occupant = query(name, ifindex);
  if (!occupant) return occupant.error();
  if (occupant->program_id != 0 && !chain) return occupied(name, *occupant);
  return chain ? attach_chained(name, ifindex, mode) : attach_link(name, ifindex, mode);
}

Result<void> Attachments::detach(const std::string& name, std::uint32_t ifindex) {
  std::error_code failure;
  // Removing the pin of a link that nobody holds open detaches it.
  std::filesystem::remove(link_path(name), failure);
  if (failure && failure != std::errc::no_such_file_or_directory)
    return os_error("remove " + link_path(name).string(), failure.value());
  return dispatcher::detach(name, ifindex, program_->descriptor());
}

}  // namespace xdplb
