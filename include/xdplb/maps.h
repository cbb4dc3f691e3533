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

#define XDPLB_LAYOUT_VERSION 2

/* Map names, as pinned below /sys/fs/bpf/xdplb/INSTANCE; at most 15 characters. */
#define XDPLB_MAP_TABLES "tables"
#define XDPLB_MAP_FLOWS "flows"
#define XDPLB_MAP_FLOW_DETAILS "flow_details"
#define XDPLB_MAP_FRAGMENTS "fragments"
#define XDPLB_MAP_PREFIXES "prefixes"
#define XDPLB_MAP_DEVICES "devices"
#define XDPLB_MAP_COUNTERS "counters"
#define XDPLB_MAP_OUTCOMES "outcomes"
#define XDPLB_MAP_TRACE "trace"

enum {
	XDPLB_PORT_SLOT_BITS = 14,
	XDPLB_PORT_SLOTS = 16384,        /* per half of `ports`; power of two */
	XDPLB_MAX_ROWS = 8388608,        /* of all ports and families; power of two */
	XDPLB_MAX_SERVERS = 32768,       /* (port, server) pairs; power of two; index 0 is nobody */
	XDPLB_MAX_EGRESSES = 64,         /* ways out; power of two; slot 0 is none */
	XDPLB_MAX_OPTIONS = 8192,        /* ports and clusters together; power of two; index 0 is the defaults */
	XDPLB_MAX_MEMBERS = 256,         /* servers of a port that picks by least connections or shares its affinity */
	XDPLB_MAX_PEERS = 16,            /* other dispatchers */
	XDPLB_MAX_PREFIXES = 1024,       /* addresses of clusters that are whole networks */
	XDPLB_FLOW_WAYS = 4,             /* entries of a bucket */
	XDPLB_DEFAULT_FLOWS = 524288,    /* entries of `flows` */
	XDPLB_MIN_FLOWS = 1024,          /* of `flows`; power of two */
	XDPLB_MAX_FLOWS = 67108864,      /* of `flows`; power of two */
	XDPLB_FRAGMENT_BUCKETS = 4096,   /* of `fragments`; power of two */
	XDPLB_TRACE_BYTES = 128,         /* of a frame in a trace record */
	XDPLB_TRACE_RING_BYTES = 1048576 /* size of `trace` */
};

/* What concerns all packets. */
struct xdplb_settings {
	__u32 layout_version; /* XDPLB_LAYOUT_VERSION; written last, 0 until all maps are pinned */
	__u32 flags;          /* XDPLB_SETTING_* */
	/*
	 * Odd multiplier that places the keys of `ports`; its bit XDPLB_SELECTOR_HALF names the half that packets read.
	 * One word, so that one store publishes a new set of ports.
	 */
	__u64 port_selector;
	__u64 peer_filter; /* bit (last byte of the MAC & 63) of every peer */
	/* Trace: outcomes to record, bit XDPLB_OUTCOME_x; every one of `trace_sample` of them; 0 and 1: all. */
	__u64 traced_outcomes;
	__u32 trace_sample;
	__u32 flow_bucket_mask; /* buckets of `flows` - 1 */
	__u64 flow_seeds[2];    /* of the tags of `flows`, secret; the last one odd */
	__u32 clock_offset;     /* added to the clock's ticks, see XDPLB_CLOCK_SHIFT */
	__u32 zero;
	__u64 peers
		[XDPLB_MAX_PEERS]; /* MACs of other dispatchers: the six bytes of the wire in the low 48 bits; 0: none */
	__u64 zero_2[8];
};
XDPLB_SIZE(struct xdplb_settings, 256);

#define XDPLB_SELECTOR_HALF 16384 /* XDPLB_PORT_SLOTS: where the second half starts */

#define XDPLB_SETTING_PREFIXES 1u /* `prefixes` is not empty */

/*
 * Stamps are ticks of about one second: jiffies >> clock_shift (read-only data of the program, chosen by the kernel's
 * HZ at load: 2^shift jiffies are nearest to a second) + clock_offset. 0 is no stamp.
 */

/*
 * What a packet is looked up by: a port of a cluster at one of its addresses, or, with port and protocol 0, the
 * address alone. The program compares it as three words.
 */
