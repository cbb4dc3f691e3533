/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Connections that are watched while others come in flood: who got a connection's SYN owns it, and every later packet
 * of it must go there. The servers' MAC addresses end in their index.
 */
#pragma once

#include "../flood_counts.h"

#define WATCHED 1048576 /* connections at most; power of two */
#define OWNER_BROKEN 0x8000u

/* Server of every watched connection, by its number; broken ones are marked. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, WATCHED);
	__type(key, __u32);
	__type(value, __u64);
} owners SEC(".maps");

struct flood_counts counts SEC(".data.bench");

/* The number of the watched connection that the frame now is of. */
static __always_inline __u32 next_watched(struct xdp_md *ctx)
{
	struct traffic *traffic;
	__u32 number;

	if (!find_traffic(ctx, ipv4_place, &traffic))
		return 0;
	number = traffic->random++ & (WATCHED - 1);
	write_client(traffic, ipv4_place, number >> 10, FIRST_CLIENT_PORT + (number & 1023));
	return number;
}

/* A connection of 198.19.0.0/16, another one for each of 2^32 packets. */
static __always_inline void next_of_flood(struct xdp_md *ctx)
{
	struct traffic *traffic;
	__u32 number;
	__u64 *client;

	if (!find_traffic(ctx, ipv4_place, &traffic))
		return;
	number = traffic->random++ * 0x9e3779b1;
	client = (void *)traffic - ipv4_place.traffic + ipv4_place.client;
	*(volatile __u64 *)client = (*client & ~0xffffffffULL) | (number & 0xffff0000) | bpf_htons(0xc613);
	*(volatile __u16 *)((void *)traffic - ipv4_place.traffic + ipv4_place.ports) = number;
}

static __always_inline __u16 server_in(struct xdp_md *ctx)
{
	void *data_end = (void *)(long)ctx->data_end;
	void *data = (void *)(long)ctx->data;

	return data + sizeof(struct ethhdr) > data_end ? 0 : bpf_ntohs(*(__be16 *)(data + 4));
}

static __always_inline int note_owner(struct xdp_md *ctx, __u32 number, int verdict)
{
	__u64 *owner = bpf_map_lookup_elem(&owners, &number);

	counts.opened++;
	if (verdict != XDP_TX)
		counts.lost++;
	if (owner)
		*owner = server_in(ctx);
	return verdict;
}

static __always_inline int check_owner(struct xdp_md *ctx, __u32 number, int verdict)
{
	__u64 *owner = bpf_map_lookup_elem(&owners, &number);

	counts.checked++;
	if (verdict != XDP_TX) {
		counts.lost++;
	} else if (owner && *owner != server_in(ctx) && !(*owner & OWNER_BROKEN)) {
		*owner |= OWNER_BROKEN;
		counts.broken++;
	}
	return verdict;
}

/* The three kinds of packets for one balancer: SYN of a watched connection, its later packets, SYN of the flood. */
#define FLOOD_PROGRAMS(name, forward)                                                                                  \
	SEC("xdp")                                                                                                     \
	int open_##name(struct xdp_md *ctx)                                                                            \
	{                                                                                                              \
		__u32 number = next_watched(ctx);                                                                      \
		return note_owner(ctx, number, forward);                                                               \
	}                                                                                                              \
	SEC("xdp")                                                                                                     \
	int check_##name(struct xdp_md *ctx)                                                                           \
	{                                                                                                              \
		__u32 number = next_watched(ctx);                                                                      \
		return check_owner(ctx, number, forward);                                                              \
	}                                                                                                              \
	SEC("xdp")                                                                                                     \
	int flood_##name(struct xdp_md *ctx)                                                                           \
	{                                                                                                              \
		next_of_flood(ctx);                                                                                    \
		counts.flood++;                                                                                        \
		return forward;                                                                                        \
	}

FLOOD_PROGRAMS(dispatch, dispatch(ctx))
FLOOD_PROGRAMS(lru, lru_forward(ctx, &lru_large))
