/* SPDX-License-Identifier: GPL-2.0-only */
/* Frame -> struct journey: tags, options, extension headers and fragments, as far as they are followed. */
#pragma once

#define IPV4_MORE_FRAGMENTS 0x2000
#define IPV4_OFFSET_MASK 0x1fff
#define IPV6_MORE_FRAGMENTS 1
#define IPV6_OFFSET_MASK 0xfff8
#define MAX_EXTENSION_HEADERS 8

struct extension_header {
	__u8 next;
	__u8 length;            /* 8-byte units behind the first; AH: 4-byte units less 2; RFC 8200 4, RFC 4302 2.2 */
	__be16 fragment_offset; /* of a fragment header: in 8-byte units << 3, and flags; RFC 8200 4.5 */
	__be32 fragment_id;
};

static __always_inline bool is_extension(__u8 protocol)
{
	return protocol == IPPROTO_HOPOPTS || protocol == IPPROTO_ROUTING || protocol == IPPROTO_DSTOPTS ||
	       protocol == IPPROTO_AH || protocol == IPPROTO_FRAGMENT;
}

/* What a walk over extension headers finds. */
struct header_walk {
	__u32 offset;
	__u32 fragment_id;
	__u16 fragment_field;   /* host order: offset and flags of the last fragment header */
	__u8 protocol;          /* of what `offset` points to */
	__u8 fragment_protocol; /* of what is fragmented: what the last fragment header says comes next */
	__u8 is_bare;           /* there were none */
};

/* Follows extension headers from walk->offset on. A later fragment ends the walk: what follows it is payload. */
static __noinline int walk_extensions(struct xdp_md *ctx, struct header_walk *walk)
{
	struct extension_header header;

	walk->is_bare = !is_extension(walk->protocol);
	for (int i = 0; i < MAX_EXTENSION_HEADERS; i++) {
		__u32 bytes;

		if (!is_extension(walk->protocol))
			return XDPLB_CONTINUE;
		if (bpf_xdp_load_bytes(ctx, walk->offset, &header, sizeof(header)))
			return XDPLB_OUTCOME_TRUNCATED;
		bytes = (header.length + 1) * 8;
		if (walk->protocol == IPPROTO_AH)
			bytes = (header.length + 2) * 4;
		if (walk->protocol == IPPROTO_FRAGMENT) {
			bytes = 8;
			walk->fragment_id = bpf_ntohl(header.fragment_id);
			walk->fragment_field = bpf_ntohs(header.fragment_offset);
			walk->fragment_protocol = header.next;
		}
		walk->protocol = header.next;
		walk->offset = (walk->offset + bytes) & MAX_OFFSET;
		if (walk->fragment_field & IPV6_OFFSET_MASK)
			return XDPLB_CONTINUE;
	}
	return is_extension(walk->protocol) ? XDPLB_OUTCOME_HEADERS_TOO_LONG : XDPLB_CONTINUE;
}

static __always_inline __u8 fragment_of(bool has_offset, bool has_more)
{
	if (has_offset)
		return FRAGMENT_LATER;
	return has_more ? FRAGMENT_FIRST : FRAGMENT_NONE;
}

/* The rest of an IPv4 header whose addresses are known; 20 bytes of it are there. */
static __always_inline int parse_ipv4(const struct iphdr *ip, struct journey *journey)
{
	__u16 fragment = bpf_ntohs(ip->frag_off);
	__u32 header_bytes = ip->ihl * 4;

	if (ip->version != 4 || header_bytes < sizeof(*ip))
		return XDPLB_OUTCOME_TRUNCATED;
	journey->protocol = ip->protocol;
	journey->transport = journey->network + header_bytes;
	journey->end = journey->network + bpf_ntohs(ip->tot_len);
	journey->is_bare = header_bytes == sizeof(*ip);
	journey->fragment = fragment_of(fragment & IPV4_OFFSET_MASK, fragment & IPV4_MORE_FRAGMENTS);
	journey->fragment_id = bpf_ntohs(ip->id);
	journey->fragment_protocol = ip->protocol;
	return XDPLB_CONTINUE;
}

static __always_inline int parse_ipv6(struct xdp_md *ctx, const struct ipv6hdr *ip, struct journey *journey)
{
	struct header_walk walk = { .offset = journey->network + sizeof(*ip), .protocol = ip->nexthdr };
	int outcome;

	if (ip->version != 6)
		return XDPLB_OUTCOME_TRUNCATED;
	journey->end = journey->network + sizeof(*ip) + bpf_ntohs(ip->payload_len);
	outcome = walk_extensions(ctx, &walk);
	journey->protocol = walk.protocol;
	journey->transport = walk.offset;
	journey->is_bare = walk.is_bare;
	journey->fragment =
		fragment_of(walk.fragment_field & IPV6_OFFSET_MASK, walk.fragment_field & IPV6_MORE_FRAGMENTS);
	journey->fragment_id = walk.fragment_id;
	journey->fragment_protocol = walk.fragment_protocol;
	return outcome;
}

