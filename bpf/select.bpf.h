/* SPDX-License-Identifier: GPL-2.0-only */
/* Client -> row. */
#pragma once

/*
 * Keyed by the port's secret seeds: who does not know them cannot choose source ports that meet one server. A product
 * alone is an arithmetic progression in each factor, which clumps sequential clients under some seeds; the second one
 * breaks it. The twin in user space is model/client_hash.h.
 */
static __always_inline __u32 client_hash(const struct xdplb_port *port, bool is_ipv6, __u64 high, __u64 low,
					 __u64 client_port)
{
	__u64 hash = high + port->seeds[0];

	if (is_ipv6) {
		hash *= low + port->seeds[2];
		hash ^= hash >> 32;
		hash += port->seeds[0];
	}
	hash *= client_port + port->seeds[1];
	hash ^= hash >> 32;
	return (hash * port->seeds[2]) >> 48;
}

static __always_inline __u32 row_of_hash(const struct xdplb_port *port, __u32 hash)
{
	return (port->first_row + (hash & port->row_mask)) & (XDPLB_MAX_ROWS - 1);
}

/* The row of a client on a line without XDPLB_ATTENTION_PART. */
static __always_inline __u32 row_of_whole(const struct packet *packet, const struct xdplb_port *port)
{
	return row_of_hash(
		port, client_hash(port, packet->is_ipv6, packet->client[0], packet->client[1], packet->client_port));
}

/* The same on any line. */
static __always_inline __u32 row_of(const struct packet *packet, const struct xdplb_port *port)
{
	__u64 high = packet->client[0] >> (port->client_shift & 63);
	__u64 low = (packet->client[1] >> (port->low_shift & 63)) * port->low_kept;

	return row_of_hash(
		port, client_hash(port, packet->is_ipv6, high, low, packet->client_port >> (port->port_shift & 31)));
}

static __always_inline __u32 load_row(__u32 row)
{
	return *(volatile __u32 *)&tables.rows[row & (XDPLB_MAX_ROWS - 1)];
}

static __always_inline __u32 cur_of(__u32 word)
{
	return word & XDPLB_ROW_SERVER_MASK;
}

static __always_inline __u32 base_of(__u32 word)
{
	return word >> XDPLB_ROW_BASE_SHIFT & XDPLB_ROW_SERVER_MASK;
}

/* Neither changing nor with flows that may be written down: bit 31 makes the halves differ by itself. */
static __always_inline bool is_settled(__u32 word)
{
	return word >> 16 == (word & 0xffff);
}

/* MAC and way out of a server in one load: a packet never sees one of them old and the other new. */
static __always_inline __u64 load_server(__u32 server)
{
	return *(volatile __u64 *)&tables.servers[server & (XDPLB_MAX_SERVERS - 1)];
}

static __always_inline bool has_way(__u32 server)
{
	return load_server(server) & XDPLB_SERVER_EGRESS_MASK;
}