struct xdplb_port_key {
	__be16 port;       /* 0 with a protocol: any port without a line of its own */
	__u8 protocol;     /* IPPROTO_TCP, IPPROTO_UDP or 0; XDPLB_PROTOCOL_FRAGMENTS + one of the two */
	__u8 family;       /* 4 or 6; 0: the slot is empty; + XDPLB_FAMILY_PREFIX when the address is a network */
	__be32 address[4]; /* IPv4 in address[0], the others 0 */
	__u32 prefix_bits; /* length of a network, else 0 */
};
XDPLB_SIZE(struct xdplb_port_key, 24);

#define XDPLB_FAMILY_PREFIX 0x40
/*
 * Port 0 and such a protocol: the line of fragments behind the first one, which carry no ports. It is there when all
 * ports of that protocol at the address pick by the client's address alone and in the same way.
 */
#define XDPLB_PROTOCOL_FRAGMENTS 0x80

/* A line of `ports`: one cache line, in one of the two slots its key hashes to. */
struct xdplb_port {
	struct xdplb_port_key key;
	__u32 first_row; /* of its slice of `rows`; row 0 belongs to nobody */
	__u32 row_mask;  /* rows - 1; 0 with first_row 0: no server */
	__u64 seeds[3];  /* of the client hash, secret; the last one odd */
	/*
	 * What is not ordinary. Packets that meet a bit of this leave the short path: their TCP flags, and
	 * XDPLB_ATTENTION_ALWAYS.
	 */
	__u16 attention;
	__u16 options; /* index of `options`, of `states` and of the map `outcomes` */
	/*
	 * What of the client is hashed: its address (IPv4, or the upper half of IPv6) >> client_shift, the lower half of
	 * IPv6 >> low_shift if low_kept, its port >> port_shift. All 0 but low_kept 1: everything.
	 */
	__u8 client_shift; /* 0..31, IPv6 0..63 */
	__u8 low_shift;    /* 0..63 */
	__u8 low_kept;     /* 0 or 1 */
	__u8 port_shift;   /* 0 or 16 */
};
XDPLB_SIZE(struct xdplb_port, 64);

#define XDPLB_ATTENTION_SYN 0x02u     /* affinity: new connections are looked up */
#define XDPLB_ATTENTION_ALWAYS 0x100u /* tracking: every packet is */
/* Looked at on the short path: one test tells that a line has none of all these. */
#define XDPLB_ATTENTION_PART 0x200u  /* a part of the client is hashed: client_shift and so on are not "everything" */
#define XDPLB_ATTENTION_PEERS 0x400u /* on every line while there are peers */

/*
 * A row has two owners in one aligned word, so that a packet never sees half a change: bits 0-14 `cur`, the server of
 * new flows; bits 16-30 `base`, the server of flows that are not written down; bit 31 XDPLB_ROW_LOOKUP, flows of this row
 * may be written down. The row is settled while the two halves of the word are equal. Bit 15 is 0.
 */
#define XDPLB_ROW_SERVER_MASK 0x7fffu
#define XDPLB_ROW_BASE_SHIFT 16
#define XDPLB_ROW_LOOKUP 0x80000000u

/* Where the frames of one (port, server) pair go. Read and stored as one 8-byte word; all zero: nowhere. */
struct xdplb_server {
	__u16 egress; /* slot of `egresses`, low 6 bits; 0: nowhere; XDPLB_SERVER_* */
	__u8 mac[6];  /* Ethernet destination, as on the wire */
} __attribute__((aligned(8)));
XDPLB_SIZE(struct xdplb_server, 8);

#define XDPLB_SERVER_EGRESS_MASK 0x3fu
#define XDPLB_SERVER_FORSAKEN 0x8000u /* its sticky clients choose anew */

/*
 * A way out of the dispatcher: an interface, and what is done to a frame that leaves by it. The slot is the key of
 * `devices`, too, for frames that leave by another interface. ifindex, tag and flags are read as one word: a frame takes
 * the short path when that word is the interface it came in by.
 */
struct xdplb_egress {
	__u8 mac[6]; /* Ethernet source, as on the wire */
	__u8 zero[2];
	__u32 ifindex; /* 0: the slot is free */
	__u16 tag;     /* 802.1Q tag of frames that leave: 0 as they came, XDPLB_TAG_NONE or XDPLB_TAG_SET + VLAN id */
	__u16 flags;   /* XDPLB_EGRESS_* */
};
XDPLB_SIZE(struct xdplb_egress, 16);

#define XDPLB_TAG_SET 0x1000u
#define XDPLB_TAG_NONE 0x2000u
#define XDPLB_TAG_VLAN_MASK 0x0fffu

