/* SPDX-License-Identifier: GPL-2.0-only */
/* Frames that the dispatcher answers by itself: a TCP reset, an echo reply. They leave by the way they came. */
#pragma once

#define ANSWER_TTL 64

static __always_inline void swap_macs(void *ethernet)
{
	__u16 *word = ethernet;

#pragma unroll
	for (int i = 0; i < 3; i++) {
		__u16 kept = word[i];

		word[i] = word[i + 3];
		word[i + 3] = kept;
	}
}

static __always_inline __u32 add_words(__u32 sum, const void *start, __u32 bytes)
{
	const __u16 *word = start;

#pragma unroll
	for (__u32 i = 0; i < bytes / 2; i++)
		sum += word[i];
	return sum;
}

static __always_inline __u16 fold(__u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

/* RFC 9293 3.10.7.1: what a closed port answers. */
static __always_inline void make_reset(const struct tcphdr *to, __u32 payload, struct tcphdr *reset)
{
	__u32 segment = payload + to->syn + to->fin;

	*reset = (struct tcphdr){ .source = to->dest, .dest = to->source, .doff = sizeof(*reset) / 4, .rst = 1 };
	if (to->ack) {
		reset->seq = to->ack_seq;
	} else {
		reset->ack_seq = bpf_htonl(bpf_ntohl(to->seq) + segment);
		reset->ack = 1;
	}
}

static __always_inline bool write_ipv4_reset(struct xdp_md *ctx, __u32 network, const struct tcphdr *reset)
{
	struct answer {
		struct iphdr ip;
		struct tcphdr tcp;
	} *answer = bytes_at(ctx, network, sizeof(*answer));
	__be32 from, to;
	__u32 sum;

	if (!answer)
		return false;
	from = answer->ip.daddr;
	to = answer->ip.saddr;
	answer->ip = (struct iphdr){ .version = 4,
				     .ihl = 5,
				     .tot_len = bpf_htons(sizeof(*answer)),
				     .frag_off = bpf_htons(0x4000),
				     .ttl = ANSWER_TTL,
				     .protocol = IPPROTO_TCP,
				     .saddr = from,
				     .daddr = to };
	answer->ip.check = fold(add_words(0, &answer->ip, sizeof(answer->ip)));
	answer->tcp = *reset;
	sum = add_words(bpf_htons(IPPROTO_TCP) + bpf_htons(sizeof(*reset)), &answer->ip.saddr, 8);
	answer->tcp.check = fold(add_words(sum, &answer->tcp, sizeof(answer->tcp)));
	return true;
}

static __always_inline bool write_ipv6_reset(struct xdp_md *ctx, __u32 network, const struct tcphdr *reset)
{
	struct answer {
		struct ipv6hdr ip;
		struct tcphdr tcp;
	} *answer = bytes_at(ctx, network, sizeof(*answer));
	struct in6_addr from, to;
	__u32 sum;

	if (!answer)
		return false;
	from = answer->ip.daddr;
	to = answer->ip.saddr;
	answer->ip = (struct ipv6hdr){
		.version = 6, .payload_len = bpf_htons(sizeof(*reset)), .nexthdr = IPPROTO_TCP, .hop_limit = ANSWER_TTL
	};
	answer->ip.saddr = from;
	answer->ip.daddr = to;
	answer->tcp = *reset;
	sum = add_words(bpf_htons(IPPROTO_TCP) + bpf_htons(sizeof(*reset)), &answer->ip.saddr, 32);
	answer->tcp.check = fold(add_words(sum, &answer->tcp, sizeof(answer->tcp)));
	return true;
}

/* Turns the frame into the reset of its sender's connection; `otherwise` is the outcome when it cannot be. */
__noinline int answer_reset(struct xdp_md *ctx, const struct journey *journey, int otherwise)
{
	__u32 ip_bytes, length, start;
	struct tcphdr *tcp, reset;
	void *ethernet;

	if (!journey)
		return otherwise;
	ip_bytes = journey->packet.is_ipv6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr);
	if (journey->protocol != IPPROTO_TCP || journey->fragment != FRAGMENT_NONE || !journey->is_bare ||
	    journey->packet.tcp_flags & TCP_RST)
		return otherwise;
	tcp = bytes_at(ctx, journey->transport, sizeof(*tcp));
	if (!tcp)
		return otherwise;
	start = journey->transport + tcp->doff * 4;
	if (tcp->doff < 5 || journey->end < start)
		return otherwise;
	make_reset(tcp, journey->payload, &reset);
	length = journey->network + ip_bytes + sizeof(*tcp);
	if (bpf_xdp_adjust_tail(ctx, (int)length - (int)journey->packet.length))
		return otherwise;
	ethernet = bytes_at(ctx, 0, sizeof(struct ethhdr));
	if (!ethernet)
		return otherwise;
	swap_macs(ethernet);
	if (journey->packet.is_ipv6 ? !write_ipv6_reset(ctx, journey->network, &reset)
				    : !write_ipv4_reset(ctx, journey->network, &reset))
		return otherwise;
	return XDPLB_OUTCOME_RESET_SENT;
}

/* Turns an echo request into its reply: all words that swap places stay in their sums, only type and TTL change. */
__noinline int answer_echo(struct xdp_md *ctx, const struct journey *journey)
{
	__u16 *icmp, before;
	void *ethernet;

	if (!journey)
		return XDPLB_OUTCOME_TRUNCATED;

	if (journey->packet.is_ipv6) {
		struct ipv6hdr *ip = bytes_at(ctx, journey->network, sizeof(*ip));
		struct in6_addr from;

		if (!ip)
			return XDPLB_OUTCOME_TRUNCATED;
		from = ip->saddr;
		ip->saddr = ip->daddr;
		ip->daddr = from;
		ip->hop_limit = ANSWER_TTL;
	} else {
		struct iphdr *ip = bytes_at(ctx, journey->network, sizeof(*ip));
		__be32 from;

		if (!ip)
			return XDPLB_OUTCOME_TRUNCATED;
		from = ip->saddr;
		ip->saddr = ip->daddr;
		ip->daddr = from;
		set_ipv4_ttl(ip, ANSWER_TTL);
	}
	icmp = bytes_at(ctx, journey->transport, 4);
	if (!icmp)
		return XDPLB_OUTCOME_TRUNCATED;
	before = icmp[0];
	*(__u8 *)icmp = journey->packet.is_ipv6 ? 129 : 0;
	icmp[1] = update_checksum(icmp[1], before, icmp[0]);
	ethernet = bytes_at(ctx, 0, sizeof(struct ethhdr));
	if (!ethernet)
		return XDPLB_OUTCOME_TRUNCATED;
	swap_macs(ethernet);
	return XDPLB_OUTCOME_ECHO_ANSWERED;
}
