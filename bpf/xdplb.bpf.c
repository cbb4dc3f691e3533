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

#include "clock.bpf.h"

#include "parse.bpf.h"

#include "cluster.bpf.h"

#include "select.bpf.h"

#include "forward.bpf.h"

#include "journey.bpf.h"

#include "long_parse.bpf.h"

#include "flows.bpf.h"

#include "follow.bpf.h"

#include "fragments.bpf.h"

#include "pick.bpf.h"

#include "track.bpf.h"

#include "change.bpf.h"

#include "answer.bpf.h"

#include "icmp.bpf.h"

#include "trace.bpf.h"

#include "finish.bpf.h"

#include "long_path.bpf.h"

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

/* A server in both halves of a row's word, all other bits 0: the row is settled. */
#define HALVES 0x10001u

/*
 * From the parsed packet to the end of its journey. Whatever is not plain changes nothing here and goes to the long path.
 * Inlined once for each family, so that IPv4 does none of IPv6's work.
 */
static __always_inline int dispatch_parsed(struct xdp_md *ctx, void *data, struct packet *packet,
					   const struct key_words *key)
{
	const struct xdplb_egress *egress;
	struct xdplb_port *port;
	__u64 way, policy;
	__u32 row, word, source_end;

	port = find_line(key, packet->is_ipv6);
	if (unlikely(!port))
		goto leave;
	leave_if(port->attention, !=, 0, look_closer);
	row = row_of_whole(packet, port);
have_row:
	word = load_row(row);
	packet->server = cur_of(word);
	leave_if(packet->server * HALVES, !=, word, look);
have_server:
	way = load_server(packet->server);
	/* The last four bytes of the source: whoever has those of the server is looked at closely. */
	source_end = *(__u32 *)(data + 8);
	leave_if(source_end, ==, way >> 32, leave);
	packet->egress = way & XDPLB_SERVER_EGRESS_MASK;
	egress = &tables.egresses[packet->egress];
	policy = policy_of(egress);
	leave_if(policy, !=, ctx->ingress_ifindex, other_way);
	rewrite_macs(data, way, egress);
	return finish_forwarded(packet);

look_closer:
	if (port->attention & XDPLB_ATTENTION_PEERS && may_be_peer(source_mac(data)))
		goto leave;
	if (port->attention & (packet->tcp_flags | XDPLB_ATTENTION_ALWAYS))
		goto look;
	row = row_of(packet, port);
	goto have_row;
look:
	if (packet->is_ipv6 || packet->tcp_flags & (TCP_SYN | TCP_FIN | TCP_RST))
		goto leave;
	packet->server = follow_flow(packet->client[0], packet->client_port, key->word[0]);
	if (!packet->server)
		goto leave;
	goto have_server;
other_way:
	if (!is_plain(policy))
		goto leave;
	rewrite_macs(data, way, egress);
	return finish_redirected(packet, port->options);
leave:
	return dispatch_long(ctx);
}

static __always_inline int dispatch(struct xdp_md *ctx)
{
	void *data_end = (void *)(long)ctx->data_end;
	void *data = (void *)(long)ctx->data;
	void *start = data + sizeof(struct ethhdr);
	struct packet packet = {};
	struct key_words key;
	__be16 eth_type_be;

	if (unlikely(start + PLAIN_IPV4_BYTES > data_end))
		return dispatch_long(ctx);
	packet.length = data_end - data;
	if (likely((*(__u32 *)(data + 12) & UNTAGGED_IPV4_MASK) == UNTAGGED_IPV4_PLAIN)) {
		if (unlikely(!parse_plain_ipv4(start, &packet, &key)))
			return dispatch_long(ctx);
		return dispatch_parsed(ctx, data, &packet, &key);
	}
	eth_type_be = *(__be16 *)(data + 12);
	start = skip_tags(data, &eth_type_be);
	if (eth_type_be == ETH_P_IP_BE) {
		if (start + PLAIN_IPV4_BYTES > data_end || *(__u8 *)start != IPV4_PLAIN ||
		    !parse_plain_ipv4(start, &packet, &key))
			return dispatch_long(ctx);
		return dispatch_parsed(ctx, data, &packet, &key);
	}
	if (eth_type_be != ETH_P_IPV6_BE || start + PLAIN_IPV6_BYTES > data_end ||
	    !parse_plain_ipv6(start, &packet, &key))
		return dispatch_long(ctx);
	return dispatch_parsed(ctx, data, &packet, &key);
}

SEC("xdp")
int xdplb_dispatch(struct xdp_md *ctx)
{
	return dispatch(ctx);
}

/* The present stamp, for user space: run on any frame. Never attached. */
SEC("xdp")
int xdplb_clock(struct xdp_md *ctx __attribute__((unused)))
{
	return now();
}

char _license[] SEC("license") = "GPL";