#define XDPLB_EGRESS_LOCAL 1u         /* the server is this host: the frame goes up its stack */
#define XDPLB_EGRESS_DECREMENT_TTL 2u /* time to live, hop limit */
#define XDPLB_EGRESS_TRACED 4u        /* an outcome of the short path is traced: frames take the long one */

enum xdplb_pick { XDPLB_PICK_HASH, XDPLB_PICK_ROUND_ROBIN, XDPLB_PICK_LEAST_CONNECTIONS };
enum xdplb_on_stale { XDPLB_STALE_REPICK, XDPLB_STALE_RESET, XDPLB_STALE_DROP };
enum xdplb_no_server { XDPLB_NO_SERVER_DROP, XDPLB_NO_SERVER_PASS, XDPLB_NO_SERVER_RESET };
enum xdplb_echo { XDPLB_ECHO_SERVER, XDPLB_ECHO_DISPATCHER, XDPLB_ECHO_OFF };

/* What a port (or, on the line of an address, a cluster) asks for besides the ordinary. Packets only read it. */
struct xdplb_options {
	__u32 flags;       /* XDPLB_OPTION_* */
	__u8 pick;         /* enum xdplb_pick */
	__u8 on_stale;     /* enum xdplb_on_stale: packets of a tracked port that belong to no known connection */
	__u8 no_server;    /* enum xdplb_no_server */
	__u8 echo;         /* enum xdplb_echo, of a cluster */
	__u32 affinity;    /* ports with the same number share their clients' servers; 0: no affinity */
	__u32 stale_ticks; /* a flow silent for longer is forgotten */
	/*
	 * Round robin: the servers in the order of smooth weighted round robin, one a row word (its `cur`). Least
	 * connections and shared affinity: every server once, its weight in the upper half of the word.
	 */
	__u32 first_member; /* of a slice of `rows` */
	__u32 member_count;
	__u32 new_flow_limit; /* connections written down a second; 0: no limit */
	__u32 zero[9];
};
XDPLB_SIZE(struct xdplb_options, 64);

#define XDPLB_OPTION_WILDCARD_TCP 1u /* on the line of an address: it has a line for port 0 */
#define XDPLB_OPTION_WILDCARD_UDP 2u
#define XDPLB_OPTION_TRACKED 4u /* every connection is written down */
#define XDPLB_OPTION_ALIVE 8u   /* of a cluster: at least one server is up */
#define XDPLB_OPTION_SHARED 16u /* affinity is shared: a client's entry may name another port's index of a server */

/* What the program notes of a port, all CPUs together. */
struct xdplb_state {
	__u64 recorded;      /* flows written down since the load */
	__u64 refused;       /* flows that were not: table full, or above new_flow_limit */
	__u32 refused_stamp; /* of the last one; until stale_ticks later unknown flows belong to `base` */
	__u32 window_stamp;  /* new_flow_limit counts within this tick */
	__u32 window_count;
	__u32 cursor; /* of round robin */
	__u32 zero[8];
};
XDPLB_SIZE(struct xdplb_state, 64);

/*
 * A flow that is written down. An entry is claimed by swapping its tag from 0, exists for packets as soon as its value is
 * not 0, and is given up by swapping its value to 0 and then storing tag 0. Values only change by compare-and-swap.
 *
 * tag    64-bit keyed hash of what the flow is known by (kind, addresses, ports, protocol), never 0
 * value  bits 0-14 server; bits 16-17 enum xdplb_flow_state; bits 32-63 stamp of its last packet
 */
struct xdplb_flow {
	__u64 tag;
	__u64 value;
};
XDPLB_SIZE(struct xdplb_flow, 16);

/* One cache line. A flow lies in one of two buckets: those that the low and the high half of its tag name. */
struct xdplb_flow_bucket {
	struct xdplb_flow ways[XDPLB_FLOW_WAYS];
};
XDPLB_SIZE(struct xdplb_flow_bucket, 64);

#define XDPLB_FLOW_STATE_SHIFT 16
#define XDPLB_FLOW_STATE_MASK 0x30000u
#define XDPLB_FLOW_STAMP_SHIFT 32
enum xdplb_flow_state {
	XDPLB_FLOW_OPEN,      /* data went, or it has no connection (UDP, clients) */
	XDPLB_FLOW_HALF_OPEN, /* nothing but SYN came */
	XDPLB_FLOW_CLOSING,   /* FIN or RST came last */
};

enum xdplb_flow_kind {
	XDPLB_KIND_FLOW = 1, /* one connection */
	XDPLB_KIND_CLIENT,   /* affinity: where a client's new connections go */
	XDPLB_KIND_FRAGMENT, /* the later fragments of one packet; in `fragments` only */
};

