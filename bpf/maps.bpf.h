/* SPDX-License-Identifier: GPL-2.0-only */
/* The maps in the order a packet consults them. The lookups of arrays are inlined: no helper call on the way. */
#pragma once

/* A global variable is a map of one value whose address the program knows: no lookup, no test, no multiplication. */
struct xdplb_tables tables __attribute__((aligned(64)));

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, XDPLB_MAX_PREFIXES);
	__type(key, struct xdplb_prefix_key);
	__type(value, struct xdplb_port_key);
} prefixes SEC(".maps");

/* Buckets: user space sets their number before the load. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, XDPLB_DEFAULT_FLOWS / XDPLB_FLOW_WAYS);
	__type(key, __u32);
	__type(value, struct xdplb_flow_bucket);
} flows SEC(".maps");

/* One a way of `flows`. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, XDPLB_DEFAULT_FLOWS);
	__type(key, __u32);
	__type(value, struct xdplb_flow_detail);
} flow_details SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, XDPLB_FRAGMENT_BUCKETS);
	__type(key, __u32);
	__type(value, struct xdplb_flow_bucket);
} fragments SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, XDPLB_MAX_EGRESSES);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} devices SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, XDPLB_MAX_SERVERS);
	__type(key, __u32);
	__type(value, struct xdplb_counters);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, XDPLB_MAX_OPTIONS);
	__type(key, __u32);
	__type(value, struct xdplb_outcome_counters);
} outcomes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, XDPLB_TRACE_RING_BYTES);
} trace SEC(".maps");
