/* SPDX-License-Identifier: GPL-2.0-only */
/* Verdict -> record in a ring, for who asked for it. Off, no packet comes by here: see XDPLB_EGRESS_TRACED. */
#pragma once

static __always_inline bool is_traced(int outcome)
{
	__u32 sample = tables.settings.trace_sample;

	if (!(*(volatile __u64 *)&tables.settings.traced_outcomes >> (outcome & 63) & 1))
		return false;
	return sample < 2 || bpf_get_prandom_u32() % sample == 0;
}

static __noinline int write_trace(struct xdp_md *ctx, const struct journey *journey, int outcome)
{
	__u32 length = frame_length(ctx);
	__u32 captured = length < XDPLB_TRACE_BYTES ? length : XDPLB_TRACE_BYTES;
	struct xdplb_trace_record *record;

	record = bpf_ringbuf_reserve(&trace, sizeof(*record), 0);
	if (!record)
		return 0;
	record->time_ns = bpf_ktime_get_ns();
	record->ifindex = ctx->ingress_ifindex;
	record->length = length;
	record->outcome = outcome;
	record->server = journey->packet.server;
	record->how = journey->how;
	record->captured = captured;
	record->options = journey->options;
	record->zero = 0;
	/* 1 to all of them, in a form that the verifier of Linux 6.1 sees. */
	asm volatile("" : "+r"(captured));
	if (bpf_xdp_load_bytes(ctx, 0, record->frame, ((captured - 1) & (XDPLB_TRACE_BYTES - 1)) + 1))
		record->captured = 0;
	bpf_ringbuf_submit(record, 0);
	return 0;
}
