/* SPDX-License-Identifier: GPL-2.0-only */
/* Outcome -> counter and verdict. The only file that names XDP_*. */
#pragma once

static __always_inline int verdict_of(int outcome)
{
	switch (outcome) {
#define XDPLB_OUTCOME_VERDICT(NAME, name, VERDICT, meaning)                                                            \
	case XDPLB_OUTCOME_##NAME:                                                                                     \
		return XDP_##VERDICT;
		XDPLB_OUTCOMES(XDPLB_OUTCOME_VERDICT)
#undef XDPLB_OUTCOME_VERDICT
	default:
		return XDP_ABORTED;
	}
}

static __always_inline void count_server(const struct packet *packet)
{
	__u32 index = packet->server; /* a copy: its address is taken, and the packet stays in registers */
	struct xdplb_counters *counter = bpf_map_lookup_elem(&counters, &index);

	if (unlikely(!counter))
		return;
	counter->packets++;
	counter->bytes += packet->length;
	if (unlikely(packet->tcp_flags & (TCP_SYN | TCP_FIN | TCP_RST))) {
		if ((packet->tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN)
			counter->new_flows++;
		if (packet->tcp_flags & (TCP_FIN | TCP_RST))
			counter->closed_flows++;
	}
}

static __always_inline void count_outcome(int outcome)
{
	__u32 index = outcome;
	__u64 *count = bpf_map_lookup_elem(&outcomes, &index);

	if (count)
		(*count)++;
}

/* Every end but the common one; a function of its own, so that none of it lies in the common one's way. */
static __noinline int finish_rare(int outcome)
{
	count_outcome(outcome);
	return verdict_of(outcome);
}

static __always_inline int finish(const struct packet *packet, int outcome)
{
	if (likely(outcome == XDPLB_OUTCOME_FORWARDED)) {
		count_server(packet);
		return XDP_TX;
	}
	if (outcome == XDPLB_OUTCOME_REDIRECTED) {
		if (bpf_redirect_map(&devices, packet->egress, XDP_DROP) == XDP_REDIRECT)
			count_server(packet);
		else
			outcome = XDPLB_OUTCOME_NO_EGRESS;
	}
	return finish_rare(outcome);
}
