/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Many clients out of one frame: BPF_PROG_RUN hands the same bytes to every run, so the program under test itself
 * changes the client first. The floors do exactly the same, and it is part of both times.
 */
#pragma once

/* Behind the transport header of a frame that asks for more than one flow; the state lies in the frame, not in a map.
 */
struct traffic {
	__u32 random;       /* state of a linear congruential generator, or a number that counts up */
	__u16 address_mask; /* of the 10 bits of the client's address that change */
	__u16 port_mask;    /* of the 10 bits of the client's port that change */
};

#define FIRST_CLIENT_PORT 1024

/* Where a kind of frame keeps what changes. */
struct traffic_place {
	__u32 client;  /* the 8 bytes whose bytes 2 and 3 change: IPv4 source and destination, IPv6 end of the source */
	__u32 ports;   /* source and destination port */
	__u32 traffic; /* struct traffic */
};

static const struct traffic_place ipv4_place = { .client = 26, .ports = 34, .traffic = 54 };
static const struct traffic_place vlan_place = { .client = 30, .ports = 38, .traffic = 58 };
static const struct traffic_place ipv6_place = { .client = 30, .ports = 54, .traffic = 74 };

/* The frame's struct traffic; false when the frame is shorter than that. */
static __always_inline bool find_traffic(struct xdp_md *ctx, struct traffic_place place, struct traffic **traffic)
{
	void *data_end = (void *)(long)ctx->data_end;
	void *data = (void *)(long)ctx->data;

	*traffic = data + place.traffic;
	return (void *)(*traffic + 1) <= data_end;
}

/*
 * Stores are as wide as any load a program may use for the same bytes: a narrow store followed by a wide load stalls
 * the processor and would be charged to programs that load well. Volatile, or clang narrows them to the bits that
 * change.
 */
static __always_inline void write_client(struct traffic *traffic, struct traffic_place place, __u16 address, __u16 port)
{
	void *data = (void *)traffic - place.traffic;
	__u64 *client = data + place.client;
	__u32 *ports = data + place.ports;

	*(volatile __u64 *)client = (__u64)address << 16 | (*client & ~0xffff0000ULL);
	*(volatile __u32 *)ports = bpf_htons(port) | (*ports & 0xffff0000);
}

static __always_inline __u32 next_client(struct xdp_md *ctx, struct traffic_place place)
{
	struct traffic *traffic;
	__u32 random;

	if (!find_traffic(ctx, place, &traffic))
		return 0;
	random = traffic->random * 1664525 + 1013904223;
	traffic->random = random;
	write_client(traffic, place, random >> 22 & traffic->address_mask,
		     FIRST_CLIENT_PORT + (random >> 12 & traffic->port_mask));
	return random;
}

/* A client that did not come before: 2^20 packets have as many different ones, in an order without neighbours. */
static __always_inline void next_new_client(struct xdp_md *ctx)
{
	struct traffic *traffic;
	__u32 number;

	if (!find_traffic(ctx, ipv4_place, &traffic))
		return;
	number = traffic->random++ * 0x9e3779b1;
	write_client(traffic, ipv4_place, number >> 10 & traffic->address_mask,
		     FIRST_CLIENT_PORT + (number & traffic->port_mask));
}

/* The same, and another VIPA for every packet: 10.99.0.0 + 0..clusters-1, in the order of the random numbers. */
static __always_inline void next_client_and_cluster(struct xdp_md *ctx, __u32 clusters)
{
	__u32 random = next_client(ctx, ipv4_place);
	void *data_end = (void *)(long)ctx->data_end;
	void *data = (void *)(long)ctx->data;
	__u64 *client = data + ipv4_place.client;
	__u64 cluster;

	if ((void *)(client + 1) > data_end)
		return;
	cluster = (__u64)(random & 0xffffff) * clusters >> 24;
	*(volatile __u64 *)client = (*client & 0xffffffff) | (__u64)bpf_htonl(0x0a630000 + cluster) << 32;
}

/* Undoes what a program that decrements the time to live did in the run before. */
static __always_inline void renew_ttl(struct xdp_md *ctx)
{
	void *data_end = (void *)(long)ctx->data_end;
	void *data = (void *)(long)ctx->data;

	if (data + 26 > data_end)
		return;
	*(volatile __u32 *)(data + 20) = (__u32)IPPROTO_TCP << 24 | 64 << 16; /* no fragment, TTL, protocol */
	*(volatile __u16 *)(data + 24) = 0;                                   /* checksum, which nobody verifies */
}
