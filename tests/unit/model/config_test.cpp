// SPDX-License-Identifier: GPL-2.0-only
#include "model/config.h"
#include "random_config.h"

#include <gtest/gtest.h>

#include <string>

namespace xdplb {
namespace {

IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }

ServerConfig server(std::string name, std::string_view address, unsigned weight = kDefaultWeight) {
  return ServerConfig{.name = std::move(name), .address = ip(address), .weight = weight, .family = {}};
}

// One cluster "web" with port 443 and the servers s1 and s2.
Config sample() {
  return Config{
      .interfaces = {},
      .secret = {},
      .clusters = {{.name = "web",
                    .addresses = {ip("192.0.2.10"), ip("2001:db8::10")},
                    .ports = {{.port = 443, .servers = {server("s1", "192.0.2.21"), server("s2", "2001:db8::22")}}}}}};
}

ClusterConfig cluster(std::string name, std::string_view address) {
  return ClusterConfig{.name = std::move(name), .addresses = {ip(address)}, .ports = {}};
}

void expect_refused(const Config& config, ErrorCode code, const std::string& message) {
  const auto checked = validate(config);
  ASSERT_FALSE(checked) << "accepted, expected: " << message;
  EXPECT_EQ(checked.error().message, message);
  EXPECT_EQ(checked.error().code, code);
}

TEST(CheckName, AcceptsLettersDigitsAndMarks) {
  for (const char* name :
       {"a", "Z9", "web-1_x.y", "192.0.2.21", "2001:db8::21", "::ffff:192.0.2.1", "0", "tcp1", "TCP"}) {
    EXPECT_TRUE(check_name(name, "server")) << name;
  }
}

TEST(CheckName, RefusesAnythingElse) {
  for (const char* name : {"", "-a", "_a", ".a", "a b", "a/b", "a\n", "\xC3\xA4", "tcp", "udp", ":", ":a", "a%b"}) {
    const auto checked = check_name(name, "the thing");
    ASSERT_FALSE(checked) << name;
    EXPECT_EQ(checked.error().code, ErrorCode::kInvalidConfig);
    EXPECT_TRUE(checked.error().message.starts_with("the thing: ")) << checked.error().message;
    EXPECT_EQ(checked.error().message.find('\n'), std::string::npos);
  }
}

TEST(CheckName, HasALimitOf63) {
  EXPECT_TRUE(check_name(std::string(63, 'a'), "server"));
  EXPECT_FALSE(check_name(std::string(64, 'a'), "server"));
}

TEST(CheckClusterName, NeverBeginsWithAColon) {
  EXPECT_TRUE(check_name("::5", "server"));
  EXPECT_FALSE(check_cluster_name("::5", "cluster"));
  EXPECT_TRUE(check_cluster_name("web", "cluster"));
  EXPECT_FALSE(check_cluster_name("we b", "cluster"));
}

TEST(PortPath, ReadsAndWrites) {
  EXPECT_EQ(PortPath::parse("web/443").value(), (PortPath{.cluster = "web", .port = 443}));
  EXPECT_EQ(PortPath::parse("web/443/tcp").value(), (PortPath{.cluster = "web", .port = 443}));
  const PortPath dns{.cluster = "a.b", .port = 53, .protocol = Protocol::kUdp};
  EXPECT_EQ(PortPath::parse("a.b/53/udp").value(), dns);
  EXPECT_EQ(dns.to_string(), "a.b/53/udp");
  EXPECT_EQ((PortPath{.cluster = "web", .port = 443}).to_string(), "web/443");
  EXPECT_EQ(PortPath::parse("web/0").value().port, 0);
  EXPECT_EQ(PortPath::parse("web/65535").value().port, 65535);
}

TEST(PortPath, RefusesOtherForms) {
  for (const char* text : {"", "web", "/443", "web/", "web/65536", "web/-1", "web/x", "web/443/", "web/443/sctp",
                           "web/443/tcp/s1", "w b/443", "tcp/443", "::5/443"}) {
    const auto path = PortPath::parse(text);
    ASSERT_FALSE(path) << text;
    EXPECT_EQ(path.error().code, ErrorCode::kUsage);
    EXPECT_NE(path.error().message.find(std::string("\"") + text + '"'), std::string::npos) << path.error().message;
  }
  EXPECT_EQ(PortPath::parse("web").error().message, "\"web\" is not of the form CLUSTER/PORT[/tcp|udp]");
}

TEST(ServerPath, ReadsAndWrites) {
  const ServerPath tcp{.port = {.cluster = "web", .port = 443}, .server = "s1"};
  const ServerPath udp{.port = {.cluster = "web", .port = 53, .protocol = Protocol::kUdp}, .server = "::5"};
  EXPECT_EQ(ServerPath::parse("web/443/s1").value(), tcp);
  EXPECT_EQ(ServerPath::parse("web/443/tcp/s1").value(), tcp);
  EXPECT_EQ(ServerPath::parse("web/53/udp/::5").value(), udp);
  EXPECT_EQ(tcp.to_string(), "web/443/s1");
  EXPECT_EQ(udp.to_string(), "web/53/udp/::5");
}

TEST(ServerPath, RefusesOtherForms) {
  for (const char* text : {"", "web", "web/443", "web/443/", "web/443/tcp", "web/53/udp", "web/53/udp/",
                           "web/53/sctp/s1", "web/53/udp/s1/x", "web/70000/s1", "web/443/s 1", "web/53/udp/udp"}) {
    const auto path = ServerPath::parse(text);
    ASSERT_FALSE(path) << text;
    EXPECT_EQ(path.error().code, ErrorCode::kUsage);
    EXPECT_NE(path.error().message.find(std::string("\"") + text + '"'), std::string::npos) << path.error().message;
  }
  EXPECT_EQ(ServerPath::parse("web/53/udp").error().message,
            "\"web/53/udp\" is not of the form CLUSTER/PORT[/tcp|udp]/SERVER");
}

TEST(Validate, AcceptsGoodConfigurations) {
  EXPECT_TRUE(validate(Config{}));
  EXPECT_TRUE(validate(sample()));
  testing::RandomConfig random(1);
  for (int i = 0; i < 300; ++i) {
    const auto checked = validate(random.make());
    ASSERT_TRUE(checked) << checked.error().message;
  }
}

TEST(Validate, RefusesBadInterfaces) {
  const auto with = [](std::vector<std::string> names) {
    return Config{.interfaces = std::move(names), .secret = {}, .clusters = {}};
  };
  EXPECT_TRUE(validate(with({"eth0", "br-lan.10@x"})));
  EXPECT_TRUE(validate(with({std::string(15, 'a')})));
  expect_refused(with({std::string(16, 'a')}), ErrorCode::kInvalidConfig,
                 "interface \"aaaaaaaaaaaaaaaa\": not a name an interface can have");
  expect_refused(with({""}), ErrorCode::kInvalidConfig, "interface \"\": not a name an interface can have");
  expect_refused(with({"a/b"}), ErrorCode::kInvalidConfig, "interface \"a/b\": not a name an interface can have");
  expect_refused(with({".."}), ErrorCode::kInvalidConfig, "interface \"..\": not a name an interface can have");
  expect_refused(with({"a b"}), ErrorCode::kInvalidConfig, "interface \"a b\": not a name an interface can have");
  expect_refused(with({"eth0", "eth1", "eth0"}), ErrorCode::kConflict, "interface eth0: listed twice");
}

TEST(Validate, RefusesBadClusters) {
  Config config = sample();
  config.clusters[0].name = "we b";
  expect_refused(config, ErrorCode::kInvalidConfig,
                 "cluster: name \"we b\" may only have letters, digits, '-', '_', '.' and ':'");
  config = sample();
  config.clusters[0].addresses.clear();
  expect_refused(config, ErrorCode::kInvalidConfig, "cluster web: needs at least one address");
  config = sample();
  config.clusters.push_back(cluster("web", "192.0.2.11"));
  expect_refused(config, ErrorCode::kConflict, "cluster web: defined twice");
}

TEST(Validate, RefusesAnAddressOfTwoClusters) {
  Config config = sample();
  config.clusters.push_back(cluster("mail", "2001:db8::10"));
  expect_refused(config, ErrorCode::kConflict, "cluster mail: address 2001:db8::10 already belongs to cluster web");
  config = sample();
  config.clusters[0].addresses.push_back(ip("192.0.2.10"));
  expect_refused(config, ErrorCode::kConflict, "cluster web: address 192.0.2.10 is listed twice");
}

TEST(Validate, RefusesAddressesThatCannotBeVipas) {
  const auto message_for = [](std::string_view address) {
    Config config = sample();
    config.clusters[0].addresses[0] = ip(address);
    const auto checked = validate(config);
    return checked ? std::string("accepted") : checked.error().message;
  };
  EXPECT_EQ(message_for("0.0.0.0"), "cluster web: 0.0.0.0 is the unspecified address and cannot be a VIPA");
  EXPECT_EQ(message_for("::"), "cluster web: :: is the unspecified address and cannot be a VIPA");
  EXPECT_EQ(message_for("127.0.0.2"), "cluster web: 127.0.0.2 is a loopback address and cannot be a VIPA");
  EXPECT_EQ(message_for("::1"), "cluster web: ::1 is a loopback address and cannot be a VIPA");
  EXPECT_EQ(message_for("224.0.0.1"), "cluster web: 224.0.0.1 is a multicast address and cannot be a VIPA");
  EXPECT_EQ(message_for("ff02::1"), "cluster web: ff02::1 is a multicast address and cannot be a VIPA");
  EXPECT_EQ(message_for("255.255.255.255"),
            "cluster web: 255.255.255.255 is the broadcast address and cannot be a VIPA");
  EXPECT_EQ(message_for("223.255.255.255"), "accepted");
}

TEST(Validate, RefusesAPortTwice) {
  Config config = sample();
  config.clusters[0].ports.push_back({.port = 443, .protocol = Protocol::kUdp, .servers = {}});
  EXPECT_TRUE(validate(config));
  config.clusters[0].ports.push_back({.port = 443, .protocol = Protocol::kUdp, .servers = {}});
  expect_refused(config, ErrorCode::kConflict, "port web/443/udp: defined twice");
}

TEST(Validate, ChecksServerWeights) {
  Config config = sample();
  config.clusters[0].ports[0].servers[0].weight = 100;
  config.clusters[0].ports[0].servers[1].weight = 0;
  EXPECT_TRUE(validate(config));
  config.clusters[0].ports[0].servers[0].weight = 101;
  expect_refused(config, ErrorCode::kInvalidConfig, "server web/443/s1: weight 101 is not in 0..100");
}

TEST(Validate, RefusesDuplicateServers) {
  Config config = sample();
  config.clusters[0].ports[0].servers.push_back(server("s1", "192.0.2.23"));
  expect_refused(config, ErrorCode::kConflict, "server web/443/s1: name is used twice");
  config = sample();
  config.clusters[0].ports[0].servers.push_back(server("s3", "192.0.2.21"));
  expect_refused(config, ErrorCode::kConflict, "server web/443/s3: address 192.0.2.21 already belongs to server s1");
}

TEST(Validate, AllowsAServerInSeveralPorts) {
  Config config = sample();
  config.clusters[0].ports.push_back({.port = 80, .servers = config.clusters[0].ports[0].servers});
  EXPECT_TRUE(validate(config));
}

TEST(Validate, RefusesBadServerNamesAndAddresses) {
  Config config = sample();
  config.clusters[0].ports[0].servers[0].name = "udp";
  expect_refused(config, ErrorCode::kInvalidConfig, "server of web/443: \"udp\" is a protocol, choose another name");
  config = sample();
  config.clusters[0].ports[0].servers[0].address = ip("127.0.0.1");
  expect_refused(config, ErrorCode::kInvalidConfig,
                 "server web/443/s1: 127.0.0.1 is a loopback address and cannot be a server's");
}

TEST(Validate, RefusesAServerThatIsAVipaOfAnyCluster) {
  Config config = sample();
  config.clusters[0].ports[0].servers[1].address = ip("2001:db8::10");
  expect_refused(config, ErrorCode::kInvalidConfig,
                 "server web/443/s2: 2001:db8::10 is a VIPA of cluster web, give an address of the server's own");
  config = sample();
  config.clusters.push_back(cluster("mail", "192.0.2.21"));
  expect_refused(config, ErrorCode::kInvalidConfig,
                 "server web/443/s1: 192.0.2.21 is a VIPA of cluster mail, give an address of the server's own");
}

TEST(Validate, AServerMayServeTheOtherFamily) {
  Config config = sample();
  config.clusters[0].addresses = {ip("192.0.2.10")};
  config.clusters[0].ports[0].servers = {server("s1", "2001:db8::22")};
  EXPECT_TRUE(validate(config));
  config.clusters[0].ports[0].servers[0].family = Family::kV6;
  EXPECT_TRUE(validate(config));
}

TEST(Validate, ChecksTagsOfServers) {
  Config config = sample();
  config.clusters[0].ports[0].servers[0].vlan = 4094;
  config.clusters[0].ports[0].servers[1].vlan = 0;
  EXPECT_TRUE(validate(config));
  config.clusters[0].ports[0].servers[0].vlan = 4095;
  expect_refused(config, ErrorCode::kInvalidConfig, "server web/443/s1: vlan 4095 is not in 0..4094");
}

MacAddress mac(std::uint8_t last) { return {{2, 0, 0, 0, 0, last}}; }

TEST(Validate, ChecksPeers) {
  Config config = sample();
  for (std::uint8_t i = 1; i <= 16; ++i) config.peers.push_back(mac(i));
  EXPECT_TRUE(validate(config));
  config.peers.push_back(mac(17));
  expect_refused(config, ErrorCode::kInvalidConfig, "peers: there are 17, at most 16 are possible");
  config.peers = {mac(1), mac(2), mac(1)};
  expect_refused(config, ErrorCode::kConflict, "peer 02:00:00:00:00:01: listed twice");
  config.peers = {MacAddress{{3, 0, 0, 0, 0, 1}}};
  expect_refused(config, ErrorCode::kInvalidConfig, "peer 03:00:00:00:00:01: not the MAC address of an interface");
  config.peers = {MacAddress{}};
  expect_refused(config, ErrorCode::kInvalidConfig, "peer 00:00:00:00:00:00: not the MAC address of an interface");
}

IpPrefix net(std::string_view text) { return IpPrefix::parse(text).value(); }

TEST(Validate, AcceptsNetworksInsteadOfAddresses) {
  Config config = sample();
  config.clusters[0].addresses.clear();
  config.clusters[0].prefixes = {net("0.0.0.0/0"), net("::/0"), net("198.51.100.0/31"), net("2001:db8::/127")};
  EXPECT_TRUE(validate(config));
}

TEST(Validate, RefusesWhatIsNoNetwork) {
  const auto message_for = [](std::string_view text) {
    Config config = sample();
    config.clusters[0].prefixes = {net(text)};
    const auto checked = validate(config);
    return checked ? std::string("accepted") : checked.error().message;
  };
  EXPECT_EQ(message_for("198.51.100.0/24"), "accepted");
  EXPECT_EQ(message_for("198.51.100.1/24"), "cluster web: 198.51.100.1/24 is not a network");
  EXPECT_EQ(message_for("198.51.100.1/32"), "cluster web: 198.51.100.1/32 is not a network");
  EXPECT_EQ(message_for("2001:db8::1/128"), "cluster web: 2001:db8::1/128 is not a network");
  EXPECT_EQ(message_for("127.0.0.0/8"), "cluster web: 127.0.0.0/8 cannot be routed to a dispatcher");
  EXPECT_EQ(message_for("224.0.0.0/4"), "cluster web: 224.0.0.0/4 cannot be routed to a dispatcher");
  EXPECT_EQ(message_for("ff00::/8"), "cluster web: ff00::/8 cannot be routed to a dispatcher");
}

TEST(Validate, RefusesANetworkOfTwoClusters) {
  Config config = sample();
  config.clusters[0].prefixes = {net("198.51.100.0/24")};
  config.clusters.push_back({.name = "mail", .prefixes = {net("198.51.100.0/25"), net("198.51.100.0/24")}});
  expect_refused(config, ErrorCode::kConflict, "cluster mail: network 198.51.100.0/24 already belongs to cluster web");
  config.clusters.pop_back();
  config.clusters[0].prefixes.push_back(net("198.51.100.0/24"));
  expect_refused(config, ErrorCode::kConflict, "cluster web: network 198.51.100.0/24 is listed twice");
}

TEST(Find, FindsByPathAndGivesNullForTheAbsent) {
  Config config = sample();
  config.clusters[0].ports.push_back({.port = 443, .protocol = Protocol::kUdp, .servers = {}});
  const PortPath port{.cluster = "web", .port = 443};
  EXPECT_EQ(find_cluster(config, "web"), &config.clusters[0]);
  EXPECT_EQ(find_port(config, port), &config.clusters[0].ports[0]);
  EXPECT_EQ(find_port(config, {.cluster = "web", .port = 443, .protocol = Protocol::kUdp}),
            &config.clusters[0].ports[1]);
  EXPECT_EQ(find_server(config, {.port = port, .server = "s2"}), &config.clusters[0].ports[0].servers[1]);
  EXPECT_EQ(find_cluster(config, "mail"), nullptr);
  EXPECT_EQ(find_port(config, {.cluster = "web", .port = 80}), nullptr);
  EXPECT_EQ(find_port(config, {.cluster = "mail", .port = 443}), nullptr);
  EXPECT_EQ(find_server(config, {.port = port, .server = "s3"}), nullptr);
  EXPECT_EQ(find_server(config, {.port = {.cluster = "mail", .port = 1}, .server = "s1"}), nullptr);
  const Config& constant = config;
  EXPECT_EQ(find_cluster(constant, "web"), &config.clusters[0]);
  EXPECT_EQ(find_port(constant, port), &config.clusters[0].ports[0]);
  EXPECT_EQ(find_server(constant, {.port = port, .server = "s1"}), &config.clusters[0].ports[0].servers[0]);
}

}  // namespace
}  // namespace xdplb
