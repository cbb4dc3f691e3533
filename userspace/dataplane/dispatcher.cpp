// SPDX-License-Identifier: GPL-2.0-only
#include "dataplane/dispatcher.h"

#include "dataplane/kernel_features.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <xdp/libxdp.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <memory>
#include <set>

namespace xdplb::dispatcher {
namespace {

using Multiprogram = std::unique_ptr<xdp_multiprog, decltype(&xdp_multiprog__close)>;
using XdpProgram = std::unique_ptr<xdp_program, decltype(&xdp_program__close)>;

int print_nothing(libxdp_print_level /*level*/, const char* /*format*/, va_list /*arguments*/) { return 0; }

std::string* g_words = nullptr;  // of the LoadWords that is there

int keep_words(libbpf_print_level level, const char* format, va_list arguments) {
  std::array<char, 4096> text{};
  if (level == LIBBPF_DEBUG || g_words == nullptr) return 0;
  const int length = std::vsnprintf(text.data(), text.size(), format, arguments);
  g_words->append(text.data());
  return length;
}

// What libbpf says as long as this is there, of programs that libxdp loads.
class LoadWords {
 public:
  LoadWords() : printer_(libbpf_set_print(keep_words)) { g_words = &text_; }
  ~LoadWords() {
    g_words = nullptr;
    libbpf_set_print(printer_);
  }
  LoadWords(const LoadWords&) = delete;
  LoadWords& operator=(const LoadWords&) = delete;

  // The verifier's last line before its statistics; empty: it refused nothing.
  std::string verdict() const {
    const auto end = text_.rfind("\nprocessed ");
    if (end == std::string::npos || end == 0) return {};
    const auto start = text_.rfind('\n', end - 1);
    return text_.substr(start == std::string::npos ? 0 : start + 1, end - (start == std::string::npos ? 0 : start + 1));
  }

