/* SPDX-License-Identifier: GPL-2.0-only */
/* The long path's notebook: all that its stages learn of one packet. */
#pragma once

enum fragment { FRAGMENT_NONE, FRAGMENT_FIRST, FRAGMENT_LATER };

struct journey {
	struct packet packet;
	struct key_words to; /* of the destination address alone */
	__u64 vipa[2];       /* destination address, as packet.client */
	__u32 network;       /* offset of the IP header */
	__u32 transport;     /* offset of what lies behind the IP headers */
	__u32 end;           /* offset of the end of the packet, as its IP header says */
	__u32 fragment_id;
	__u32 payload; /* of TCP: bytes behind its header */
	__u32 options; /* of the port, or of the cluster; 0: neither */
	__u16 how;     /* XDPLB_HOW_* */
	__u16 port;    /* destination port, host order */
	__u8 protocol;
	__u8 fragment;          /* enum fragment */
	__u8 fragment_protocol; /* what all fragments of the packet call it; behind extension headers it may be another */
	__u8 is_bare;           /* no IPv4 options, no IPv6 extension headers */
	__u8 is_new;            /* written down as a new flow */
	__u8 is_looked_up;      /* later packets of the row will find what is written down now */
	__u8 state;             /* enum xdplb_flow_state that the flow is to be written down with */
	/* Where the flow stands; filled when a packet needs more than a settled row. */
	__u16 base;
	__u16 cur;
	__u32 row;
	__u32 stamp;
	__u64 tag;
	struct xdplb_flow *flow;       /* its entry, NULL: none */
	const struct xdplb_port *line; /* of its port, NULL: it has none */
};

/*
 * Stages that are not static are checked by the verifier once, for any journey, and not anew for every way that leads to
 * them. It wants them to look whether the pointer is NULL. They must not use the pointers in a journey.
 */

/* No outcome yet: the flow is new, and a server is to be picked. */
#define UNDECIDED -1

static __always_inline bool opens_connection(const struct packet *packet)
{
	return (packet->tcp_flags & (TCP_SYN | TCP_ACK | TCP_FIN | TCP_RST)) == TCP_SYN;
}

static __always_inline const struct xdplb_options *options_at(__u32 index)
{
	return &tables.options[index & (XDPLB_MAX_OPTIONS - 1)];
}

static __always_inline struct xdplb_state *state_at(__u32 index)
{
	return &tables.states[index & (XDPLB_MAX_OPTIONS - 1)];
}

/* Offsets are at most that; the verifier wants to see it. */
#define MAX_OFFSET 0x3fff

/* `bytes` of the frame from `offset` on, NULL when they are not all there. */
static __always_inline void *bytes_at(struct xdp_md *ctx, __u32 offset, __u32 bytes)
{
	void *data_end = (void *)(long)ctx->data_end;
	void *data = (void *)(long)ctx->data;
	void *start = data + (offset & MAX_OFFSET);

	return start + bytes > data_end ? NULL : start;
}

static __always_inline __u32 frame_length(struct xdp_md *ctx)
{
	void *data_end = (void *)(long)ctx->data_end;
	void *data = (void *)(long)ctx->data;
	__u64 length = data_end - data;

	/* Subtracted as pointers: the compiler would keep half of each, which the verifier refuses. */
	asm volatile("" : "+r"(length));
	return length;
}
