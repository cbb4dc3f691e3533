/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a textbook balancer does: look the service up in a hash map, the flow in an LRU map of every flow, the server in
 * an array; count; write the MAC addresses. A flow that is not there is placed by a ring and put there. IPv4 and TCP
 * alone, no VLAN tags, no counters but one: whatever it leaves out makes it faster.
 */
#pragma once

struct lru_service_key {
	__be32 address;
	__be16 port;
	__u16 protocol;
};

struct lru_service {
	__u32 ring_mask;
};

struct lru_flow_key {
	__be32 client;
	__be32 vipa;
	__u32 ports;
};

struct lru_counters {
	__u64 packets;
	__u64 bytes;
};

#define LRU_RING 65536

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct lru_service_key);
	__type(value, struct lru_service);
} lru_services SEC(".maps");

/* Two sizes: user space sets the larger one before the load. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 131072);
	__type(key, struct lru_flow_key);
	__type(value, __u32);
} lru_small SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 2097152);
	__type(key, struct lru_flow_key);
	__type(value, __u32);
} lru_large SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, LRU_RING);
	__type(key, __u32);
	__type(value, __u64);
} lru_ring SEC(".maps");

/* As struct xdplb_server: the MAC address in the high 48 bits. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, __u64);
} lru_servers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, struct lru_counters);
} lru_counters SEC(".maps");

static __always_inline __u32 lru_place(void *flows, const struct lru_flow_key *key, const struct lru_service *service)
{
	__u64 hash = ((__u64)key->client << 32 | key->ports) * KEY_MIX_1;
	__u32 place = hash >> 40 & service->ring_mask, server;
	__u64 *owner = bpf_map_lookup_elem(&lru_ring, &place);

	if (!owner)
		return 0;
	server = *owner;
	bpf_map_update_elem(flows, key, &server, BPF_ANY);
	return server;
}

static __always_inline int lru_forward(struct xdp_md *ctx, void *flows)
{
	void *data_end = (void *)(long)ctx->data_end;
	void *data = (void *)(long)ctx->data;
	struct iphdr *ip = data + sizeof(struct ethhdr);
	__u32 *ports = (__u32 *)(ip + 1);
	struct lru_service_key service_key = {};
	struct lru_flow_key key;
	struct lru_counters *counter;
	struct lru_service *service;
	__u32 *found, server;
	__u64 *way;

	if ((void *)ports + sizeof(struct tcphdr) > data_end)
		return XDP_PASS;
	if (*(__be16 *)(data + 12) != bpf_htons(ETH_P_IP) || *(__u8 *)ip != IPV4_PLAIN ||
	    ip->frag_off & bpf_htons(0x3fff) || ip->protocol != IPPROTO_TCP)
		return XDP_PASS;
	service_key.address = ip->daddr;
	service_key.port = *ports >> 16;
	service_key.protocol = IPPROTO_TCP;
	service = bpf_map_lookup_elem(&lru_services, &service_key);
	if (!service)
		return XDP_PASS;
	key = (struct lru_flow_key){ .client = ip->saddr, .vipa = ip->daddr, .ports = *ports };
	found = bpf_map_lookup_elem(flows, &key);
	server = found ? *found : lru_place(flows, &key, service);
	way = bpf_map_lookup_elem(&lru_servers, &server);
	counter = bpf_map_lookup_elem(&lru_counters, &server);
	if (!way || !counter)
		return XDP_DROP;
	counter->packets++;
	counter->bytes += data_end - data;
	*(__u64 *)data = *way >> 16 | 0x0002ULL << 48;
	*(__u32 *)(data + 8) = 0x10000000;
	return XDP_TX;
}