/* Ethernet header and up to two tags; a third one leaves its own type, which is no IP. */
static __always_inline int parse_ethernet(struct xdp_md *ctx, struct journey *journey, __be16 *eth_type_be)
{
	struct vlan_tag {
		__be16 tci;
		__be16 eth_type_be;
	} * tag;
	struct ethhdr *ethernet = bytes_at(ctx, 0, sizeof(*ethernet));

	if (!ethernet)
		return XDPLB_OUTCOME_TRUNCATED;
	*eth_type_be = ethernet->h_proto;
	journey->network = sizeof(*ethernet);
#pragma unroll
	for (int i = 0; i < 2; i++) {
		if (!is_vlan(*eth_type_be))
			break;
		tag = bytes_at(ctx, journey->network, sizeof(*tag));
		if (!tag)
			return XDPLB_OUTCOME_TRUNCATED;
		*eth_type_be = tag->eth_type_be;
		journey->network += sizeof(*tag);
	}
	return XDPLB_CONTINUE;
}

/* The two addresses as words, the destination as the key of its line, too. */
static __always_inline void take_ipv4_addresses(struct journey *journey, __be32 from, __be32 to)
{
	journey->packet.is_ipv6 = 0;
	journey->packet.client[0] = bpf_ntohl(from);
	journey->packet.client[1] = 0;
	journey->vipa[0] = bpf_ntohl(to);
	journey->vipa[1] = 0;
	journey->to = ipv4_key(to, 0, 0);
}

static __always_inline void take_ipv6_address(const struct in6_addr *address, __u64 words[2])
{
	const __be32 *part = address->in6_u.u6_addr32;

	words[0] = bpf_be64_to_cpu((__u64)part[1] << 32 | part[0]);
	words[1] = bpf_be64_to_cpu((__u64)part[3] << 32 | part[2]);
}

/*
 * Everything up to the transport header. `to` stays 0 when the frame does not get as far as an IP destination: what is
 * wrong with a packet matters only when it is for a VIPA (I7), so the caller asks that first.
 */
__noinline int parse_network(struct xdp_md *ctx, struct journey *journey)
{
	__be16 eth_type_be = 0;
	int outcome;

	if (!journey)
		return XDPLB_OUTCOME_TRUNCATED;

	outcome = parse_ethernet(ctx, journey, &eth_type_be);
	if (outcome)
		return outcome;
	if (eth_type_be == ETH_P_IP_BE) {
		struct iphdr *ip = bytes_at(ctx, journey->network, sizeof(*ip));

		if (!ip)
			return XDPLB_OUTCOME_TRUNCATED;
		take_ipv4_addresses(journey, ip->saddr, ip->daddr);
		return parse_ipv4(ip, journey);
	}
	if (eth_type_be == ETH_P_IPV6_BE) {
		struct ipv6hdr *ip = bytes_at(ctx, journey->network, sizeof(*ip));

		if (!ip)
			return XDPLB_OUTCOME_TRUNCATED;
		journey->packet.is_ipv6 = 1;
		take_ipv6_address(&ip->saddr, journey->packet.client);
		take_ipv6_address(&ip->daddr, journey->vipa);
		journey->to = ipv6_key(&ip->daddr, 0, 0);
		return parse_ipv6(ctx, ip, journey);
	}
	return XDPLB_OUTCOME_NOT_IP;
}

/* The transport header of a TCP or UDP packet that is no later fragment. */
static __always_inline int parse_transport(struct xdp_md *ctx, struct journey *journey)
{
	struct udphdr *ports; /* those of TCP lie in the same place */

	journey->packet.tcp_flags = 0;
	if (journey->protocol == IPPROTO_TCP) {
		struct tcphdr *tcp = bytes_at(ctx, journey->transport, sizeof(*tcp));
		__u32 start;

		if (!tcp)
			return XDPLB_OUTCOME_TRUNCATED;
		journey->packet.tcp_flags = ((__u8 *)tcp)[13];
		start = journey->transport + tcp->doff * 4;
		journey->payload = journey->end > start ? journey->end - start : 0;
	}
	ports = bytes_at(ctx, journey->transport, sizeof(*ports));
	if (!ports)
		return XDPLB_OUTCOME_TRUNCATED;
	journey->packet.client_port = bpf_ntohs(ports->source);
	journey->port = bpf_ntohs(ports->dest);
	return XDPLB_CONTINUE;
}
