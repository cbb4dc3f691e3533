/* SPDX-License-Identifier: GPL-2.0-only */
/* Frame -> struct packet, for the plain packets. long_parse.bpf.h has the others. */
#pragma once

#define ETH_P_8021Q_BE bpf_htons(ETH_P_8021Q)
#define ETH_P_8021AD_BE bpf_htons(ETH_P_8021AD)
#define ETH_P_IP_BE bpf_htons(ETH_P_IP)
#define ETH_P_IPV6_BE bpf_htons(ETH_P_IPV6)

#define IPV4_PLAIN 0x45 /* version 4, 5 words of header: no options */

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

/*
 * Jumps to a label when the comparison holds, which is unlikely. The compiler turns conditions around before it knows
 * what is likely, and cannot turn a BPF jump back: with an if, the likely way would jump over a jump each time.
 */
#define leave_if(left, compared, right, label)                                                                         \
	asm goto("if %0 " #compared " %1 goto %l2" : : "r"((__u64)(left)), "ri"((__u64)(right)) : : label)

/* struct xdplb_port_key as the words that lookups compare and hash. */
struct key_words {
	__u64 word[3];
};

/* One journey. Each stage fills more of it. */
struct packet {
	__u64 client[2];   /* source address, host order; IPv4 in client[0] */
	__u32 length;      /* bytes of the frame */
	__u32 tcp_flags;   /* 0 for UDP */
	__u16 client_port; /* host order */
	__u8 is_ipv6;
	__u32 server; /* index into `servers`, filled by the choice of a server */
	__u32 egress; /* slot of `egresses`, filled by forward */
};

static __always_inline bool is_vlan(__be16 eth_type_be)
{
	return eth_type_be == ETH_P_8021Q_BE || eth_type_be == ETH_P_8021AD_BE;
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
static __always_inline bool parse_plain_ipv4(void *start, struct packet *packet, struct key_words *key)
{
	struct iphdr *ip = start;
	struct udphdr *ports = start + sizeof(*ip); /* those of TCP lie in the same place */
	__u32 whole = *(__u32 *)(start + IPV4_FRAGMENT_OFFSET) & IPV4_FRAGMENT_AND_PROTOCOL;

	packet->is_ipv6 = 0;
	packet->client[0] = bpf_ntohl(ip->saddr);
	packet->client_port = bpf_ntohs(ports->source);
	if (likely(whole == IPV4_WHOLE(IPPROTO_TCP))) {
		packet->tcp_flags = ((__u8 *)ports)[13];
		*key = ipv4_key(ip->daddr, IPPROTO_TCP, ports->dest);
		return true;
	}
	packet->tcp_flags = 0;
	*key = ipv4_key(ip->daddr, IPPROTO_UDP, ports->dest);
	return whole == IPV4_WHOLE(IPPROTO_UDP);
}

/* IPv6 without extension headers -> struct packet; false: it is something else. PLAIN_IPV6_BYTES are there. */
static __always_inline bool parse_plain_ipv6(void *start, struct packet *packet, struct key_words *key)
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
	*key = ipv6_key(&ip->daddr, ip->nexthdr, ports->dest);
	packet->tcp_flags = ((__u8 *)ports)[13];
	if (likely(ip->nexthdr == IPPROTO_TCP))
		return true;
	packet->tcp_flags = 0;
	return ip->nexthdr == IPPROTO_UDP;
}
