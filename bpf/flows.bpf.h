/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Flows that are written down: a table of buckets of four, each one cache line, in a plain array. No lock: an entry is
 * claimed by one compare-and-swap and changed by another, so whoever comes second sees that he does (xdplb/maps.h).
 */
#pragma once

/* Every round is a bijection of the state under a secret multiplier: names that differ in one word never collide. */
static __always_inline __u64 mix(__u64 hash, __u64 word)
{
	hash = (hash + word) * tables.settings.flow_seeds[1];
	return hash ^ hash >> 32;
}

/* What a flow is known by besides its addresses: kind, protocol, and the number of a packet or of an affinity. */
static __always_inline __u64 kind_word(const struct journey *journey, __u8 kind, __u8 protocol, __u32 number)
{
	return (__u64)number << 32 | (journey->packet.is_ipv6 ? 6 : 4) << 16 | (__u32)protocol << 8 | kind;
}

/* addresses: the VIPA in the upper half, the client in the lower one, host order. */
static __always_inline __u64 tag_of_ipv4(__u64 kind_word, __u32 ports, __u64 addresses)
{
	__u64 hash = mix(mix(mix(tables.settings.flow_seeds[0], kind_word), ports), addresses);

	return hash ? hash : 1;
}

static __always_inline __u64 tag_of(const struct journey *journey, __u64 kind_word, __u32 ports, const __u64 client[2],
				    const __u64 vipa[2])
{
	__u64 hash;

	if (!journey->packet.is_ipv6)
		return tag_of_ipv4(kind_word, ports, vipa[0] << 32 | client[0]);
	hash = mix(mix(tables.settings.flow_seeds[0], kind_word), ports);
	hash = mix(mix(hash, client[0]), client[1]);
	hash = mix(mix(hash, vipa[0]), vipa[1]);
	return hash ? hash : 1;
}

static __always_inline __u64 tag_of_connection(const struct journey *journey)
{
	__u32 ports = (__u32)journey->port << 16 | journey->packet.client_port;

	return tag_of(journey, kind_word(journey, XDPLB_KIND_FLOW, journey->protocol, 0), ports, journey->packet.client,
		      journey->vipa);
}

static __always_inline __u64 flow_value(__u32 server, __u32 state, __u32 stamp)
{
	return (__u64)stamp << XDPLB_FLOW_STAMP_SHIFT | state << XDPLB_FLOW_STATE_SHIFT | server;
}

static __always_inline __u32 flow_server(__u64 value)
{
	return value & XDPLB_ROW_SERVER_MASK;
}

static __always_inline __u32 flow_state(__u64 value)
{
	return (value & XDPLB_FLOW_STATE_MASK) >> XDPLB_FLOW_STATE_SHIFT;
}

static __always_inline __u64 load_value(const struct xdplb_flow *flow)
{
	return *(const volatile __u64 *)&flow->value;
}

static __always_inline bool swap_value(struct xdplb_flow *flow, __u64 before, __u64 after)
{
	return __sync_val_compare_and_swap(&flow->value, before, after) == before;
}

static __always_inline __u32 first_bucket(__u64 tag)
{
	return (__u32)tag & tables.settings.flow_bucket_mask;
}

static __always_inline __u32 second_bucket(__u64 tag)
{
	return (__u32)(tag >> 32) & tables.settings.flow_bucket_mask;
}

static __always_inline struct xdplb_flow *find_in_bucket(struct xdplb_flow_bucket *bucket, __u64 tag)
{
#pragma unroll
	for (int way = 0; way < XDPLB_FLOW_WAYS; way++)
		if (*(volatile __u64 *)&bucket->ways[way].tag == tag)
			return &bucket->ways[way];
	return NULL;
}

/* The entry of a tag, NULL when there is none. */
static __always_inline struct xdplb_flow *find_flow(__u64 tag)
{
	__u32 index = first_bucket(tag);
	struct xdplb_flow_bucket *bucket = bpf_map_lookup_elem(&flows, &index);
	struct xdplb_flow *flow;

	if (!bucket)
		return NULL;
	flow = find_in_bucket(bucket, tag);
	if (flow)
		return flow;
	index = second_bucket(tag);
	bucket = bpf_map_lookup_elem(&flows, &index);
	return bucket ? find_in_bucket(bucket, tag) : NULL;
}

/* What is to be written down. */
struct flow_entry {
	__u64 tag;
	__u64 value;
	__u64 client[2]; /* as packet.client, masked for a client's entry */
	__u32 row;
	__u32 kind;
};

static __always_inline void describe(const struct journey *journey, const struct flow_entry *entry, __u32 stamp,
				     struct xdplb_flow_detail *detail)
{
	bool is_client = entry->kind == XDPLB_KIND_CLIENT;
	const __u64 *client = entry->client;
	const __u64 *vipa = journey->vipa;

	if (journey->packet.is_ipv6) {
		*(__be64 *)&detail->client[0] = bpf_cpu_to_be64(client[0]);
		*(__be64 *)&detail->client[2] = bpf_cpu_to_be64(client[1]);
		*(__be64 *)&detail->vipa[0] = is_client ? 0 : bpf_cpu_to_be64(vipa[0]);
		*(__be64 *)&detail->vipa[2] = is_client ? 0 : bpf_cpu_to_be64(vipa[1]);
	} else {
		detail->client[0] = bpf_htonl(client[0]);
		detail->vipa[0] = is_client ? 0 : bpf_htonl(vipa[0]);
	}
	detail->client_port = is_client ? 0 : bpf_htons(journey->packet.client_port);
	detail->port = bpf_htons(journey->port);
	detail->protocol = journey->protocol;
	detail->family = journey->packet.is_ipv6 ? 6 : 4;
	detail->kind = entry->kind;
	detail->row = entry->row;
	detail->since = stamp;
}

/* Claims a free way of a bucket. */
static __always_inline bool claim_in(__u32 index, const struct journey *journey, const struct flow_entry *entry)
{
	struct xdplb_flow_bucket *bucket = bpf_map_lookup_elem(&flows, &index);

	if (!bucket)
		return false;
	for (__u32 way = 0; way < XDPLB_FLOW_WAYS; way++) {
		struct xdplb_flow *flow = &bucket->ways[way];
		__u32 place = index * XDPLB_FLOW_WAYS + way;
		struct xdplb_flow_detail *detail;

		if (flow->tag || __sync_val_compare_and_swap(&flow->tag, 0, entry->tag))
			continue;
		detail = bpf_map_lookup_elem(&flow_details, &place);
		if (detail)
			describe(journey, entry, entry->value >> XDPLB_FLOW_STAMP_SHIFT, detail);
		/* A swap and not a store: whoever sees the value sees the detail, too. */
		swap_value(flow, 0, entry->value);
		return true;
	}
	return false;
}

/* Writes an entry; false when both its buckets are full. */
static __noinline int write_flow(const struct journey *journey, const struct flow_entry *entry)
{
	return claim_in(first_bucket(entry->tag), journey, entry) ||
	       claim_in(second_bucket(entry->tag), journey, entry);
}
