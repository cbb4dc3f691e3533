/* SPDX-License-Identifier: GPL-2.0-only */
/* The real program, what it is measured against, and the ends of the live line. */
#include "xdplb.bpf.c"

#include "traffic.bpf.h"

#include "floor.bpf.h"

#include "lru.bpf.h"

#include "flood.bpf.h"

SEC("xdp")
int floor_one(struct xdp_md *ctx)
{
	return floor_forward(ctx);
}

/* dispatch_KIND and floor_KIND: the same change of client, then the real program or the floor. */
#define WITH_MANY_CLIENTS(kind)                                                                                        \
	SEC("xdp")                                                                                                     \
	int dispatch_##kind(struct xdp_md *ctx)                                                                        \
	{                                                                                                              \
		next_client(ctx, kind##_place);                                                                        \
		return dispatch(ctx);                                                                                  \
	}                                                                                                              \
	SEC("xdp")                                                                                                     \
	int floor_##kind(struct xdp_md *ctx)                                                                           \
	{                                                                                                              \
		next_client(ctx, kind##_place);                                                                        \
		return floor_forward(ctx);                                                                             \
	}

WITH_MANY_CLIENTS(ipv4)
WITH_MANY_CLIENTS(vlan)
WITH_MANY_CLIENTS(ipv6)

#define WITH_CHANGE(name, change, forward)                                                                             \
	SEC("xdp")                                                                                                     \
	int name(struct xdp_md *ctx)                                                                                   \
	{                                                                                                              \
		change;                                                                                                \
		return forward;                                                                                        \
	}

WITH_CHANGE(dispatch_new, next_new_client(ctx), dispatch(ctx))
WITH_CHANGE(floor_new, next_new_client(ctx), floor_forward(ctx))
WITH_CHANGE(dispatch_ttl, renew_ttl(ctx), dispatch(ctx))
WITH_CHANGE(floor_ttl, renew_ttl(ctx), floor_forward(ctx))
WITH_CHANGE(lru_one, , lru_forward(ctx, &lru_small))
WITH_CHANGE(lru_64ki, next_client(ctx, ipv4_place), lru_forward(ctx, &lru_small))
WITH_CHANGE(lru_1mi, next_client(ctx, ipv4_place), lru_forward(ctx, &lru_large))

/* How many clusters dispatch_clusters spreads its packets over. */
__u32 cluster_count SEC(".data.bench") = 1;

SEC("xdp")
int dispatch_clusters(struct xdp_md *ctx)
{
	next_client_and_cluster(ctx, cluster_count);
	return dispatch(ctx);
}

SEC("xdp")
int reflect(struct xdp_md *ctx)
{
	void *data_end = (void *)(long)ctx->data_end;
	void *data = (void *)(long)ctx->data;
	struct ethhdr *ethernet = data;
	__u8 swapped[ETH_ALEN];

	if ((void *)(ethernet + 1) > data_end)
		return XDP_DROP;
	__builtin_memcpy(swapped, ethernet->h_dest, ETH_ALEN);
	__builtin_memcpy(ethernet->h_dest, ethernet->h_source, ETH_ALEN);
	__builtin_memcpy(ethernet->h_source, swapped, ETH_ALEN);
	return XDP_TX;
}

/*
 * In front of the kernel's own forwarding: Linux 6.18 does not wake a veth end without a program for the frames that a
 * program at the other end sends.
 */
SEC("xdp")
int hand_to_stack(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_PASS;
}

/* What came back over the wire; one processor does everything, no lock needed. */
__u64 arrived SEC(".data.bench");

SEC("xdp")
int count_arrived(struct xdp_md *ctx)
{
	(void)ctx;
	arrived++;
	return XDP_DROP;
}

/* Where the generator is in its sequence. Pages of live frames are used again, so the state cannot lie in the frame. */
__u32 sequence SEC(".data.bench");

/* All headers of the frame to send, put back before each sending: who had the page last forwarded it and changed them.
 */
#define HEADER_WORDS 7
__u64 headers[HEADER_WORDS] SEC(".data.bench");

/*
 * The frame of any client, or of each in its turn, sent out of the interface that BPF_PROG_RUN names. The words that
 * change are taken back in the IP identification and the TCP acknowledgement, so that both checksums stay right: the
 * kernel's own forwarding and its connection tracking look at them.
 */
static __always_inline int send_frame(struct xdp_md *ctx, bool in_turn)
{
	void *data_end = (void *)(long)ctx->data_end;
	void *data = (void *)(long)ctx->data;
	struct traffic *traffic = data + ipv4_place.traffic;
	__u32 address, port_number;
	__u64 *word = data;
	__u16 port;

	if ((void *)(traffic + 1) > data_end)
		return XDP_DROP;
#pragma unroll
	for (int i = 0; i < HEADER_WORDS; i++)
		word[i] = headers[i];
	if (in_turn) {
		port_number = sequence++;
		address = port_number / (traffic->port_mask + 1U);
	} else {
		sequence = sequence * 1664525 + 1013904223;
		port_number = sequence >> 12;
		address = sequence >> 22;
	}
	address &= traffic->address_mask;
	port = bpf_htons(FIRST_CLIENT_PORT + (port_number & traffic->port_mask));
	*(__u16 *)(data + 18) = ~address;
	*(__u16 *)(data + 28) = address;
	*(__u16 *)(data + 34) = port;
	*(__u16 *)(data + 42) = ~address;
	*(__u16 *)(data + 44) = ~port;
	return XDP_TX;
}

SEC("xdp")
int generate(struct xdp_md *ctx)
{
	return send_frame(ctx, false);
}

/* As many packets as there are clients are one of each. */
SEC("xdp")
int generate_each(struct xdp_md *ctx)
{
	return send_frame(ctx, true);
}
