/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fragments: the first one of a packet tells where the later ones go, which carry no ports. A small table of its own, in
 * which the oldest entry gives way, so that a flood of fragments costs fragments only.
 */
#pragma once

#define FRAGMENT_TICKS 30 /* as long as hosts wait for the rest; RFC 791, RFC 8200 4.5 have 15 to 60 s */

static __always_inline __u64 fragment_tag(const struct journey *journey)
{
	__u64 kind = kind_word(journey, XDPLB_KIND_FRAGMENT, journey->fragment_protocol, journey->fragment_id);

	return tag_of(journey, kind, 0, journey->packet.client, journey->vipa);
}

static __always_inline struct xdplb_flow_bucket *fragment_bucket(__u64 tag)
{
	__u32 index = (__u32)tag & (XDPLB_FRAGMENT_BUCKETS - 1);

	return bpf_map_lookup_elem(&fragments, &index);
}

/* The server of the packet's first fragment, 0 when that did not come by lately. */
static __noinline int find_fragment(const struct journey *journey)
{
	__u64 tag = fragment_tag(journey), value;
	struct xdplb_flow_bucket *bucket = fragment_bucket(tag);
	struct xdplb_flow *flow;

	if (!bucket)
		return 0;
	flow = find_in_bucket(bucket, tag);
	if (!flow)
		return 0;
	value = load_value(flow);
	if (now() - (__u32)(value >> XDPLB_FLOW_STAMP_SHIFT) > FRAGMENT_TICKS || !has_way(flow_server(value)))
		return 0;
	return flow_server(value);
}

/* Writes where the later fragments of this packet go, in the place of its own entry or of the oldest. */
static __noinline int remember_fragment(const struct journey *journey)
{
	__u64 tag = fragment_tag(journey);
	struct xdplb_flow_bucket *bucket = fragment_bucket(tag);
	__u32 stamp = now(), oldest_age = 0, age;
	struct xdplb_flow *chosen;
	__u64 value;

	if (!bucket)
		return 0;
	chosen = find_in_bucket(bucket, tag);
	if (!chosen) {
		chosen = &bucket->ways[0];
#pragma unroll
		for (int way = 0; way < XDPLB_FLOW_WAYS; way++) {
			struct xdplb_flow *flow = &bucket->ways[way];

			age = flow->tag ? stamp - (__u32)(flow->value >> XDPLB_FLOW_STAMP_SHIFT) : ~0u;
			if (age > oldest_age) {
				oldest_age = age;
				chosen = flow;
			}
		}
	}
	/* Who takes the value away is alone with the entry until he puts one back. */
	value = load_value(chosen);
	if (value) {
		if (!swap_value(chosen, value, 0))
			return 0;
		*(volatile __u64 *)&chosen->tag = tag;
	} else if (__sync_val_compare_and_swap(&chosen->tag, 0, tag)) {
		return 0;
	}
	swap_value(chosen, 0, flow_value(journey->packet.server, XDPLB_FLOW_OPEN, stamp));
	return 0;
}
