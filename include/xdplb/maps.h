/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel boundary: every key and value that crosses it, every limit, every map name. C11 for bpf/, C++20 for
 * userspace/dataplane. No code. Multi-byte fields are host order unless their type says __be.
 *
 * A change of any struct, limit or meaning here changes XDPLB_LAYOUT_VERSION: a daemon adopts only maps of its own.
 */
#pragma once

#include <linux/types.h>

#ifdef __cplusplus
#define XDPLB_SIZE(type, size) static_assert(sizeof(type) == (size), #type " has another size than the kernel's")
#else
#define XDPLB_SIZE(type, size) _Static_assert(sizeof(type) == (size), #type " has another size than user space's")
#endif

#define XDPLB_LAYOUT_VERSION 1

/* Map names, as pinned below /sys/fs/bpf/xdplb/INSTANCE; at most 15 characters. */
#define XDPLB_MAP_TABLES "tables"
#define XDPLB_MAP_ROWS "rows"
#define XDPLB_MAP_DEVICES "devices"
#define XDPLB_MAP_COUNTERS "counters"
#define XDPLB_MAP_OUTCOMES "outcomes"

enum {
	XDPLB_PORT_SLOT_BITS = 14,
	XDPLB_PORT_SLOTS = 16384,       /* per half of `ports`; power of two */
	XDPLB_ROW_CHUNKS = 8,           /* entries of `rows` */
	XDPLB_ROWS_PER_CHUNK = 1048576, /* 4 MiB: older kernels limit a value of an array to KMALLOC_MAX_SIZE */
	XDPLB_MAX_ROWS = 8388608,       /* of all ports and families */
	XDPLB_MAX_SERVERS = 32768,      /* (port, server) pairs; power of two; index 0 is nobody */
	XDPLB_MAX_EGRESSES = 64,        /* ways out; power of two; slot 0 is none */
};

/* What concerns all packets. */
struct xdplb_settings {
	__u32 layout_version; /* XDPLB_LAYOUT_VERSION; written last, 0 until all maps are pinned */
	__u32 zero;
	/*
	 * Odd multiplier that places the keys of `ports`; its bit XDPLB_SELECTOR_HALF names the half that packets read.
	 * One word, so that one store publishes a new set of ports.
	 */
	__u64 port_selector;
};
XDPLB_SIZE(struct xdplb_settings, 16);

#define XDPLB_SELECTOR_HALF 16384 /* XDPLB_PORT_SLOTS: where the second half starts */

/*
 * What a packet is looked up by: a port of a cluster at one of its addresses, or, with port and protocol 0, the
 * address alone. The program compares it as three words: zero must be 0.
 */
struct xdplb_port_key {
	__be16 port;       /* 0 with a protocol: any port without a line of its own */
	__u8 protocol;     /* IPPROTO_TCP, IPPROTO_UDP or 0 */
	__u8 family;       /* 4 or 6; 0: the slot is empty */
	__be32 address[4]; /* IPv4 in address[0], the others 0 */
	__u32 zero;
};
XDPLB_SIZE(struct xdplb_port_key, 24);

/* A line of `ports`: one cache line, in one of the two slots its key hashes to. */
struct xdplb_port {
	struct xdplb_port_key key;
	__u32 first_row; /* of its slice of `rows`, which lies in one chunk; row 0 belongs to nobody */
	__u32 row_mask;  /* rows - 1; 0 with first_row 0: no server */
	__u64 seeds[3];  /* of the client hash, secret; the last one odd */
	__u32 row_chunk; /* entry of `rows` that holds the slice: first_row / XDPLB_ROWS_PER_CHUNK */
	__u32 wildcards; /* on the line of an address: XDPLB_WILDCARD_* of the port-0 lines it has */
};
XDPLB_SIZE(struct xdplb_port, 64);

#define XDPLB_WILDCARD_TCP 1u
#define XDPLB_WILDCARD_UDP 2u

/*
 * A row has two owners in one aligned word, so that a packet never sees half a change: bits 0-14 `cur`, the server of
 * new flows; bits 16-30 `base`, the server of flows that are not written down; bit 31 XDPLB_ROW_LOOKUP, flows of this row
 * may be written down. The row is settled while the two halves of the word are equal. Bit 15 is 0.
 */
struct xdplb_row_chunk {
	__u32 rows[XDPLB_ROWS_PER_CHUNK];
};
XDPLB_SIZE(struct xdplb_row_chunk, 4194304);

#define XDPLB_ROW_SERVER_MASK 0x7fffu
#define XDPLB_ROW_BASE_SHIFT 16
#define XDPLB_ROW_LOOKUP 0x80000000u

/* Where the frames of one (port, server) pair go. Read and stored as one 8-byte word; all zero: nowhere. */
struct xdplb_server {
	__u16 egress; /* slot of `egresses`; 0: nowhere */
	__u8 mac[6];  /* Ethernet destination, as on the wire */
} __attribute__((aligned(8)));
XDPLB_SIZE(struct xdplb_server, 8);

/* A way out of the dispatcher. The slot is the key of `devices`, too, for frames that leave by another interface. */
struct xdplb_egress {
	__u8 mac[6]; /* Ethernet source, as on the wire */
	__u8 zero[2];
	__u32 ifindex; /* 0: the slot is free */
	__u32 zero_2;
};
XDPLB_SIZE(struct xdplb_egress, 16);

/*
 * The one value of `tables`: everything that packets only read and that is found by a masked index, so that the program
 * looks up one map and needs no further test of a bound.
 */
struct xdplb_tables {
	struct xdplb_settings settings;
	__u64 zero[6]; /* egresses start a cache line of their own, so does everything after them */
	struct xdplb_egress egresses[XDPLB_MAX_EGRESSES];
	struct xdplb_server servers[XDPLB_MAX_SERVERS];
	struct xdplb_port ports[2 * XDPLB_PORT_SLOTS]; /* two halves; packets read the one settings names */
};
XDPLB_SIZE(struct xdplb_tables, 64 + 1024 + 262144 + 2097152);

/* Per CPU and (port, server) pair. Ports, clusters and totals are sums of these. */
struct xdplb_counters {
	__u64 packets;      /* forwarded */
	__u64 bytes;        /* of the frames from the Ethernet header on, without FCS */
	__u64 new_flows;    /* TCP packets with SYN and without ACK */
	__u64 closed_flows; /* TCP packets with FIN or RST, the client's half only */
};
XDPLB_SIZE(struct xdplb_counters, 32);
