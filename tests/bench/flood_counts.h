/* SPDX-License-Identifier: GPL-2.0-only */
/* What the programs of bpf/flood.bpf.h count. C and C++. */
#pragma once

#include <linux/types.h>

struct flood_counts {
  __u64 opened;  /* watched connections */
  __u64 checked; /* packets of those */
  __u64 lost;    /* packets that were not sent on */
  __u64 broken;  /* watched connections of which a packet went elsewhere */
  __u64 flood;   /* SYNs of others */
};
