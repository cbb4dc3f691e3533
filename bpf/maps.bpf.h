/* SPDX-License-Identifier: GPL-2.0-only */
/* The maps in the order a packet consults them. Arrays all: their lookups are inlined, no helper call on the way. */
#pragma once

/* A global variable is a map of one value whose address the program knows: no lookup, no test, no multiplication. */
struct xdplb_tables tables __attribute__((aligned(64)));

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, XDPLB_ROW_CHUNKS);
	__type(key, __u32);
	__type(value, struct xdplb_row_chunk);
} rows SEC(".maps");

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
	__uint(max_entries, XDPLB_OUTCOME_COUNT);
	__type(key, __u32);
	__type(value, __u64);
} outcomes SEC(".maps");
