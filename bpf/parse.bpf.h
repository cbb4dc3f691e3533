/* SPDX-License-Identifier: GPL-2.0-only */
/* Frame -> struct packet. The only file that compares pointers with data_end. */
#pragma once

#define ETH_P_8021Q_BE bpf_htons(ETH_P_8021Q)
#define ETH_P_8021AD_BE bpf_htons(ETH_P_8021AD)
#define ETH_P_IP_BE bpf_htons(ETH_P_IP)
#define ETH_P_IPV6_BE bpf_htons(ETH_P_IPV6)

#define IPV4_FRAGMENT_BE bpf_htons(0x3fff) /* more fragments, or an offset; RFC 791 */
#define IPV4_PLAIN 0x45                    /* version 4, 5 words of header: no options */

#define IP_VERSION_MASK 0xf0
#define IPV6_VERSION 0x60

/* The word at the Ethernet type of an untagged frame with such a header: type and that byte, not the type of service. */
#define UNTAGGED_IPV4_PLAIN ((__u32)IPV4_PLAIN << 16 | ETH_P_IP_BE)
#define UNTAGGED_IPV4_MASK 0x00ffffff

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_ACK 0x10

#define likely(condition) __builtin_expect(!!(condition), 1)
#define unlikely(condition) __builtin_expect(!!(condition), 0)

/* struct xdplb_port_key as the words that lookups compare and hash. */
struct key_words {
	__u64 word[3];
};

/* One journey. Each stage fills more of it. */
struct packet {
	void *data;           /* the Ethernet header */
	__u32 length;         /* bytes of the frame */
	__u32 server;         /* index into `servers`, filled by select */
	struct key_words key; /* destination address, port, protocol */
	__u64 client[2];      /* source address, host order; IPv4 in client[0] */
	__u16 client_port;    /* host order */
	__u8 tcp_flags;       /* 0 for UDP */
	__u8 is_ipv6;
	__u32 egress; /* slot of `egresses`, filled by forward */
};

/* What lies behind the Ethernet header and up to two VLAN tags. */
struct network_header {
	void *start;
	__be16 eth_type_be;
};

static __always_inline bool is_vlan(__be16 eth_type_be)
{
	return eth_type_be == ETH_P_8021Q_BE || eth_type_be == ETH_P_8021AD_BE;
}

/* A third tag leaves its own type in eth_type_be, which is no IP. */
static __always_inline int parse_ethernet(void *data, void *data_end, struct network_header *network)
{
	struct vlan_tag {
		__be16 tci;
		__be16 eth_type_be;
	} * tag;
	struct ethhdr *ethernet = data;

	if ((void *)(ethernet + 1) > data_end)
		return XDPLB_OUTCOME_TRUNCATED;
	network->eth_type_be = ethernet->h_proto;
	network->start = ethernet + 1;
#pragma unroll
	for (int i = 0; i < 2; i++) {
		if (!is_vlan(network->eth_type_be))
			break;
		tag = network->start;
		if ((void *)(tag + 1) > data_end)
			return XDPLB_OUTCOME_TRUNCATED;
		network->eth_type_be = tag->eth_type_be;
		network->start = tag + 1;
	}
	return XDPLB_CONTINUE;
}

static __always_inline __u64 first_key_word(__be16 port, __u8 protocol, __u8 family, __be32 address)
{
	/* The layout of struct xdplb_port_key on a little-endian machine, the only kind xdplb is built for. */
	_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "little endian");
	return (__u64)address << 32 | (__u32)family << 24 | (__u32)protocol << 16 | port;
}

static __always_inline struct key_words ipv4_key(__be32 address, __u8 protocol, __be16 port)
{
	return (struct key_words){ .word = { first_key_word(port, protocol, 4, address), 0, 0 } };
}

static __always_inline struct key_words ipv6_key(const struct in6_addr *address, __u8 protocol, __be16 port)
{
	const __be32 *part = address->in6_u.u6_addr32;

	return (struct key_words){ .word = { first_key_word(port, protocol, 6, part[0]), (__u64)part[2] << 32 | part[1],
					     part[3] } };
}

/* TCP or UDP header -> ports and flags. */
static __always_inline int parse_transport(void *start, void *data_end, __u8 protocol, struct packet *packet,
					   __be16 *port)
{
	struct udphdr *udp = start; /* the ports of TCP lie in the same place */

	if (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP)
		return XDPLB_OUTCOME_OTHER_PROTOCOL;
	if ((void *)(udp + 1) > data_end)
		return XDPLB_OUTCOME_TRUNCATED;
	packet->tcp_flags = 0;
	if (protocol == IPPROTO_TCP) {
		struct tcphdr *tcp = start;

		if ((void *)(tcp + 1) > data_end)
			return XDPLB_OUTCOME_TRUNCATED;
		packet->tcp_flags = ((__u8 *)tcp)[13];
	}
	packet->client_port = bpf_ntohs(udp->source);
	*port = udp->dest;
	return XDPLB_CONTINUE;
}

