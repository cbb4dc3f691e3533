/* SPDX-License-Identifier: GPL-2.0-only */
/* The packet's path: parse, find the cluster's port, select a server, forward, finish. */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <stdbool.h>
#include <stddef.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "xdplb/maps.h"
#include "xdplb/outcomes.h"

#include "maps.bpf.h"

#include "parse.bpf.h"

#include "cluster.bpf.h"

#include "select.bpf.h"

#include "forward.bpf.h"

#include "finish.bpf.h"

#include "slow.bpf.h"

/* The tags of a frame that is not untagged plain IPv4: where its network header starts, and of which type it is. */
static __always_inline void *skip_tags(void *data, __be16 *eth_type_be)
{
	if (!is_vlan(*eth_type_be))
		return data + 14;
	*eth_type_be = *(__be16 *)(data + 16);
	if (!is_vlan(*eth_type_be))
		return data + 18;
	*eth_type_be = *(__be16 *)(data + 20);
	return data + 22;
}

/* From the parsed packet to the end of its journey. Inlined once for each family, so that IPv4 does none of IPv6's work. */
static __always_inline int dispatch_parsed(struct xdp_md *ctx, struct packet *packet)
{
	struct xdplb_port *port;
	int outcome;

	port = find_line(&packet->key, packet->is_ipv6);
	if (unlikely(!port))
		return dispatch_slow(ctx);
	outcome = select_server(packet, port);
	if (likely(!outcome))
		outcome = forward(ctx, packet);
	return finish(packet, outcome);
}

static __always_inline int dispatch(struct xdp_md *ctx)
{
	void *data_end = (void *)(long)ctx->data_end;
	void *data = (void *)(long)ctx->data;
	void *start = data + sizeof(struct ethhdr);
	struct packet packet = {};
	__be16 eth_type_be;

	if (unlikely(start + PLAIN_IPV4_BYTES > data_end))
		return dispatch_slow(ctx);
	packet.data = data;
	packet.length = data_end - data;
	if (likely((*(__u32 *)(data + 12) & UNTAGGED_IPV4_MASK) == UNTAGGED_IPV4_PLAIN)) {
		if (unlikely(!parse_plain_ipv4(start, &packet)))
			return dispatch_slow(ctx);
		return dispatch_parsed(ctx, &packet);
	}
	eth_type_be = *(__be16 *)(data + 12);
	start = skip_tags(data, &eth_type_be);
	if (eth_type_be == ETH_P_IP_BE) {
		if (start + PLAIN_IPV4_BYTES > data_end || *(__u8 *)start != IPV4_PLAIN ||
		    !parse_plain_ipv4(start, &packet))
			return dispatch_slow(ctx);
		return dispatch_parsed(ctx, &packet);
	}
	if (eth_type_be != ETH_P_IPV6_BE || start + PLAIN_IPV6_BYTES > data_end || !parse_plain_ipv6(start, &packet))
		return dispatch_slow(ctx);
	return dispatch_parsed(ctx, &packet);
}

SEC("xdp")
int xdplb_dispatch(struct xdp_md *ctx)
{
	return dispatch(ctx);
}

char _license[] SEC("license") = "GPL";
