/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A packet in the midst of an IPv4 flow that is written down, without the long path: the entry names the server, and at
 * most its stamp changes. Everything else is left to select_server(), which comes to the same for these.
 */
#pragma once

/* 0: not written down, or not as simple as that. Words and not structs, which would have to leave their registers. */
static __noinline __u32 follow_flow(__u32 client, __u32 client_port, __u64 key_word)
{
	__u32 stamp = now(), protocol = key_word >> 16 & 0xff;
	__u32 ports = (__u32)bpf_ntohs(key_word) << 16 | client_port;
	struct xdplb_flow *flow;
	__u64 value;

	/* The kind word of kind_word(), whose journey there is not here. */
	flow = find_flow(tag_of_ipv4(4 << 16 | protocol << 8 | XDPLB_KIND_FLOW, ports,
				     (__u64)bpf_ntohl(key_word >> 32) << 32 | client));
	if (!flow)
		return 0;
	value = load_value(flow);
	if (!value || flow_state(value) != XDPLB_FLOW_OPEN || !has_way(flow_server(value)))
		return 0;
	if (value >> XDPLB_FLOW_STAMP_SHIFT != stamp)
		swap_value(flow, value, flow_value(flow_server(value), XDPLB_FLOW_OPEN, stamp));
	return flow_server(value);
}
