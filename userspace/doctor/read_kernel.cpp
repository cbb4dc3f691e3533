// SPDX-License-Identifier: GPL-2.0-only
#include "base/file_descriptor.h"
#include "doctor/read_facts.h"
#include "host/sysctl.h"

#include <linux/magic.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <thread>

namespace xdplb {
namespace {

constexpr const char* kBpffs = "/sys/fs/bpf";

// The settings of the JIT are to be seen only in the host's first network namespace.
void read_jit(KernelFacts& facts) {
  std::thread([&] {
    const FileDescriptor first(::open("/proc/1/ns/net", O_RDONLY | O_CLOEXEC));
    // Without the rights, or in a container, this namespace's own: perhaps none.
    if (first.is_open() && ::setns(first.get(), CLONE_NEWNET) != 0) return;
    if (const auto enabled = read_sysctl("net/core/bpf_jit_enable")) facts.jit = *enabled;
    if (const auto harden = read_sysctl("net/core/bpf_jit_harden")) facts.jit_harden = *harden;
  }).join();
}

BpffsState read_bpffs() {
  struct statfs info {};
  if (::statfs(kBpffs, &info) != 0 || info.f_type != BPF_FS_MAGIC) return BpffsState::kAbsent;
  return (info.f_flags & ST_RDONLY) != 0 ? BpffsState::kReadOnly : BpffsState::kReady;
}

}  // namespace

KernelFacts read_kernel() {
  KernelFacts facts;
  utsname name{};
  if (::uname(&name) == 0) facts.release = static_cast<const char*>(name.release);
  facts.has_btf = ::access("/sys/kernel/btf/vmlinux", R_OK) == 0;
  facts.bpffs = read_bpffs();
  read_jit(facts);
  facts.features = probe_kernel_features();
  return facts;
}

}  // namespace xdplb
