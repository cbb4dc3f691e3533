// SPDX-License-Identifier: GPL-2.0-only
#include "dataplane/kernel_features.h"

#include "base/file_descriptor.h"
#include "dataplane/dispatcher.h"
#include "dataplane/program.h"

#include <linux/bpf.h>
#include <linux/if_link.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sched.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <functional>
#include <thread>

namespace xdplb {
namespace {

constexpr int kLoopback = 1;  // its index in every new network namespace

Trial trial_of(int error) {
  if (error == 0) return {.support = Support::kYes};
  const bool is_forbidden = error == EPERM || error == EACCES;
  return {.support = is_forbidden ? Support::kUnknown : Support::kNo, .why = std::strerror(error)};
}

// "return XDP_PASS". Not open: errno says why.
FileDescriptor load_pass() {
  std::array<bpf_insn, 2> code{};
  code[0].code = BPF_ALU64 | BPF_MOV | BPF_K;
  code[0].imm = XDP_PASS;
  code[1].code = BPF_JMP | BPF_EXIT;
  return FileDescriptor(bpf_prog_load(BPF_PROG_TYPE_XDP, "xdplb_trial", "GPL", code.data(), code.size(), nullptr));
}

// In a network namespace of its own: that of a thread, so that this process keeps its own.
Trial in_new_namespace(const std::function<Trial()>& attempt) {
  Trial trial;
  std::thread([&] {
    trial = ::unshare(CLONE_NEWNET) == 0
                ? attempt()
                : Trial{.why = "no network namespace to try it in: " + std::string(std::strerror(errno))};
  }).join();
  return trial;
}

Trial try_link(int program) {
  bpf_link_create_opts options{};
  options.sz = sizeof(options);
  options.flags = XDP_FLAGS_SKB_MODE;
  const FileDescriptor link(bpf_link_create(program, kLoopback, BPF_XDP, &options));
  return trial_of(link.is_open() ? 0 : errno);
}

Trial try_dispatcher() {
  const auto object = Program::open_small();
  if (!object) return {.why = object.error().message};
  const auto chained = dispatcher::attach(object->get(), "lo", kLoopback, AttachMode::kGeneric);
  if (!chained) return {.why = chained.error().message};
  if (!chained->is_chained) return {.support = Support::kNo, .why = chained->refusal};
  const int program = bpf_program__fd(bpf_object__find_program_by_name(object->get(), "xdplb_dispatch"));
  if (const auto detached = dispatcher::detach("lo", kLoopback, program); !detached)
    return {.support = Support::kYes, .why = detached.error().message};
  return {.support = Support::kYes};
}

std::vector<std::string> find_lacking_maps() {
  std::vector<std::string> lacking;
  for (const auto type : {BPF_MAP_TYPE_ARRAY, BPF_MAP_TYPE_PERCPU_ARRAY, BPF_MAP_TYPE_DEVMAP, BPF_MAP_TYPE_LPM_TRIE,
                          BPF_MAP_TYPE_RINGBUF})
    if (libbpf_probe_bpf_map_type(type, nullptr) == 0) lacking.emplace_back(libbpf_bpf_map_type_str(type));
  return lacking;
}

}  // namespace

KernelFeatures probe_kernel_features() {
  KernelFeatures features;
  const auto pass = load_pass();
  features.xdp = trial_of(pass.is_open() ? 0 : errno);
  // Whatever else is tried would fail for the same reason, and tell another.
  if (!pass.is_open()) return features;
  features.lacking = find_lacking_maps();
  const auto loaded = Program::try_load();
  if (loaded) {
    features.program.support = Support::kYes;
    features.is_machine_code = *loaded;
  } else {
    const bool is_forbidden = loaded.error().code == ErrorCode::kPermission;
    features.program = {.support = is_forbidden ? Support::kUnknown : Support::kNo, .why = loaded.error().message};
  }
  features.link = in_new_namespace([&] { return try_link(pass.get()); });
  if (loaded) features.dispatcher = in_new_namespace(try_dispatcher);
  return features;
}

std::string program_name(std::uint32_t id) {
  const FileDescriptor program(bpf_prog_get_fd_by_id(id));
  bpf_prog_info info{};
  std::uint32_t length = sizeof(info);
  if (!program.is_open() || bpf_obj_get_info_by_fd(program.get(), &info, &length) != 0) return {};
  return info.name;
}

}  // namespace xdplb