 private:
  std::string text_;
  libbpf_print_fn_t printer_;
};

Multiprogram multiprogram_of(std::uint32_t ifindex) {
  libxdp_set_print(print_nothing);
  xdp_multiprog* found = xdp_multiprog__get_from_ifindex(static_cast<int>(ifindex));
  return {libxdp_get_error(found) != 0 ? nullptr : found, &xdp_multiprog__close};
}

AttachMode mode_of(const xdp_multiprog* programs) {
  return xdp_multiprog__attach_mode(programs) == XDP_MODE_SKB ? AttachMode::kGeneric : AttachMode::kNative;
}

std::set<std::uint32_t> maps_of(int program) {
  std::array<std::uint32_t, 64> ids{};
  bpf_prog_info info{};
  info.map_ids = reinterpret_cast<std::uintptr_t>(ids.data());
  info.nr_map_ids = ids.size();
  std::uint32_t length = sizeof(info);
  if (bpf_obj_get_info_by_fd(program, &info, &length) != 0) return {};
  return {ids.begin(), ids.begin() + std::min<std::size_t>(info.nr_map_ids, ids.size())};
}

bool shares_a_map(int one, int other) {
  const auto mine = maps_of(one);
  const auto theirs = maps_of(other);
  return std::any_of(mine.begin(), mine.end(), [&](std::uint32_t id) { return theirs.contains(id); });
}

xdp_program* member_of(const xdp_multiprog* programs, int program) {
  if (programs == nullptr || xdp_multiprog__is_legacy(programs)) return nullptr;
  xdp_program* member = nullptr;
  while ((member = xdp_multiprog__next_prog(member, programs)) != nullptr)
    if (shares_a_map(xdp_program__fd(member), program)) return member;
  return nullptr;
}

xdp_attach_mode libxdp_mode(AttachMode mode) { return mode == AttachMode::kGeneric ? XDP_MODE_SKB : XDP_MODE_NATIVE; }

}  // namespace

Result<Chained> attach(bpf_object* object, const std::string& name, std::uint32_t ifindex, AttachMode mode) {
  const auto present = multiprogram_of(ifindex);
  if (present && xdp_multiprog__is_legacy(present.get())) {
    return fail(ErrorCode::kConflict,
                fmt::format("interface {0}: an XDP program is attached without libxdp's dispatcher, nothing can run "
                            "beside it: detach it with `ip link set dev {0} xdp off`",
                            name));
  }
  // All programs of a dispatcher run in its mode.
  const auto present_mode = present ? std::optional(mode_of(present.get())) : std::nullopt;
  if (present_mode && mode != AttachMode::kAuto && mode != *present_mode) {
    return fail(ErrorCode::kConflict,
                fmt::format("interface {}: libxdp's dispatcher is attached in {} mode: load without --mode {}, or "
                            "unload the other programs first (`xdp-loader status` names them)",
                            name, attach_mode_name(*present_mode), attach_mode_name(mode)));
  }
  xdp_program_opts options{};
  options.sz = sizeof(options);
  options.obj = object;
  options.prog_name = "xdplb_dispatch";
  xdp_program* made = xdp_program__create(&options);
  if (const auto error = libxdp_get_error(made); error != 0)
    return os_error("interface " + name + ": libxdp", static_cast<int>(-error));
  const XdpProgram program(made, &xdp_program__close);
  auto obtained = mode == AttachMode::kAuto ? present_mode.value_or(AttachMode::kNative) : mode;
  std::string why_generic;
  if (mode == AttachMode::kAuto && obtained == AttachMode::kGeneric)
    why_generic = "so libxdp's dispatcher runs on it already";
  LoadWords words;
  int error = xdp_program__attach(program.get(), static_cast<int>(ifindex), libxdp_mode(obtained), 0);
  // EINVAL: the driver does not like its settings, as with a large MTU.
  const bool is_of_driver = error == -EOPNOTSUPP || (error == -EINVAL && words.verdict().empty());
  if (is_of_driver && mode == AttachMode::kAuto && !present_mode) {
    why_generic = error == -EOPNOTSUPP ? "its driver has no native XDP" : "its driver refuses";
    obtained = AttachMode::kGeneric;
    error = xdp_program__attach(program.get(), static_cast<int>(ifindex), libxdp_mode(obtained), 0);
  }
  if (error != 0) {
    const auto verdict = words.verdict();
    return Chained{.refusal = fmt::format("libxdp cannot attach its dispatcher ({})",
                                          verdict.empty() ? std::string(strerror(-error)) : verdict)};
  }
  const auto attached = multiprogram_of(ifindex);
  if (attached && !xdp_multiprog__is_legacy(attached.get())) {
    bpf_prog_info info{};
    std::uint32_t length = sizeof(info);
    bpf_obj_get_info_by_fd(xdp_program__fd(program.get()), &info, &length);
    return Chained{
        .is_chained = true, .mode = mode_of(attached.get()), .program_id = info.id, .why_generic = why_generic};
  }
  error = xdp_program__detach(program.get(), static_cast<int>(ifindex), libxdp_mode(obtained), 0);
  if (error != 0) return os_error("interface " + name + ": undo libxdp's attachment", -error);
  return Chained{.refusal = "this kernel refuses libxdp's dispatcher (programs of type EXT)"};
}

std::optional<Member> find(std::uint32_t ifindex, int program) {
  const auto programs = multiprogram_of(ifindex);
  const xdp_program* member = member_of(programs.get(), program);
  if (member == nullptr) return std::nullopt;
  return Member{.program_id = xdp_program__id(member), .mode = mode_of(programs.get())};
}

std::vector<std::string> members(std::uint32_t ifindex) {
  std::vector<std::string> names;
  const auto programs = multiprogram_of(ifindex);
  if (!programs || xdp_multiprog__is_legacy(programs.get())) return names;
  xdp_program* member = nullptr;
  while ((member = xdp_multiprog__next_prog(member, programs.get())) != nullptr)
    names.push_back(program_name(xdp_program__id(member)));
  return names;
}

Result<void> detach(const std::string& name, std::uint32_t ifindex, int program) {
  const auto programs = multiprogram_of(ifindex);
  xdp_program* member = member_of(programs.get(), program);
  if (member == nullptr) return {};
  const int error =
      xdp_program__detach(member, static_cast<int>(ifindex), xdp_multiprog__attach_mode(programs.get()), 0);
  if (error != 0) return os_error("interface " + name + ": leave libxdp's dispatcher", -error);
  return {};
}

}  // namespace xdplb::dispatcher