/* What `flows` does not need to find a flow, for people and for the scan: way w of bucket b at 4 b + w. */
struct xdplb_flow_detail {
	__be32 client[4]; /* IPv4 in client[0]; masked for a client */
	__be32 vipa[4];   /* 0 for a client */
	__be16 client_port;
	__be16 port; /* the packet's, not the wildcard's */
	__u8 protocol;
	__u8 family; /* 4 or 6 */
	__u8 kind;   /* enum xdplb_flow_kind */
	__u8 zero;
	__u32 row;   /* of `rows` when it was written down */
	__u32 since; /* stamp of that */
};
XDPLB_SIZE(struct xdplb_flow_detail, 48);

/* Key of `prefixes`: an LPM trie. */
struct xdplb_prefix_key {
	__u32 bits;        /* 32 + length of the prefix */
	__be32 family;     /* 4 or 6 */
	__be32 address[4]; /* IPv4 in address[0] */
};
XDPLB_SIZE(struct xdplb_prefix_key, 24);
/* Its value is the struct xdplb_port_key of the address's line: packets to the network have its address and family. */

/*
 * The one value of `tables`: everything that is found by a masked index, so that the program looks up one map and needs
 * no further test of a bound. Packets write `touches`, `states` and `active` only.
 */
struct xdplb_tables {
	struct xdplb_settings settings;
	struct xdplb_egress egresses[XDPLB_MAX_EGRESSES];
	struct xdplb_server servers[XDPLB_MAX_SERVERS];
	struct xdplb_port ports[2 * XDPLB_PORT_SLOTS]; /* two halves; packets read the one settings names */
	struct xdplb_options options[XDPLB_MAX_OPTIONS];
	struct xdplb_state states[XDPLB_MAX_OPTIONS];
	__u32 active
		[XDPLB_MAX_SERVERS]; /* flows written down that are not closing, by server; kept by least connections */
	__u32 rows[XDPLB_MAX_ROWS];
	/*
	 * Low half of the stamp of the last packet that `base` of a changing row got. Its age is never taken for more than
	 * it is.
	 */
	__u16 touches[XDPLB_MAX_ROWS];
};
XDPLB_SIZE(struct xdplb_tables,
	   256 + 1024 + 262144 + 2097152 + 2 * 524288 + 131072 + 4 * XDPLB_MAX_ROWS + 2 * XDPLB_MAX_ROWS);

/* Per CPU and (port, server) pair. Ports, clusters and totals are sums of these. */
struct xdplb_counters {
	__u64 packets;      /* forwarded */
	__u64 bytes;        /* of the frames from the Ethernet header on, without FCS */
	__u64 new_flows;    /* TCP packets with SYN and without ACK; flows written down of tracked UDP */
	__u64 closed_flows; /* TCP packets with FIN or RST, the client's half only */
};
XDPLB_SIZE(struct xdplb_counters, 32);

/* How a packet's server was found; bits of struct xdplb_trace_record. */
#define XDPLB_HOW_ROW 1u       /* by the row */
#define XDPLB_HOW_BASE 2u      /* the row is changing, the flow is not written down: its old owner */
#define XDPLB_HOW_FLOW 4u      /* by an entry of `flows` */
#define XDPLB_HOW_RECORDED 8u  /* written down by this packet */
#define XDPLB_HOW_REFUSED 16u  /* could not be written down */
#define XDPLB_HOW_CLIENT 32u   /* affinity: by the entry of its client */
#define XDPLB_HOW_FRAGMENT 64u /* by an earlier fragment */
#define XDPLB_HOW_INNER 128u   /* an ICMP error: by the packet it tells of */

/* What `trace` carries. */
struct xdplb_trace_record {
	__u64 time_ns;  /* CLOCK_MONOTONIC */
	__u32 ifindex;  /* it came in by */
	__u32 length;   /* bytes of the frame */
	__u16 outcome;  /* enum xdplb_outcome */
	__u16 server;   /* index; 0: none */
	__u16 how;      /* XDPLB_HOW_* */
	__u16 captured; /* bytes of `frame` that are there */
	__u32 options;  /* index of the port's, 0: none */
	__u32 zero;
	__u8 frame[XDPLB_TRACE_BYTES]; /* as it leaves */
};
XDPLB_SIZE(struct xdplb_trace_record, 32 + XDPLB_TRACE_BYTES);
