/* SPDX-License-Identifier: GPL-2.0-only */
/* A server on a way that is not plain: another tag, time to live, this very host, another dispatcher's frames. */
#pragma once

#define TAG_BYTES 4

static __always_inline bool is_peer(__u64 source)
{
	if (!may_be_peer(source))
		return false;
	for (int i = 0; i < XDPLB_MAX_PEERS; i++)
		if (tables.settings.peers[i] == source >> 16)
			return true;
	return false;
}

/* RFC 1624 equation 3 for one 16-bit word of what the checksum covers, in network order as they stand. */
static __always_inline __u16 update_checksum(__u16 checksum, __u16 before, __u16 after)
{
	__u32 sum = (__u16)~checksum + (__u16)~before + (__u32)after;

	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

/* Time to live and protocol are one word of the IPv4 checksum. */
static __always_inline void set_ipv4_ttl(struct iphdr *ip, __u8 ttl)
{
	__u16 *word = (__u16 *)&ip->ttl;
	__u16 before = *word;

	ip->ttl = ttl;
	ip->check = update_checksum(ip->check, before, *word);
}

static __always_inline int decrement_ttl(struct xdp_md *ctx, const struct journey *journey)
{
	if (journey->packet.is_ipv6) {
		struct ipv6hdr *ip = bytes_at(ctx, journey->network, sizeof(*ip));

		if (!ip)
			return XDPLB_OUTCOME_TRUNCATED;
		if (ip->hop_limit <= 1)
			return XDPLB_OUTCOME_TTL_EXPIRED;
		ip->hop_limit--;
	} else {
		struct iphdr *ip = bytes_at(ctx, journey->network, sizeof(*ip));

		if (!ip)
			return XDPLB_OUTCOME_TRUNCATED;
		if (ip->ttl <= 1)
			return XDPLB_OUTCOME_TTL_EXPIRED;
		set_ipv4_ttl(ip, ip->ttl - 1);
	}
	return XDPLB_CONTINUE;
}

/* Ethernet addresses as three words, to carry them over a change of where the frame starts. */
struct mac_pair {
	__u32 word[3];
};

static __always_inline int push_tag(struct xdp_md *ctx, __u16 tci)
{
	struct mac_pair macs, *place;
	__be16 *tag;

	place = bytes_at(ctx, 0, sizeof(*place));
	if (!place)
		return XDPLB_OUTCOME_TRUNCATED;
	macs = *place;
	if (bpf_xdp_adjust_head(ctx, -TAG_BYTES))
		return XDPLB_OUTCOME_NO_HEADROOM;
	place = bytes_at(ctx, 0, sizeof(*place) + TAG_BYTES);
	if (!place)
		return XDPLB_OUTCOME_NO_HEADROOM;
	*place = macs;
	tag = (__be16 *)(place + 1);
	tag[0] = ETH_P_8021Q_BE;
	tag[1] = bpf_htons(tci);
	return XDPLB_CONTINUE;
}

static __always_inline int pop_tag(struct xdp_md *ctx)
{
	struct mac_pair macs, *place;

	place = bytes_at(ctx, 0, sizeof(*place));
	if (!place)
		return XDPLB_OUTCOME_TRUNCATED;
	macs = *place;
	if (bpf_xdp_adjust_head(ctx, TAG_BYTES))
		return XDPLB_OUTCOME_TRUNCATED;
	place = bytes_at(ctx, 0, sizeof(*place));
	if (!place)
		return XDPLB_OUTCOME_TRUNCATED;
	*place = macs;
	return XDPLB_CONTINUE;
}

/* Makes the outermost tag what the way asks for; its priority stays. */
static __always_inline int change_tag(struct xdp_md *ctx, const struct journey *journey, __u16 wanted)
{
	bool is_tagged = journey->network > sizeof(struct ethhdr);
	__be16 *tci;

	if (!wanted)
		return XDPLB_CONTINUE;
	if (wanted & XDPLB_TAG_NONE)
		return is_tagged ? pop_tag(ctx) : XDPLB_CONTINUE;
	if (!is_tagged)
		return push_tag(ctx, wanted & XDPLB_TAG_VLAN_MASK);
	tci = bytes_at(ctx, sizeof(struct ethhdr), sizeof(*tci));
	if (!tci)
		return XDPLB_OUTCOME_TRUNCATED;
	*tci = (*tci & ~bpf_htons(XDPLB_TAG_VLAN_MASK)) | bpf_htons(wanted & XDPLB_TAG_VLAN_MASK);
	return XDPLB_CONTINUE;
}

__noinline int forward_long(struct xdp_md *ctx, struct journey *journey)
{
	__u64 way, policy, source;
	const struct xdplb_egress *egress;
	void *ethernet;
	int outcome;

	if (!journey)
		return XDPLB_OUTCOME_SERVER_GONE;
	way = load_server(journey->packet.server);
	journey->packet.egress = way & XDPLB_SERVER_EGRESS_MASK;
	egress = &tables.egresses[journey->packet.egress];
	policy = policy_of(egress);
	if (!journey->packet.egress)
		return XDPLB_OUTCOME_SERVER_GONE;
	if (!(__u32)policy)
		return XDPLB_OUTCOME_NO_EGRESS;
	ethernet = bytes_at(ctx, 0, sizeof(struct ethhdr));
	if (!ethernet)
		return XDPLB_OUTCOME_TRUNCATED;
	source = source_mac(ethernet);
	if ((source ^ way) >> 16 == 0 || is_peer(source))
		return XDPLB_OUTCOME_LOOP;
	if (policy >> 48 & XDPLB_EGRESS_LOCAL)
		return XDPLB_OUTCOME_LOCAL;
	if (policy >> 48 & XDPLB_EGRESS_DECREMENT_TTL) {
		outcome = decrement_ttl(ctx, journey);
		if (outcome)
			return outcome;
	}
	outcome = change_tag(ctx, journey, policy >> 32);
	if (outcome)
		return outcome;
	ethernet = bytes_at(ctx, 0, sizeof(struct ethhdr));
	if (!ethernet)
		return XDPLB_OUTCOME_TRUNCATED;
	rewrite_macs(ethernet, way, egress);
	return (__u32)policy == ctx->ingress_ifindex ? XDPLB_OUTCOME_FORWARDED : XDPLB_OUTCOME_REDIRECTED;
}
