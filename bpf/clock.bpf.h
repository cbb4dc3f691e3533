/* SPDX-License-Identifier: GPL-2.0-only */
/* Time in ticks of about a second. Jiffies are a load; a clock is a call that costs as much as a whole packet. */
#pragma once

/* Set before the load by the kernel's HZ: 2^clock_shift jiffies are a tick. */
const volatile __u32 clock_shift = 8;

static __always_inline __u32 now(void)
{
	return (__u32)(bpf_jiffies64() >> (clock_shift & 63)) + tables.settings.clock_offset;
}
