/* SPDX-License-Identifier: GPL-2.0-only */
/* Server -> Ethernet header: the two MAC addresses change, so no checksum and no length does. */
#pragma once

/* Both addresses of an Ethernet header in two stores; `way` carries the destination in its high 48 bits. */
static __always_inline void rewrite_macs(void *ethernet, __u64 way, const struct xdplb_egress *egress)
{
	__u64 source = *(const __u64 *)egress->mac;

	*(__u64 *)ethernet = way >> 16 | source << 48;
	*(__u32 *)(ethernet + 8) = source >> 16;
}

/* The source address in the high 48 bits: as in a server's word, whose low 16 bits are something else. */
static __always_inline __u64 source_mac(const void *ethernet)
{
	return *(const __u64 *)(ethernet + 6) << 16;
}

/* May this frame come from another dispatcher? Its last byte tells for most that it does not. */
static __always_inline bool may_be_peer(__u64 source)
{
	return *(volatile __u64 *)&tables.settings.peer_filter >> (source >> 56 & 63) & 1;
}

/* Interface, tag and flags: plain when nothing but the MACs is to change. */
static __always_inline __u64 policy_of(const struct xdplb_egress *egress)
{
	return *(volatile __u64 *)&egress->ifindex;
}

/* Does a frame leave by this policy with no more change than that of its MACs, by whatever interface? */
static __always_inline bool is_plain(__u64 policy)
{
	return policy && !(policy >> 32);
}
