/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every way a packet's journey through the program can end: X(NAME, name, VERDICT, meaning). Counters, `xdplb drops`,
 * docs and tests are made from this list. FORWARDED is counted by its server (struct xdplb_counters), every other
 * outcome in the per-CPU map `outcomes` (struct xdplb_outcome_counters) by its port; REDIRECTED and LOCAL in both.
 */
#pragma once

#include <linux/types.h>

#define XDPLB_OUTCOMES(X)                                                                                              \
	X(FORWARDED, forwarded, TX, "sent to its server through the interface it came from")                           \
	X(REDIRECTED, redirected, REDIRECT, "sent to its server through another interface")                            \
	X(LOCAL, local, PASS, "for a server on this host: handed to its stack")                                        \
	X(ECHO_ANSWERED, echo_answered, TX, "an echo request, answered by the dispatcher")                             \
	X(RESET_SENT, reset_sent, TX, "answered with a TCP reset, as the port asks")                                   \
	X(NOT_IP, not_ip, PASS, "neither IPv4 nor IPv6, or more than two VLAN tags: left to the kernel")               \
	X(NOT_FOR_VIPA, not_for_vipa, PASS, "for another address: left to the kernel")                                 \
	X(FROM_VIPA, from_vipa, PASS,                                                                                  \
	  "a server's answer came back through the dispatcher: give the server a route "                               \
	  "of its own to the client; answers to probes of advisors count here, too")                                   \
	X(TRUNCATED, truncated, PASS,                                                                                  \
	  "the frame ends within its headers, or they contradict themselves: left to the "                             \
	  "kernel")                                                                                                    \
	X(OTHER_PROTOCOL, other_protocol, PASS, "for a VIPA, but not TCP, UDP or ICMP: left to the kernel")            \
	X(NO_PORT, no_port, PASS, "for a VIPA, at a port its cluster does not have: left to the kernel")               \
	X(NO_SERVER_PASSED, no_server_passed, PASS,                                                                    \
	  "the port has no server, and asks to leave its packets to the "                                              \
	  "kernel")                                                                                                    \
	X(NO_SERVER, no_server, DROP, "the port has no server that can take it")                                       \
	X(SERVER_GONE, server_gone, DROP, "its server went away this very moment")                                     \
	X(NO_EGRESS, no_egress, DROP, "the interface to its server is gone")                                           \
	X(STALE, stale, DROP, "belongs to no known connection, and the port asks to drop those")                       \
	X(FRAGMENT_UNPLACED, fragment_unplaced, DROP, "a later fragment whose first one did not come by")              \
	X(HEADERS_TOO_LONG, headers_too_long, DROP, "more IPv6 extension headers than are followed")                   \
	X(ICMP_UNPLACED, icmp_unplaced, DROP, "an ICMP message to a VIPA that concerns none of its flows")             \
	X(ECHO_OFF, echo_off, DROP, "an echo request to a cluster that does not answer them")                          \
	X(LOOP, loop, DROP, "came from the server it would go to, or from another dispatcher")                         \
	X(TTL_EXPIRED, ttl_expired, DROP, "its time to live, or hop limit, ran out")                                   \
	X(NO_HEADROOM, no_headroom, DROP, "no room to put its VLAN tag into the frame")

enum xdplb_outcome {
	XDPLB_CONTINUE = 0, /* the journey goes on */
#define XDPLB_OUTCOME_ENUM(NAME, name, VERDICT, meaning) XDPLB_OUTCOME_##NAME,
	XDPLB_OUTCOMES(XDPLB_OUTCOME_ENUM)
#undef XDPLB_OUTCOME_ENUM
		XDPLB_OUTCOME_COUNT, /* one past the last */
};

/* Value of `outcomes`, per CPU, by the port's index of `options`; 0 for packets of no port. */
struct xdplb_outcome_counters {
	__u64 packets[XDPLB_OUTCOME_COUNT]; /* by enum xdplb_outcome */
};
