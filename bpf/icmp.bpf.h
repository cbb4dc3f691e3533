/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ICMP for a VIPA: errors go to the server whose packet they tell of, or path MTU discovery would fail; echo requests as
 * the cluster says. Neighbour discovery and the like are left to the kernel.
 */
#pragma once

struct icmp_header {
	__u8 type;
	__u8 code;
	__u16 checksum;
	__u32 rest;
};

enum icmp_kind { ICMP_OTHER, ICMP_REQUEST, ICMP_ERROR };

static __always_inline enum icmp_kind icmp_kind_of(const struct journey *journey, __u8 type)
{
	if (journey->packet.is_ipv6) {
		if (type == 128)
			return ICMP_REQUEST;
		return type >= 1 && type <= 4 ? ICMP_ERROR : ICMP_OTHER;
	}
	if (type == 8)
		return ICMP_REQUEST;
	return type == 3 || type == 4 || type == 5 || type == 11 || type == 12 ? ICMP_ERROR : ICMP_OTHER;
}

static __always_inline bool is_icmp(const struct journey *journey, __u8 protocol)
{
	return protocol == (journey->packet.is_ipv6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
}

/* The server of a client's echo requests: no ports, so by its address. */
static __always_inline int server_of_echo(struct journey *journey, const struct xdplb_port *address)
{
	journey->packet.client_port = 0;
	journey->how |= XDPLB_HOW_ROW;
	return cur_of(load_row(row_of(&journey->packet, address)));
}

static __always_inline int dispatch_echo(struct xdp_md *ctx, struct journey *journey, const struct xdplb_port *address)
{
	const struct xdplb_options *options = options_at(journey->options);

	if (options->echo == XDPLB_ECHO_OFF)
		return XDPLB_OUTCOME_ECHO_OFF;
	if (options->echo == XDPLB_ECHO_DISPATCHER) {
		if (journey->fragment != FRAGMENT_NONE)
			return XDPLB_OUTCOME_FRAGMENT_UNPLACED;
		if (!(options->flags & XDPLB_OPTION_ALIVE))
			return XDPLB_OUTCOME_NO_SERVER;
		return answer_echo(ctx, journey);
	}
	journey->packet.server = server_of_echo(journey, address);
	return journey->packet.server ? XDPLB_CONTINUE : XDPLB_OUTCOME_NO_SERVER;
}

/* The packet that an error tells of: from our VIPA to a client. Makes that client the journey's. False: not one of ours. */
static __always_inline bool parse_inner_ipv4(struct xdp_md *ctx, struct journey *journey, struct header_walk *walk)
{
	struct iphdr ip;

	if (bpf_xdp_load_bytes(ctx, walk->offset, &ip, sizeof(ip)))
		return false;
	if (ip.version != 4 || ip.ihl < 5 || bpf_ntohl(ip.saddr) != journey->vipa[0] ||
	    bpf_ntohs(ip.frag_off) & IPV4_OFFSET_MASK)
		return false;
	journey->packet.client[0] = bpf_ntohl(ip.daddr);
	walk->protocol = ip.protocol;
	walk->offset += ip.ihl * 4;
	return true;
}

static __always_inline bool parse_inner_ipv6(struct xdp_md *ctx, struct journey *journey, struct header_walk *walk)
{
	struct ipv6hdr ip;
	__u64 from[2];

	if (bpf_xdp_load_bytes(ctx, walk->offset, &ip, sizeof(ip)))
		return false;
	take_ipv6_address(&ip.saddr, from);
	if (ip.version != 6 || from[0] != journey->vipa[0] || from[1] != journey->vipa[1])
		return false;
	take_ipv6_address(&ip.daddr, journey->packet.client);
	walk->protocol = ip.nexthdr;
	walk->offset += sizeof(ip);
	return !walk_extensions(ctx, walk) && !(walk->fragment_field & IPV6_OFFSET_MASK);
}

/* The server that the inner packet came from, 0 when none could be found; an outcome says why. */
static __noinline int server_of_inner(struct xdp_md *ctx, struct journey *journey, const struct xdplb_port *address)
{
	struct header_walk walk = { .offset = journey->transport + sizeof(struct icmp_header) };
	__be16 ports[2];

	if (journey->packet.is_ipv6 ? !parse_inner_ipv6(ctx, journey, &walk) : !parse_inner_ipv4(ctx, journey, &walk))
		return XDPLB_OUTCOME_ICMP_UNPLACED;
	journey->how |= XDPLB_HOW_INNER;
	journey->protocol = walk.protocol;
	if (is_icmp(journey, walk.protocol)) {
		if (options_at(journey->options)->echo != XDPLB_ECHO_SERVER)
			return XDPLB_OUTCOME_ICMP_UNPLACED;
		journey->packet.server = server_of_echo(journey, address);
		return journey->packet.server ? XDPLB_CONTINUE : XDPLB_OUTCOME_NO_SERVER;
	}
	if ((walk.protocol != IPPROTO_TCP && walk.protocol != IPPROTO_UDP) ||
	    bpf_xdp_load_bytes(ctx, walk.offset, ports, sizeof(ports)))
		return XDPLB_OUTCOME_ICMP_UNPLACED;
	journey->port = bpf_ntohs(ports[0]);
	journey->packet.client_port = bpf_ntohs(ports[1]);
	journey->line = find_port(journey, address);
	if (!journey->line)
		return XDPLB_OUTCOME_ICMP_UNPLACED;
	journey->options = journey->line->options;
	journey->packet.server = find_owner(journey);
	return journey->packet.server ? XDPLB_CONTINUE : XDPLB_OUTCOME_NO_SERVER;
}

static __noinline int dispatch_icmp(struct xdp_md *ctx, struct journey *journey, const struct xdplb_port *address)
{
	struct icmp_header *icmp = bytes_at(ctx, journey->transport, sizeof(*icmp));
	__u64 client[2] = { journey->packet.client[0], journey->packet.client[1] };
	__u8 protocol = journey->protocol;
	int outcome;

	if (!icmp)
		return XDPLB_OUTCOME_TRUNCATED;
	switch (icmp_kind_of(journey, icmp->type)) {
	case ICMP_REQUEST:
		return dispatch_echo(ctx, journey, address);
	case ICMP_ERROR:
		outcome = server_of_inner(ctx, journey, address);
		/* Its own fragments come from its sender. */
		journey->packet.client[0] = client[0];
		journey->packet.client[1] = client[1];
		journey->protocol = protocol;
		return outcome;
	default:
		return XDPLB_OUTCOME_OTHER_PROTOCOL;
	}
}
