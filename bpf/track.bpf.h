/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The server of a packet on a row that is changing, or of a port that writes its flows down.
 *
 * Invariant: for each live flow, either its entry names its server, or its row's base does. A flow that cannot be written
 * down goes to base, so that pressure costs balance and never a connection.
 */
#pragma once

/* The line of the packet's own port, else of port 0 of its address; NULL: the cluster has neither. */
static __always_inline const struct xdplb_port *find_port(const struct journey *journey,
							  const struct xdplb_port *address)
{
	bool is_tcp = journey->protocol == IPPROTO_TCP;
	struct key_words key = key_of(&journey->to, journey->protocol, journey->port);
	const struct xdplb_port *port = find_line(&key, true);

	if (port)
		return port;
	if (!(options_at(address->options)->flags & (is_tcp ? XDPLB_OPTION_WILDCARD_TCP : XDPLB_OPTION_WILDCARD_UDP)))
		return NULL;
	key = key_of(&journey->to, journey->protocol, 0);
	return find_line(&key, true);
}

static __always_inline void touch(__u32 row, __u32 stamp)
{
	__u16 *place = &tables.touches[row & (XDPLB_MAX_ROWS - 1)];

	if (*(volatile __u16 *)place != (__u16)stamp)
		*(volatile __u16 *)place = stamp;
}

static __always_inline void count_active(__u32 server, int change)
{
	__sync_fetch_and_add(&tables.active[server & (XDPLB_MAX_SERVERS - 1)], change);
}

static __always_inline __u32 next_flow_state(__u32 state, const struct journey *journey)
{
	__u8 flags = journey->packet.tcp_flags;

	if (flags & (TCP_FIN | TCP_RST))
		return XDPLB_FLOW_CLOSING;
	if (state == XDPLB_FLOW_HALF_OPEN && opens_connection(&journey->packet))
		return XDPLB_FLOW_HALF_OPEN;
	/* What comes behind a FIN acknowledges the server's half; data tells that the FIN was forged. */
	if (state == XDPLB_FLOW_CLOSING && !journey->payload)
		return XDPLB_FLOW_CLOSING;
	return XDPLB_FLOW_OPEN;
}

/* Notes that the flow lives. Whoever loses the swap leaves the note to the winner. */
static __always_inline void refresh(struct xdplb_flow *flow, __u64 value, const struct journey *journey, __u32 stamp)
{
	__u32 before = flow_state(value), after = next_flow_state(before, journey);
	__u64 next = flow_value(flow_server(value), after, stamp);

	if (next == value || !swap_value(flow, value, next))
		return;
	if (before != XDPLB_FLOW_CLOSING && after == XDPLB_FLOW_CLOSING)
		count_active(flow_server(value), -1);
	if (before == XDPLB_FLOW_CLOSING && after != XDPLB_FLOW_CLOSING)
		count_active(flow_server(value), 1);
}

/* Whether the port may write down one more flow within this tick. */
static __always_inline bool is_within_limit(const struct xdplb_options *options, struct xdplb_state *state, __u32 stamp)
{
	if (!options->new_flow_limit)
		return true;
	if (*(volatile __u32 *)&state->window_stamp != stamp) {
		*(volatile __u32 *)&state->window_stamp = stamp;
		*(volatile __u32 *)&state->window_count = 0;
	}
	return __sync_fetch_and_add(&state->window_count, 1) < options->new_flow_limit;
}

/* Writes the flow down with `server`, in the place of its old entry if it has one. */
static __always_inline bool write_down(struct journey *journey, __u32 server)
{
	struct flow_entry entry = { .tag = journey->tag, .row = journey->row, .kind = XDPLB_KIND_FLOW };
	__u64 value;

	entry.value = flow_value(server, journey->state, journey->stamp);
	if (journey->flow) {
		value = load_value(journey->flow);
		if (!value || !swap_value(journey->flow, value, entry.value))
			return false;
		if (flow_state(value) != XDPLB_FLOW_CLOSING)
			count_active(flow_server(value), -1);
	} else {
		entry.client[0] = journey->packet.client[0];
		entry.client[1] = journey->packet.client[1];
		if (!write_flow(journey, &entry))
			return false;
	}
	count_active(server, 1);
	return true;
}

/* A new flow, or one that is placed anew. Returns its server. */
static __noinline int open_flow(struct journey *journey, __u32 wanted)
{
	const struct xdplb_options *options = options_at(journey->options);
	struct xdplb_state *counts = state_at(journey->options);

	if (!wanted)
		return 0;
	if (!journey->is_looked_up)
		wanted = journey->base;
	if (wanted == journey->base && !(options->flags & XDPLB_OPTION_TRACKED)) {
		journey->how |= XDPLB_HOW_ROW;
		if (journey->flow)
			write_down(journey, wanted);
		return wanted;
	}
	/* What has an entry already needs no other, and must not keep one that names another server. */
	if ((journey->flow || is_within_limit(options, counts, journey->stamp)) && write_down(journey, wanted)) {
		journey->how |= XDPLB_HOW_RECORDED;
		journey->is_new = 1;
		__sync_fetch_and_add(&counts->recorded, 1);
		return wanted;
	}
	journey->how |= XDPLB_HOW_REFUSED;
	__sync_fetch_and_add(&counts->refused, 1);
	*(volatile __u32 *)&counts->refused_stamp = journey->stamp;
	if (!journey->base)
		return wanted;
	touch(journey->row, journey->stamp);
	return journey->base;
}

