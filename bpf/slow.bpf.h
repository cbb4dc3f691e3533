/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The packets that are rare or not ours: IPv4 options, port 0, fragments, other protocols, other destinations. A
 * function of its own that parses again from ctx, so that none of it costs the plain packet a register. Keys are looked
 * up as IPv6 ones here, which fits both: the words that an IPv4 key leaves 0 are 0 in its line, too.
 */
#pragma once

/* A packet that no port takes: is it for a VIPA, or from one? `outcome` is the answer when it is for one. */
static __always_inline int outcome_of_unclaimed(const struct key_words *to, const struct key_words *from, int outcome)
{
	if (find_line(to, true))
		return outcome;
	return find_line(from, true) ? XDPLB_OUTCOME_FROM_VIPA : XDPLB_OUTCOME_NOT_FOR_VIPA;
}

/* The line of the packet's own port, else of port 0 of its address. */
static __always_inline int find_port(const struct packet *packet, const struct key_words *to,
				     const struct key_words *from, struct xdplb_port **port)
{
	const __u64 port_bits = 0xffff;
	struct key_words any = packet->key;
	struct xdplb_port *address;
	__u32 wildcard;

	*port = find_line(&packet->key, true);
	if (*port)
		return XDPLB_CONTINUE;
	address = find_line(to, true);
	if (!address)
		return outcome_of_unclaimed(to, from, XDPLB_OUTCOME_NO_PORT);
	wildcard = (any.word[0] >> 16 & 0xff) == IPPROTO_TCP ? XDPLB_WILDCARD_TCP : XDPLB_WILDCARD_UDP;
	if (!(address->wildcards & wildcard))
		return XDPLB_OUTCOME_NO_PORT;
	any.word[0] &= ~port_bits;
	*port = find_line(&any, true);
	return *port ? XDPLB_CONTINUE : XDPLB_OUTCOME_NO_PORT;
}

/* Which outcome a packet for a VIPA gets that no port can take, XDPLB_CONTINUE when it is TCP or UDP in one piece. */
static __always_inline int parse_slow_ipv4(struct iphdr *ip, void *data_end, struct packet *packet)
{
	__u32 header_bytes = ip->ihl * 4;

	if (ip->version != 4 || header_bytes < sizeof(*ip))
		return XDPLB_OUTCOME_TRUNCATED;
	if (ip->frag_off & IPV4_FRAGMENT_BE)
		return XDPLB_OUTCOME_FRAGMENT;
	return parse_ipv4(ip, (void *)ip + header_bytes, data_end, packet);
}

static __always_inline int parse_slow_ipv6(struct ipv6hdr *ip, void *data_end, struct packet *packet)
{
	if (ip->version != 6)
		return XDPLB_OUTCOME_TRUNCATED;
	switch (ip->nexthdr) {
	case IPPROTO_FRAGMENT:
		return XDPLB_OUTCOME_FRAGMENT;
	case IPPROTO_HOPOPTS:
	case IPPROTO_ROUTING:
	case IPPROTO_DSTOPTS:
	case IPPROTO_AH:
		return XDPLB_OUTCOME_EXTENSION_HEADER;
	default:
		return parse_ipv6(ip, data_end, packet);
	}
}

/* Frame -> struct packet, and the keys of its two addresses. */
static __always_inline int parse_slow(struct xdp_md *ctx, struct packet *packet, struct key_words *to,
				      struct key_words *from)
{
	void *data_end = (void *)(long)ctx->data_end;
	void *data = (void *)(long)ctx->data;
	struct network_header network;
	int outcome;

	packet->data = data;
	packet->length = data_end - data;
	to->word[0] = 0;
	outcome = parse_ethernet(data, data_end, &network);
	if (outcome)
		return outcome;
	if (network.eth_type_be == ETH_P_IP_BE) {
		struct iphdr *ip = network.start;

		if ((void *)(ip + 1) > data_end)
			return XDPLB_OUTCOME_TRUNCATED;
		*to = ipv4_key(ip->daddr, 0, 0);
		*from = ipv4_key(ip->saddr, 0, 0);
		return parse_slow_ipv4(ip, data_end, packet);
	}
	if (network.eth_type_be == ETH_P_IPV6_BE) {
		struct ipv6hdr *ip = network.start;

		if ((void *)(ip + 1) > data_end)
			return XDPLB_OUTCOME_TRUNCATED;
		*to = ipv6_key(&ip->daddr, 0, 0);
		*from = ipv6_key(&ip->saddr, 0, 0);
		return parse_slow_ipv6(ip, data_end, packet);
	}
	return XDPLB_OUTCOME_NOT_IP;
}

static __noinline int dispatch_slow(struct xdp_md *ctx)
{
	struct xdplb_port *port = NULL;
	struct key_words to, from;
	struct packet packet = {};
	int outcome;

	outcome = parse_slow(ctx, &packet, &to, &from);
	if (outcome) {
		/* I7: only what is for a VIPA is told apart by what is wrong with it. */
		if (to.word[0])
			outcome = outcome_of_unclaimed(&to, &from, outcome);
		return finish(&packet, outcome);
	}
	outcome = find_port(&packet, &to, &from, &port);
	if (!outcome && port)
		outcome = select_server(&packet, port);
	if (!outcome)
		outcome = forward(ctx, &packet);
	return finish(&packet, outcome);
}
