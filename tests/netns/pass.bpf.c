// SPDX-License-Identifier: GPL-2.0-only
// Lets every frame through. A veth wakes the receiver of XDP_TX frames only when that one has an XDP program, too.
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

SEC("xdp")
int pass_all(struct xdp_md *ctx __attribute__((unused)))
{
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
