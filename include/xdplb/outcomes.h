/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every way a packet's journey through the program can end: X(NAME, name, VERDICT, meaning). Counters, `xdplb drops`,
 * docs and tests are made from this list. FORWARDED is counted by its server (struct xdplb_counters), every other
 * outcome in the per-CPU map `outcomes` at its number, REDIRECTED in both.
 */
#pragma once

#define XDPLB_OUTCOMES(X)                                                                                              \
	X(FORWARDED, forwarded, TX, "sent to its server through the interface it came from")                           \
	X(REDIRECTED, redirected, REDIRECT, "sent to its server through another interface")                            \
	X(NOT_IP, not_ip, PASS, "neither IPv4 nor IPv6, or more than two VLAN tags: left to the kernel")               \
	X(NOT_FOR_VIPA, not_for_vipa, PASS, "for another address: left to the kernel")                                 \
	X(FROM_VIPA, from_vipa, PASS,                                                                                  \
	  "a server's answer came back through the dispatcher: give the server a route "                               \
	  "of its own to the client")                                                                                  \
	X(TRUNCATED, truncated, PASS, "the frame ends within its headers: left to the kernel")                         \
	X(FRAGMENT, fragment, PASS, "a fragment for a VIPA: left to the kernel")                                       \
	X(EXTENSION_HEADER, extension_header, PASS, "IPv6 extension headers for a VIPA: left to the kernel")           \
	X(OTHER_PROTOCOL, other_protocol, PASS, "for a VIPA, neither TCP nor UDP: left to the kernel")                 \
	X(NO_PORT, no_port, PASS, "for a VIPA, at a port its cluster does not have: left to the kernel")               \
	X(NO_SERVER, no_server, DROP, "the port has no server that can take it")                                       \
	X(SERVER_GONE, server_gone, DROP, "its server went away this very moment")                                     \
	X(NO_EGRESS, no_egress, DROP, "the interface to its server is gone")

enum xdplb_outcome {
	XDPLB_CONTINUE = 0, /* the journey goes on */
#define XDPLB_OUTCOME_ENUM(NAME, name, VERDICT, meaning) XDPLB_OUTCOME_##NAME,
	XDPLB_OUTCOMES(XDPLB_OUTCOME_ENUM)
#undef XDPLB_OUTCOME_ENUM
		XDPLB_OUTCOME_COUNT, /* one past the last */
};
