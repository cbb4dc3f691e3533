/* SPDX-License-Identifier: GPL-2.0-only */
/* Outcome -> counters and verdict. The only file that names XDP_*. */
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

static __always_inline void count_udp_flow(const struct journey *journey)
{
	__u32 index = journey->packet.server;
	struct xdplb_counters *counter;

	if (!journey->is_new || journey->protocol != IPPROTO_UDP)
		return;
	counter = bpf_map_lookup_elem(&counters, &index);
	if (counter)
		counter->new_flows++;
}

static __always_inline void count_outcome(__u32 options, int outcome)
{
	__u32 index = options & (XDPLB_MAX_OPTIONS - 1), number = outcome;
	struct xdplb_outcome_counters *counter = bpf_map_lookup_elem(&outcomes, &index);

	/* A number of its own, which the verifier knows unsigned from the test on. */
	asm volatile("" : "+r"(number));
	if (counter && number < XDPLB_OUTCOME_COUNT)
		counter->packets[number]++;
}

/* The ends of a journey on the short path. */
static __always_inline int finish_forwarded(const struct packet *packet)
{
	count_server(packet);
	return verdict_of(XDPLB_OUTCOME_FORWARDED);
}

static __always_inline int finish_redirected(const struct packet *packet, __u32 options)
{
	int outcome = XDPLB_OUTCOME_REDIRECTED;

	if (bpf_redirect_map(&devices, packet->egress, XDP_DROP) == XDP_REDIRECT)
		count_server(packet);
	else
		outcome = XDPLB_OUTCOME_NO_EGRESS;
	count_outcome(options, outcome);
	return verdict_of(outcome);
}

__noinline int finish_long(struct xdp_md *ctx, struct journey *journey, int outcome)
{
	if (!journey)
		return XDP_ABORTED;
	if (outcome == XDPLB_OUTCOME_REDIRECTED &&
	    bpf_redirect_map(&devices, journey->packet.egress, XDP_DROP) != XDP_REDIRECT)
		outcome = XDPLB_OUTCOME_NO_EGRESS;
	if (outcome == XDPLB_OUTCOME_FORWARDED || outcome == XDPLB_OUTCOME_REDIRECTED ||
	    outcome == XDPLB_OUTCOME_LOCAL) {
		count_server(&journey->packet);
		count_udp_flow(journey);
	}
	if (outcome != XDPLB_OUTCOME_FORWARDED)
		count_outcome(journey->options, outcome);
	if (is_traced(outcome))
		write_trace(ctx, journey, outcome);
	return verdict_of(outcome);
}
