/* SPDX-License-Identifier: GPL-2.0-only */
/* Destination -> line of `ports`. */
#pragma once

/* Spread the bits of an IPv6 address over the word that is multiplied; any odd numbers do (2^64 / phi and a relative). */
#define KEY_MIX_1 0x9e3779b97f4a7c15ULL
#define KEY_MIX_2 0xc2b2ae3d27d4eb4fULL

/* A line whose first word matches an IPv4 key has an IPv4 address, and then its other two words are 0. */
static __always_inline bool has_rest_of(const struct xdplb_port *line, const struct key_words *key, bool is_ipv6)
{
	const __u64 *word = (const __u64 *)&line->key;

	return !is_ipv6 || (word[1] == key->word[1] && word[2] == key->word[2]);
}

static __always_inline struct xdplb_port *line_at(__u64 half, __u64 hash)
{
	__u64 slot = hash >> (64 - XDPLB_PORT_SLOT_BITS);

	/* An ADD that the compiler cannot make an OR: the verifier of Linux 6.1 keeps no bounds of an OR of two variables. */
	asm("%0 += %1" : "+r"(slot) : "r"(half));
	return &tables.ports[slot];
}

/*
 * A key lies in one of two slots of the active half; user space chose multiplier and places so (cuckoo hashing), most
 * keys in the first. Returns NULL when the destination is none of ours.
 */
static __always_inline struct xdplb_port *find_line(const struct key_words *key, bool is_ipv6)
{
	__u64 selector = *(volatile __u64 *)&tables.settings.port_selector;
	__u64 half = selector & XDPLB_SELECTOR_HALF;
	struct xdplb_port *line;
	__u64 mixed = key->word[0];

	if (is_ipv6)
		mixed ^= key->word[1] * KEY_MIX_1 ^ key->word[2] * KEY_MIX_2;
	line = line_at(half, mixed * selector);
	leave_if(*(const __u64 *)&line->key, !=, key->word[0], second_place);
	if (unlikely(!has_rest_of(line, key, is_ipv6)))
		goto second_place;
found:
	return line;
second_place:
	line = line_at(half, (mixed ^ mixed >> 32) * selector);
	if (unlikely(*(const __u64 *)&line->key == key->word[0]) && has_rest_of(line, key, is_ipv6))
		goto found;
	return NULL;
}

/* The key of a port at an address whose own key is known. */
static __always_inline struct key_words key_of(const struct key_words *address, __u8 protocol, __u16 port)
{
	struct key_words key = *address;

	key.word[0] |= (__u32)protocol << 16 | bpf_htons(port);
	return key;
}
