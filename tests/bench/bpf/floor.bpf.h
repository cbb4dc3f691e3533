/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What any dispatcher must do at least: find the five-tuple of a TCP or UDP packet behind up to two VLAN tags, IPv4 or
 * IPv6, write both MAC addresses, send the frame back. No map, no hash, no counter. Written as one would write it for
 * speed; nothing in it is slower than it has to be.
 */
#pragma once

struct floor_tuple {
	__u64 source[2];
	__u64 destination[2];
	__u16 source_port;
	__u16 destination_port;
	__u8 protocol;
};

/* Makes the compiler fetch a value that nobody needs. Costs no instruction of its own. */
#define KEEP(value) asm volatile("" : : "r"((__u64)(value)))

static __always_inline bool floor_read_ports(const __u16 *ports, const void *data_end, struct floor_tuple *tuple)
{
	if ((const void *)(ports + 4) > data_end)
		return false;
	if (tuple->protocol != IPPROTO_TCP && tuple->protocol != IPPROTO_UDP)
		return false;
	tuple->source_port = ports[0];
	tuple->destination_port = ports[1];
	return true;
}

static __always_inline bool floor_read_ipv4(const struct iphdr *ip, const void *data_end, struct floor_tuple *tuple)
{
	if ((const void *)(ip + 1) > data_end)
		return false;
	if (*(const __u8 *)ip != 0x45 || ip->frag_off & bpf_htons(0x3fff))
		return false;
	tuple->protocol = ip->protocol;
	tuple->source[0] = ip->saddr;
	tuple->destination[0] = ip->daddr;
	return floor_read_ports((const __u16 *)(ip + 1), data_end, tuple);
}

static __always_inline bool floor_read_ipv6(const struct ipv6hdr *ip, const void *data_end, struct floor_tuple *tuple)
{
	const __u64 *address = (const __u64 *)&ip->saddr;

	if ((const void *)(ip + 1) > data_end)
		return false;
	tuple->protocol = ip->nexthdr;
	tuple->source[0] = address[0];
	tuple->source[1] = address[1];
	tuple->destination[0] = address[2];
	tuple->destination[1] = address[3];
	if (!floor_read_ports((const __u16 *)(ip + 1), data_end, tuple))
		return false;
	KEEP(tuple->source[1]);
	KEEP(tuple->destination[1]);
	return true;
}

static __always_inline bool floor_parse(void *data, const void *data_end, struct floor_tuple *tuple)
{
	const __u16 *type = data + 12;

#pragma unroll
	for (int tags = 0; tags <= 2; tags++, type += 2) {
		if ((const void *)(type + 1) > data_end)
			return false;
		if (*type == bpf_htons(ETH_P_IP))
			return floor_read_ipv4((const void *)(type + 1), data_end, tuple);
		if (*type == bpf_htons(ETH_P_IPV6))
			return floor_read_ipv6((const void *)(type + 1), data_end, tuple);
		if (*type != bpf_htons(ETH_P_8021Q) && *type != bpf_htons(ETH_P_8021AD))
			return false;
	}
	return false;
}

static __always_inline int floor_forward(struct xdp_md *ctx)
{
	void *data_end = (void *)(long)ctx->data_end;
	void *data = (void *)(long)ctx->data;
	struct floor_tuple tuple;

	if (!floor_parse(data, data_end, &tuple))
		return XDP_PASS;
	KEEP(tuple.source[0]);
	KEEP(tuple.destination[0]);
	KEEP(tuple.source_port);
	KEEP(tuple.destination_port);
	KEEP(tuple.protocol);
	*(__u64 *)data = 0x0002060504030202; /* 02:02:03:04:05:06, 02:00:... */
	*(__u32 *)(data + 8) = 0x01000000;
	return XDP_TX;
}