/* A packet in the midst of a flow that is not written down. */
static __always_inline int follow_unknown(struct journey *journey)
{
	const struct xdplb_options *options = options_at(journey->options);
	struct xdplb_state *counts = state_at(journey->options);

	journey->state = XDPLB_FLOW_OPEN;
	journey->packet.server = journey->base;
	if (!(options->flags & XDPLB_OPTION_TRACKED)) {
		journey->how |= journey->base == journey->cur ? XDPLB_HOW_ROW : XDPLB_HOW_BASE;
		if (journey->base != journey->cur)
			touch(journey->row, journey->stamp);
		return XDPLB_CONTINUE;
	}
	/* Flows could not be written down lately, or the port did not do so: they are base's. */
	if (counts->refused_stamp && journey->stamp - counts->refused_stamp <= options->stale_ticks) {
		journey->how |= XDPLB_HOW_BASE;
		if (!journey->base || write_down(journey, journey->base))
			return XDPLB_CONTINUE;
		*(volatile __u32 *)&counts->refused_stamp = journey->stamp;
		touch(journey->row, journey->stamp);
		return XDPLB_CONTINUE;
	}
	/* UDP has no SYN: what is not written down is new. */
	if (options->on_stale == XDPLB_STALE_REPICK || journey->protocol == IPPROTO_UDP)
		return UNDECIDED;
	return XDPLB_OUTCOME_STALE;
}

/* Does the packet need a look at what is written down? */
static __always_inline bool needs_look(const struct journey *journey, __u32 word)
{
	__u16 attention = journey->line->attention;

	if (!is_settled(word) || attention & XDPLB_ATTENTION_ALWAYS)
		return true;
	/* What stands in the midst of a flow takes the way of its plain packets, which nobody looks up. */
	return attention & XDPLB_ATTENTION_SYN && opens_connection(&journey->packet);
}

/* Where the packet's flow stands: its row's owners and its entry. Returns the entry's value. */
static __always_inline __u64 look_up(struct journey *journey, __u32 word)
{
	journey->cur = cur_of(word);
	journey->base = base_of(word) ?: cur_of(word);
	journey->stamp = now();
	journey->is_looked_up = !is_settled(word) || journey->line->attention & XDPLB_ATTENTION_ALWAYS;
	journey->tag = tag_of_connection(journey);
	journey->flow = find_flow(journey->tag);
	return journey->flow ? load_value(journey->flow) : 0;
}

/* The server of a TCP or UDP packet, an outcome, or UNDECIDED. */
static __noinline int select_server(struct journey *journey)
{
	bool opens, reopens;
	__u32 word;
	__u64 value;

	journey->row = row_of(&journey->packet, journey->line);
	word = load_row(journey->row);
	if (!needs_look(journey, word)) {
		journey->packet.server = cur_of(word);
		journey->how |= XDPLB_HOW_ROW;
		return XDPLB_CONTINUE;
	}
	value = look_up(journey, word);
	opens = opens_connection(&journey->packet);
	reopens = opens && flow_state(value) == XDPLB_FLOW_CLOSING;
	if (value && has_way(flow_server(value)) && !reopens) {
		journey->packet.server = flow_server(value);
		journey->how |= XDPLB_HOW_FLOW;
		refresh(journey->flow, value, journey, journey->stamp);
		return XDPLB_CONTINUE;
	}
	if (!opens)
		return follow_unknown(journey);
	journey->state = XDPLB_FLOW_HALF_OPEN;
	return UNDECIDED;
}

/* The server of a flow that a packet tells of from outside of it: nothing is noted. */
static __noinline int find_owner(struct journey *journey)
{
	__u32 word = load_row(row_of(&journey->packet, journey->line));
	__u64 value;

	if (needs_look(journey, word)) {
		value = look_up(journey, word);
		if (value && has_way(flow_server(value))) {
			journey->how |= XDPLB_HOW_FLOW;
			return flow_server(value);
		}
	}
	journey->how |= XDPLB_HOW_ROW;
	return base_of(word) ?: cur_of(word);
}

/* Row of a packet without ports: by the client's address alone. */
static __noinline int owner_of_client(struct journey *journey, const struct xdplb_port *line)
{
	__u32 row, word, base;

	journey->packet.client_port = 0;
	row = row_of(&journey->packet, line);
	word = load_row(row);
	base = base_of(word) ?: cur_of(word);
	journey->how |= XDPLB_HOW_ROW;
	if (base != cur_of(word))
		touch(row, now());
	return base;
}
