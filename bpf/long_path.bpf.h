/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The long path: every packet that is not plain, or whose server is not told by a settled row alone. A function of its own
 * that parses again from ctx, so that none of it costs the plain packet a register. Keys are looked up as IPv6 ones
 * here, which fits both: the words that an IPv4 key leaves 0 are 0 in its line, too.
 */
#pragma once

/* The line of a network that the destination lies in; it becomes the journey's address. */
static __always_inline struct xdplb_port *find_prefix(struct journey *journey)
{
	struct xdplb_prefix_key key = { .bits = 32 + (journey->packet.is_ipv6 ? 128 : 32),
					.family = bpf_htonl(journey->packet.is_ipv6 ? 6 : 4) };
	const struct key_words *found;

	if (!(tables.settings.flags & XDPLB_SETTING_PREFIXES))
		return NULL;
	key.address[0] = journey->to.word[0] >> 32;
	key.address[1] = journey->to.word[1];
	key.address[2] = journey->to.word[1] >> 32;
	key.address[3] = journey->to.word[2];
	found = bpf_map_lookup_elem(&prefixes, &key);
	if (!found)
		return NULL;
	journey->to = *found;
	return find_line(&journey->to, true);
}

/* The line of the destination address; NULL: the packet is not for a VIPA. */
static __always_inline struct xdplb_port *find_address(struct journey *journey)
{
	struct xdplb_port *address = find_line(&journey->to, true);

	return address ? address : find_prefix(journey);
}

/* The server of a fragment that carries no ports. */
static __noinline int dispatch_fragment(struct journey *journey)
{
	const struct xdplb_port *port;
	struct key_words key;

	journey->packet.tcp_flags = 0;
	journey->packet.server = find_fragment(journey);
	if (journey->packet.server) {
		journey->how |= XDPLB_HOW_FRAGMENT;
		return XDPLB_CONTINUE;
	}
	if (journey->protocol != IPPROTO_TCP && journey->protocol != IPPROTO_UDP)
		return XDPLB_OUTCOME_FRAGMENT_UNPLACED;
	key = key_of(&journey->to, journey->protocol | XDPLB_PROTOCOL_FRAGMENTS, 0);
	port = find_line(&key, true);
	if (!port)
		return XDPLB_OUTCOME_FRAGMENT_UNPLACED;
	journey->options = port->options;
	journey->packet.server = owner_of_client(journey, port);
	return journey->packet.server ? XDPLB_CONTINUE : XDPLB_OUTCOME_NO_SERVER;
}

static __always_inline int dispatch_transport(struct xdp_md *ctx, struct journey *journey,
					      const struct xdplb_port *address)
{
	int outcome;

	outcome = parse_transport(ctx, journey);
	if (outcome)
		return outcome;
	journey->line = find_port(journey, address);
	if (!journey->line)
		return XDPLB_OUTCOME_NO_PORT;
	journey->options = journey->line->options;
	outcome = select_server(journey);
	if (outcome == UNDECIDED) {
		journey->packet.server = open_flow(journey, pick(journey));
		outcome = XDPLB_CONTINUE;
	}
	if (outcome)
		return outcome;
	return journey->packet.server ? XDPLB_CONTINUE : XDPLB_OUTCOME_NO_SERVER;
}

/* From the address line to a server or an outcome. */
static __always_inline int find_server(struct xdp_md *ctx, struct journey *journey, const struct xdplb_port *address)
{
	journey->options = address->options;
	if (journey->fragment == FRAGMENT_LATER)
		return dispatch_fragment(journey);
	if (is_icmp(journey, journey->protocol))
		return dispatch_icmp(ctx, journey, address);
	if (journey->protocol == IPPROTO_TCP || journey->protocol == IPPROTO_UDP)
		return dispatch_transport(ctx, journey, address);
	return XDPLB_OUTCOME_OTHER_PROTOCOL;
}

/* Whose answer it is when it is for no VIPA. */
static __always_inline int outcome_of_foreign(const struct journey *journey)
{
	const __u64 *from = journey->packet.client;
	struct key_words key = ipv4_key(bpf_htonl(from[0]), 0, 0);

	if (journey->packet.is_ipv6) {
		struct in6_addr address;

		*(__be64 *)&address.in6_u.u6_addr32[0] = bpf_cpu_to_be64(from[0]);
		*(__be64 *)&address.in6_u.u6_addr32[2] = bpf_cpu_to_be64(from[1]);
		key = ipv6_key(&address, 0, 0);
	}
	return find_line(&key, true) ? XDPLB_OUTCOME_FROM_VIPA : XDPLB_OUTCOME_NOT_FOR_VIPA;
}

/* What the port asks to do with packets that no server takes, or that belong to nothing known. */
static __always_inline int settle_refusal(struct xdp_md *ctx, struct journey *journey, int outcome)
{
	const struct xdplb_options *options = options_at(journey->options);

	if (outcome == XDPLB_OUTCOME_NO_SERVER) {
		if (options->no_server == XDPLB_NO_SERVER_PASS)
			return XDPLB_OUTCOME_NO_SERVER_PASSED;
		if (options->no_server == XDPLB_NO_SERVER_RESET)
			return answer_reset(ctx, journey, outcome);
	}
	if (outcome == XDPLB_OUTCOME_STALE && options->on_stale == XDPLB_STALE_RESET)
		return answer_reset(ctx, journey, outcome);
	return outcome;
}

__noinline int dispatch_long(struct xdp_md *ctx)
{
	struct journey journey = { .packet.length = frame_length(ctx) };
	struct xdplb_port *address;
	int outcome;

	outcome = parse_network(ctx, &journey);
	if (!journey.to.word[0])
		return finish_long(ctx, &journey, outcome);
	address = find_address(&journey);
	if (!address)
		return finish_long(ctx, &journey, outcome_of_foreign(&journey));
	if (outcome)
		journey.options = address->options;
	else
		outcome = find_server(ctx, &journey, address);
	if (!outcome && journey.fragment == FRAGMENT_FIRST)
		remember_fragment(&journey);
	if (!outcome)
		outcome = forward_long(ctx, &journey);
	else
		outcome = settle_refusal(ctx, &journey, outcome);
	return finish_long(ctx, &journey, outcome);
}
