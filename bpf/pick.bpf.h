/* SPDX-License-Identifier: GPL-2.0-only */
/* Where a new connection wants to go: its client's server, else by the port's way to pick. */
#pragma once

static __always_inline __u32 member_at(const struct xdplb_options *options, __u32 number)
{
	return load_row(options->first_member + number);
}

/* User space laid the servers out in the order of smooth weighted round robin. */
static __always_inline __u32 next_in_turn(const struct xdplb_options *options, struct xdplb_state *state)
{
	__u32 turn = __sync_fetch_and_add(&state->cursor, 1);

	return cur_of(member_at(options, turn % options->member_count));
}

/*
 * Before Linux 6.8 the verifier looks at the callback of bpf_loop() as if it were called once, and cuts off what only later
 * calls do. So what a loop carries from call to call begins as a number that the verifier does not know.
 */
static __always_inline __u32 unknown_zero(void)
{
	return *(volatile __u32 *)&tables.settings.zero;
}

struct fewest {
	__u32 first_member;
	__u32 member_count;
	__u32 start; /* ties go to the first one from here on, and that moves */
	__u32 server;
	__u32 weight;
	__u32 active;
};

static int weigh_member(__u32 number, struct fewest *fewest)
{
	__u32 word, server, weight, active, place = fewest->start + number;

	if (place >= fewest->member_count)
		place -= fewest->member_count;
	word = load_row(fewest->first_member + place);
	server = cur_of(word);
	weight = word >> 16;
	if (!weight || !has_way(server))
		return 0;
	active = *(volatile __u32 *)&tables.active[server & (XDPLB_MAX_SERVERS - 1)];
	if (fewest->server && (__u64)active * fewest->weight >= (__u64)fewest->active * weight)
		return 0;
	fewest->server = server;
	fewest->weight = weight;
	fewest->active = active;
	return 0;
}

static __always_inline __u32 least_connections(const struct xdplb_options *options, struct xdplb_state *state)
{
	struct fewest fewest = { .first_member = options->first_member,
				 .member_count = options->member_count,
				 .server = unknown_zero(),
				 .weight = unknown_zero(),
				 .active = unknown_zero() };

	if (fewest.member_count > XDPLB_MAX_MEMBERS)
		fewest.member_count = XDPLB_MAX_MEMBERS;
	fewest.start = __sync_fetch_and_add(&state->cursor, 1) % fewest.member_count;
	bpf_loop(fewest.member_count, weigh_member, &fewest, 0);
	return fewest.server;
}

/* Never 0 when the row has a server. */
static __always_inline __u32 pick_server(struct journey *journey)
{
	const struct xdplb_options *options = options_at(journey->options);
	__u32 server = 0, cur = journey->cur;

	if (!options->member_count)
		return cur;
	if (options->pick == XDPLB_PICK_ROUND_ROBIN)
		server = next_in_turn(options, state_at(journey->options));
	if (options->pick == XDPLB_PICK_LEAST_CONNECTIONS)
		server = least_connections(options, state_at(journey->options));
	return server && has_way(server) ? server : cur;
}

struct same_server {
	__u64 way; /* its MAC and way out */
	__u32 first_member;
	__u32 server; /* looked for */
	__u32 found;
};

static int compare_member(__u32 number, struct same_server *same)
{
	__u32 server = cur_of(load_row(same->first_member + number));

	if (server != same->server && load_server(server) != same->way)
		return 0;
	same->found = server;
	return 1;
}

/*
 * A shared entry may name another port's index of the server: this port's is the one whose frames go the same way.
 * 0: this port does not have the server.
 */
static __always_inline __u32 own_index(const struct journey *journey, __u32 wanted)
{
	const struct xdplb_options *options = options_at(journey->options);
	struct same_server same = { .way = load_server(wanted),
				    .first_member = options->first_member,
				    .server = wanted,
				    .found = unknown_zero() };
	__u32 count = options->member_count;

	if (!(options->flags & XDPLB_OPTION_SHARED))
		return wanted;
	bpf_loop(count < XDPLB_MAX_MEMBERS ? count : XDPLB_MAX_MEMBERS, compare_member, &same, 0);
	return same.found;
}

/* A client's entry while it is looked at. */
struct client_entry {
	struct flow_entry entry; /* as it would be written */
	struct xdplb_flow *flow; /* NULL: not there */
	__u64 value;
};

static __always_inline void find_client(const struct journey *journey, __u32 affinity, struct client_entry *client)
{
	const struct xdplb_port *port = journey->line;
	__u64 masked[2] = { journey->packet.client[0] >> (port->client_shift & 63),
			    (journey->packet.client[1] >> (port->low_shift & 63)) * port->low_kept };
	const __u64 none[2] = {};

	client->entry.tag =
		tag_of(journey, kind_word(journey, XDPLB_KIND_CLIENT, journey->protocol, affinity), 0, masked, none);
	client->entry.kind = XDPLB_KIND_CLIENT;
	client->entry.client[0] = masked[0] << (port->client_shift & 63);
	client->entry.client[1] = masked[1] << (port->low_shift & 63);
	client->flow = find_flow(client->entry.tag);
	client->value = client->flow ? load_value(client->flow) : 0;
}

/* The server that this client's new connections go to, 0 when it may choose anew. */
static __always_inline __u32 server_of_client(const struct journey *journey, const struct client_entry *client)
{
	__u64 way = load_server(flow_server(client->value));

	if (!client->value || !(way & XDPLB_SERVER_EGRESS_MASK) || way & XDPLB_SERVER_FORSAKEN)
		return 0;
	return own_index(journey, flow_server(client->value));
}

/* Its time begins anew with every connection; an entry of a server that went away is pointed to the new one. */
static __always_inline void keep_client(const struct journey *journey, struct client_entry *client, __u32 server)
{
	__u64 value = flow_value(server, XDPLB_FLOW_OPEN, journey->stamp);

	if (client->flow) {
		if (client->value && client->value != value)
			swap_value(client->flow, client->value, value);
		return;
	}
	client->entry.value = value;
	client->entry.row = journey->row;
	write_flow(journey, &client->entry);
}

/* The server that a new flow wants. */
static __noinline int pick(struct journey *journey)
{
	const struct xdplb_options *options = options_at(journey->options);
	struct client_entry client = {};
	__u32 server;

	if (!options->affinity)
		return pick_server(journey);
	find_client(journey, options->affinity, &client);
	server = server_of_client(journey, &client);
	if (server)
		journey->how |= XDPLB_HOW_CLIENT;
	else
		server = pick_server(journey);
	if (server)
		keep_client(journey, &client, server);
	return server;
}
