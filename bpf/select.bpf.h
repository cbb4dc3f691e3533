/* SPDX-License-Identifier: GPL-2.0-only */
/* Client -> row -> server. */
#pragma once

/*
 * Keyed by the port's secret seeds: who does not know them cannot choose source ports that meet one server. A product
 * alone is an arithmetic progression in each factor, which clumps sequential clients under some seeds; the second one
 * breaks it. The twin in user space is model/client_hash.h.
 */
static __always_inline __u32 client_hash(const struct packet *packet, const struct xdplb_port *port)
{
	__u64 hash = packet->client[0];

	if (packet->is_ipv6) {
		hash = (hash + port->seeds[0]) * (packet->client[1] + port->seeds[2]);
		hash ^= hash >> 32;
	}
	hash = (hash + port->seeds[0]) * (packet->client_port + port->seeds[1]);
	hash ^= hash >> 32;
	return (hash * port->seeds[2]) >> 48;
}

/* Nobody is server 0; forward tells that apart from what it looks at anyway. */
static __always_inline int select_server(struct packet *packet, const struct xdplb_port *port)
{
	__u32 chunk_index = port->row_chunk;
	struct xdplb_row_chunk *chunk;
	__u32 row;

	chunk = bpf_map_lookup_elem(&rows, &chunk_index);
	if (unlikely(!chunk))
		return XDPLB_OUTCOME_NO_SERVER;
	row = port->first_row + (client_hash(packet, port) & port->row_mask);
	packet->server = chunk->rows[row % XDPLB_ROWS_PER_CHUNK] & XDPLB_ROW_SERVER_MASK;
	return XDPLB_CONTINUE;
}
