// SPDX-License-Identifier: GPL-2.0-only
#include "veth_line.h"

#include "shell.h"
#include "skeleton.h"

#include <linux/if_link.h>
#include <bpf/bpf.h>
#include <fmt/core.h>
#include <net/if.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

namespace xdplb::bench {

Result<void> attach(const char* interface, int program) {
  const auto ifindex = static_cast<int>(::if_nametoindex(interface));
  const int error = bpf_xdp_attach(ifindex, program, XDP_FLAGS_DRV_MODE, nullptr);
  if (error) return os_error(fmt::format("bench: native XDP on {}", interface), -error);
  return {};
}

// Both ends are in one namespace: only the far one has addresses, so that the kernel forwards out of it again.
Result<void> make_veth(int servers) {
  // Nobody but the generator sends: a frame of the kernel's own would count, and could take the polling to another
  // processor.
  if (std::filesystem::exists("/proc/sys/net/ipv6")) {
    if (Result<void> written = write_setting("ipv6/conf/default/disable_ipv6", "1"); !written) return written;
  }
  std::string batch = fmt::format(
      "link add {0} address 02:00:00:00:00:20 type veth peer name {1} address 02:00:00:00:00:10\n"
      "link set {0} up\nlink set {1} up\naddress add 203.0.113.254/24 dev {1}\n"
      "neighbour add 203.0.113.1 lladdr 02:00:00:00:01:00 dev {1} nud permanent\n"
      "route add 10.99.0.0/16 via 203.0.113.1 dev {1}\nroute add 198.18.0.0/15 via 203.0.113.1 dev {1}\n",
      kNear, kFar);
  for (int i = 0; i < servers; ++i) {
    batch +=
        fmt::format("neighbour add 203.0.113.{0} lladdr 02:00:00:00:01:{0:02x} dev {1} nud permanent\n", i + 10, kFar);
  }
  if (Result<void> made = run_ip(batch); !made) return made;
  for (const char* setting : {"ipv4/conf/all/send_redirects", "ipv4/conf/bench-far/send_redirects",
                              "ipv4/conf/all/rp_filter", "ipv4/conf/bench-far/rp_filter"}) {
    if (Result<void> written = write_setting(setting, "0"); !written) return written;
  }
  return write_setting("ipv4/ip_forward", "1");
}

Result<Slice> send_slice(const Programs& programs, const char* generator, const FrameSpec& spec,
                         std::uint32_t packets) {
  const std::vector<std::uint8_t> frame = make_frame(spec);
  std::memcpy(programs->data_bench->headers, frame.data(), sizeof(programs->data_bench->headers));
  xdp_md context = {};
  context.data_end = static_cast<std::uint32_t>(frame.size());
  context.ingress_ifindex = ::if_nametoindex(kNear);
  bpf_test_run_opts options = {};
  options.sz = sizeof(options);
  options.data_in = frame.data();
  options.data_size_in = static_cast<std::uint32_t>(frame.size());
  options.ctx_in = &context;
  options.ctx_size_in = sizeof(context);
  options.repeat = static_cast<int>(packets);
  options.flags = BPF_F_TEST_XDP_LIVE_FRAMES;
  const std::uint64_t before = programs->data_bench->arrived;
  if (bpf_prog_test_run_opts(program_fd(programs, generator), &options))
    return os_error("bench: send live frames", errno);
  // `duration` leaves out the set-up of the call; it is per packet.
  return Slice{.arrived = programs->data_bench->arrived - before,
               .us = static_cast<double>(options.duration) * packets / 1e3};
}

}  // namespace xdplb::bench