static __always_inline int parse_ipv4(struct iphdr *ip, void *transport, void *data_end, struct packet *packet)
{
	__be16 port;
	int outcome;

	outcome = parse_transport(transport, data_end, ip->protocol, packet, &port);
	if (outcome)
		return outcome;
	packet->is_ipv6 = 0;
	packet->client[0] = bpf_ntohl(ip->saddr);
	packet->client[1] = 0;
	packet->key = ipv4_key(ip->daddr, ip->protocol, port);
	return XDPLB_CONTINUE;
}

static __always_inline int parse_ipv6(struct ipv6hdr *ip, void *data_end, struct packet *packet)
{
	const __be32 *part = ip->saddr.in6_u.u6_addr32;
	__be16 port;
	int outcome;

	outcome = parse_transport(ip + 1, data_end, ip->nexthdr, packet, &port);
	if (outcome)
		return outcome;
	packet->is_ipv6 = 1;
	packet->client[0] = bpf_be64_to_cpu((__u64)part[1] << 32 | part[0]);
	packet->client[1] = bpf_be64_to_cpu((__u64)part[3] << 32 | part[2]);
	packet->key = ipv6_key(&ip->daddr, ip->nexthdr, port);
	return XDPLB_CONTINUE;
}

/* The shortest TCP segment; a UDP packet with less than that behind its IP header takes the slow path. */
#define PLAIN_TRANSPORT_BYTES 20
#define PLAIN_IPV4_BYTES (sizeof(struct iphdr) + PLAIN_TRANSPORT_BYTES)
#define PLAIN_IPV6_BYTES (sizeof(struct ipv6hdr) + PLAIN_TRANSPORT_BYTES)

/*
 * Fragment fields, time to live and protocol are one word: whether this is a whole packet of a protocol takes one
 * comparison.
 */
#define IPV4_FRAGMENT_OFFSET 6
#define IPV4_FRAGMENT_AND_PROTOCOL 0xff00ff3f
#define IPV4_WHOLE(protocol) ((__u32)(protocol) << 24)

/*
 * IPv4 that is no fragment -> struct packet; false: it is something else. The caller knows that PLAIN_IPV4_BYTES are there
 * and that there are no options.
 */
static __always_inline bool parse_plain_ipv4(void *start, struct packet *packet)
{
	struct iphdr *ip = start;
	struct udphdr *ports = start + sizeof(*ip); /* those of TCP lie in the same place */
	__u32 whole = *(__u32 *)(start + IPV4_FRAGMENT_OFFSET) & IPV4_FRAGMENT_AND_PROTOCOL;

	packet->is_ipv6 = 0;
	packet->client[0] = bpf_ntohl(ip->saddr);
	packet->client_port = bpf_ntohs(ports->source);
	if (likely(whole == IPV4_WHOLE(IPPROTO_TCP))) {
		packet->tcp_flags = ((__u8 *)ports)[13];
		packet->key = ipv4_key(ip->daddr, IPPROTO_TCP, ports->dest);
		return true;
	}
	packet->tcp_flags = 0;
	packet->key = ipv4_key(ip->daddr, IPPROTO_UDP, ports->dest);
	return whole == IPV4_WHOLE(IPPROTO_UDP);
}

/* IPv6 without extension headers -> struct packet; false: it is something else. PLAIN_IPV6_BYTES are there. */
static __always_inline bool parse_plain_ipv6(void *start, struct packet *packet)
{
	struct ipv6hdr *ip = start;
	struct udphdr *ports = start + sizeof(*ip);
	const __u64 *client = (const __u64 *)&ip->saddr;

	if (unlikely((*(__u8 *)start & IP_VERSION_MASK) != IPV6_VERSION))
		return false;
	packet->is_ipv6 = 1;
	packet->client[0] = bpf_be64_to_cpu(client[0]);
	packet->client[1] = bpf_be64_to_cpu(client[1]);
	packet->client_port = bpf_ntohs(ports->source);
	packet->key = ipv6_key(&ip->daddr, ip->nexthdr, ports->dest);
	packet->tcp_flags = ((__u8 *)ports)[13];
	if (likely(ip->nexthdr == IPPROTO_TCP))
		return true;
	packet->tcp_flags = 0;
	return ip->nexthdr == IPPROTO_UDP;
}
