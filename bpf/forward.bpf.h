/* SPDX-License-Identifier: GPL-2.0-only */
/* Server -> Ethernet header: only the two MAC addresses change, so no checksum and no length does. */
#pragma once

/* Both addresses of an Ethernet header in two stores; `path` carries the destination in its high 48 bits. */
static __always_inline void rewrite_macs(void *ethernet, __u64 path, const struct xdplb_egress *egress)
{
	__u64 source = *(const __u64 *)egress->mac;

	*(__u64 *)ethernet = path >> 16 | source << 48;
	*(__u32 *)(ethernet + 8) = source >> 16;
}

/* Nobody, server 0, has neither a MAC nor a way out, so that one look at the interface settles the common case. */
static __always_inline int forward(struct xdp_md *ctx, struct packet *packet)
{
	const struct xdplb_egress *egress;
	__u64 path;

	/* One load of MAC and egress slot: a packet never sees one of them old and the other new. */
	path = *(volatile __u64 *)&tables.servers[packet->server & (XDPLB_MAX_SERVERS - 1)];
	packet->egress = (__u16)path;
	egress = &tables.egresses[packet->egress & (XDPLB_MAX_EGRESSES - 1)];
	if (likely(egress->ifindex == ctx->ingress_ifindex)) {
		rewrite_macs(packet->data, path, egress);
		return XDPLB_OUTCOME_FORWARDED;
	}
	if (!packet->server)
		return XDPLB_OUTCOME_NO_SERVER;
	if (!packet->egress)
		return XDPLB_OUTCOME_SERVER_GONE;
	if (!egress->ifindex)
		return XDPLB_OUTCOME_NO_EGRESS;
	rewrite_macs(packet->data, path, egress);
	return XDPLB_OUTCOME_REDIRECTED;
}
