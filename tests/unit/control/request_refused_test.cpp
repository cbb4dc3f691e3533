// SPDX-License-Identifier: GPL-2.0-only
// Calls of the API that are refused, with the code and what the message names.
#include "control/request_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace xdplb {
namespace {

using testing::HasSubstr;

struct Refusal {
  const char* method;
  const char* target;
  const char* body;
  ErrorCode code;
  const char* text;
};

class Refused : public testing::TestWithParam<Refusal> {};

TEST_P(Refused, WithItsCodeAndTheName) {
  const Refusal& entry = GetParam();
  const auto request = decode_request(entry.method, entry.target, entry.body);
  ASSERT_FALSE(request) << entry.method << " " << entry.target << " " << entry.body;
  EXPECT_EQ(request.error().code, entry.code) << request.error().message;
  EXPECT_THAT(request.error().message, HasSubstr(entry.text));
  EXPECT_EQ(request.error().message.find('\n'), std::string::npos);
}

constexpr auto kUsage = ErrorCode::kUsage;
constexpr auto kInvalid = ErrorCode::kInvalidConfig;
INSTANTIATE_TEST_SUITE_P(
    Targets, Refused,
    testing::Values(
        Refusal{"GET", "/v1/nothing", "", ErrorCode::kNotFound, "/v1/nothing"},
        Refusal{"GET", "/v1/status?x=1", "", kUsage, "\"x\""}, Refusal{"GET", "/v1/status?=1", "", kUsage, "\"\""},
        Refusal{"BREW", "/v1/status", "", kUsage, "BREW /v1/status: the verbs here are GET"},
        Refusal{"get", "/v1/status", "", kUsage, "GET"}, Refusal{"GET", "/v1/status", "{}", kUsage, "takes no body"},
        Refusal{"GET", "/v1/%zz", "", kUsage, "hexadecimal"},
        Refusal{"GET", "/v1/ports?path=web/443&path=web/80", "", kUsage, "path is given twice"},
        Refusal{"GET", "/v1/ports?path=web/443&cluster=web", "", kUsage, "either"},
        Refusal{"GET", "/v1/servers?path=web/443/s1&port=web/443", "", kUsage, "either"},
        Refusal{"GET", "/v1/ports?path=web/70000", "", kUsage, "70000"},
        Refusal{"DELETE", "/v1/ports", "", kUsage, "path="},
        Refusal{"DELETE", "/v1/servers?path=web/443", "", kUsage, "web/443"},
        Refusal{"DELETE", "/v1/interfaces?name=a%20b", "", kUsage, "a b"},
        Refusal{"DELETE", "/v1/interfaces?name=eth0&name=eth0", "", kUsage, "twice"},
        Refusal{"DELETE", "/v1/interfaces?name=", "", kUsage, "interface"},
        Refusal{"GET", "/v1/explain?source=192.0.2.1:1", "", kUsage, "destination"},
        Refusal{"GET", "/v1/explain?source=x&destination=192.0.2.1:1", "", kUsage, "x"},
        Refusal{"GET", "/v1/explain?source=192.0.2.1:1&destination=[2001:db8::1]:1", "", kUsage, "IPv6"},
        Refusal{"GET", "/v1/explain?source=192.0.2.1:1&destination=192.0.2.1:1&protocol=sctp", "", kUsage, "sctp"},
        Refusal{"PUT", "/v1/config?dry_run=yes", "{}", kUsage, "dry_run"},
        Refusal{"GET", "/v1/flows?limit=100001", "", kUsage, "0..100000"},
        Refusal{"GET", "/v1/flows?limit=-1", "", kUsage, "limit"},
        Refusal{"GET", "/v1/flows?port=web/443&server=web/443/s1", "", kUsage, "either"},
        Refusal{"GET", "/v1/flows?port=web/443/s1", "", kUsage, "web/443/s1"},
        Refusal{"GET", "/v1/flows?server=web/443", "", kUsage, "web/443"},
        Refusal{"GET", "/v1/events?after=x", "", kUsage, "after"},
        Refusal{"GET", "/v1/events?after=", "", kUsage, "after"},
        Refusal{"GET", "/v1/events?after=-1", "", kUsage, "after"},
        Refusal{"GET", "/v1/events?after=18446744073709551616", "", kUsage, "after"},
        Refusal{"GET", "/v1/settings", "", kUsage, "PATCH"},
        Refusal{"PATCH", "/v1/ports", R"({"sticky": 1})", kUsage, "path="},
        Refusal{"PUT", "/v1/servers/admin", R"({"admin": "down"})", kUsage, "path="}));

INSTANTIATE_TEST_SUITE_P(
    Bodies, Refused,
    testing::Values(
        Refusal{"POST", "/v1/interfaces", "", kInvalid, "request body"},
        Refusal{"POST", "/v1/interfaces", "[]", kInvalid, "not an object"},
        Refusal{"POST", "/v1/interfaces", "{\"interfaces\": [\"eth0\"]", kInvalid, "line 1"},
        Refusal{"POST", "/v1/interfaces", "{}", kInvalid, "interfaces"},
        Refusal{"POST", "/v1/interfaces", R"({"interfaces": []})", kInvalid, "empty"},
        Refusal{"POST", "/v1/interfaces", R"({"interfaces": "eth0"})", kInvalid, "list"},
        Refusal{"POST", "/v1/interfaces", R"({"interfaces": [1]})", kInvalid, "string"},
        Refusal{"POST", "/v1/interfaces", R"({"interfaces": ["eth0", "eth0"]})", kUsage, "twice"},
        Refusal{"POST", "/v1/interfaces", R"({"interfaces": ["../x"]})", kUsage, "../x"},
        Refusal{"POST", "/v1/interfaces", R"({"interfaces": ["eth0"], "mode": "fast"})", kInvalid, "fast"},
        Refusal{"POST", "/v1/interfaces", R"({"interfaces": ["eth0"], "mode": 1})", kInvalid, "mode"},
        Refusal{"POST", "/v1/interfaces", R"({"interfaces": ["eth0"], "chain": 1})", kInvalid, "chain"},
        Refusal{"POST", "/v1/interfaces", R"({"interfaces": ["eth0"], "chian": true})", kInvalid, "chian"},
        Refusal{"POST", "/v1/clusters", R"({"name": "web", "adresses": []})", kInvalid, "adresses"},
        Refusal{"POST", "/v1/clusters", R"({"name": "web", "name": "web"})", kInvalid, "name"},
        Refusal{"PATCH", "/v1/clusters/web", R"({})", kInvalid, "addresses, echo: at least one"},
        Refusal{"PATCH", "/v1/clusters/web", R"({"echo": "on"})", kInvalid, "on"},
        Refusal{"PATCH", "/v1/clusters/web", R"({"echo": 1})", kInvalid, "echo"},
        Refusal{"PATCH", "/v1/clusters/web", R"({"addresses": ["192.0.2.1/24"]})", kInvalid, "192.0.2.0/24"},
        Refusal{"PATCH", "/v1/ports?path=web/443", "{}", kInvalid, "at least one"},
        Refusal{"PATCH", "/v1/ports?path=web/443", R"({"port": 80})", kInvalid, "port.port: unknown key"},
        Refusal{"PATCH", "/v1/ports?path=web/443", R"({"sticky": "1 day"})", kInvalid, "port.sticky: \"1 day\""},
        Refusal{"PATCH", "/v1/ports?path=web/443", R"({"crossport": null})", kInvalid, "port.crossport"},
        Refusal{"PUT", "/v1/servers/admin?path=web/80/s1", "{}", kInvalid, "admin: is missing"},
        Refusal{"PUT", "/v1/servers/admin?path=web/80/s1", R"({"admin": "up"})", kInvalid, "drain-now"},
        Refusal{"PUT", "/v1/servers/admin?path=web/80/s1", R"({"admin": "drain", "x": 1})", kInvalid, "x"},
        Refusal{"PUT", "/v1/servers/admin?path=web/80/s1", R"({"admin": "down", "deadline_s": 1})", kInvalid,
                "not with down"},
        Refusal{"PUT", "/v1/servers/admin?path=web/80/s1", R"({"admin": "ready", "deadline_s": 1})", kInvalid,
                "not with ready"},
        Refusal{"PUT", "/v1/servers/admin?path=web/80/s1", R"({"admin": "drain", "deadline_s": 0})", kInvalid,
                "from 1 to 43200"},
        Refusal{"PUT", "/v1/servers/admin?path=web/80/s1", R"({"admin": "drain", "deadline_s": 43201})", kInvalid,
                "from 1 to 43200"},
        Refusal{"PUT", "/v1/servers/admin?path=web/80/s1", R"({"admin": "drain", "deadline_s": "60s"})", kInvalid,
                "deadline_s"},
        Refusal{"PATCH", "/v1/settings", "{}", kInvalid, "at least one"},
        Refusal{"PATCH", "/v1/settings", R"({"peers": "02:00:00:00:00:01"})", kInvalid, "list"},
        Refusal{"PATCH", "/v1/settings", R"({"peers": [1]})", kInvalid, "string"},
        Refusal{"PATCH", "/v1/settings", R"({"peers": ["02:00"]})", kInvalid, "02:00"},
        Refusal{"PATCH", "/v1/settings", R"({"decrement_ttl": "on"})", kInvalid, "true or false"},
        Refusal{"PATCH", "/v1/settings", R"({"secret": "x"})", kInvalid, "secret"},
        Refusal{"PATCH", "/v1/servers?path=web/80/s1", R"({"vlan": 0})", kInvalid, "1 to 4094"},
        Refusal{"PATCH", "/v1/servers?path=web/80/s1", R"({"vlan": 4095})", kInvalid, "1 to 4094"},
        Refusal{"PATCH", "/v1/servers?path=web/80/s1", R"({"vlan": null})", kInvalid, "1 to 4094"},
        Refusal{"PATCH", "/v1/servers?path=web/80/s1", R"({"vlan": "all"})", kInvalid, "all"},
        Refusal{"PATCH", "/v1/clusters/web", R"({"addresses": []})", kInvalid, "empty"},
        Refusal{"PATCH", "/v1/clusters/web", R"({"addresses": ["192.0.2.300"]})", kInvalid, "192.0.2.300"},
        Refusal{"PATCH", "/v1/clusters/web", R"({"addresses": ["192.0.2.1"], "name": "x"})", kInvalid, "name"},
        Refusal{"POST", "/v1/ports", R"({"port": 443})", kInvalid, "cluster"},
        Refusal{"POST", "/v1/ports", R"({"cluster": "web", "port": 65536})", kInvalid, "65536"},
        Refusal{"POST", "/v1/servers", R"({"address": "192.0.2.21"})", kInvalid, "port"},
        Refusal{"POST", "/v1/servers", R"({"port": "web", "address": "192.0.2.21"})", kInvalid, "web"},
        Refusal{"POST", "/v1/servers", R"({"port": "web/80", "address": "192.0.2.21", "weight": 101})", kInvalid,
                "101"},
        Refusal{"PATCH", "/v1/servers?path=web/80/s1", R"({})", kInvalid, "weight"},
        Refusal{"PATCH", "/v1/servers?path=web/80/s1", R"({"weight": 101})", kInvalid, "0 to 100"},
        Refusal{"PATCH", "/v1/servers?path=web/80/s1", R"({"weight": -1})", kInvalid, "0 to 100"},
        Refusal{"PATCH", "/v1/servers?path=web/80/s1", R"({"weight": 1.5})", kInvalid, "0 to 100"},
        Refusal{"PATCH", "/v1/servers?path=web/80/s1", R"({"weight": "1"})", kInvalid, "0 to 100"},
        Refusal{"PATCH", "/v1/servers?path=web/80/s1", R"({"address": "x"})", kInvalid, "x"},
        Refusal{"PATCH", "/v1/servers?path=web/80/s1", R"({"name": "x"})", kInvalid, "name"},
        Refusal{"PATCH", "/v1/servers", R"({"weight": 1})", kUsage, "path="},
        Refusal{"PUT", "/v1/config", R"({"clusterz": []})", kInvalid, "clusterz"},
        Refusal{
            "PUT", "/v1/config",
            R"({"clusters": [{"name": "a", "addresses": ["192.0.2.1"]}, {"name": "a", "addresses": ["192.0.2.2"]}]})",
            kInvalid, "a"},
        Refusal{"POST", "/v1/config/diff", "null", kInvalid, "not an object"}));

INSTANTIATE_TEST_SUITE_P(
    Vipas, Refused,
    testing::Values(
        Refusal{"GET", "/v1/vipas/eth0", "", kUsage, "vipa: address \"eth0\""},
        Refusal{"GET", "/v1/vipas/192.0.2.300", "", kUsage, "192.0.2.300"},
        Refusal{"GET", "/v1/vipas/192.0.2.0%2F24", "", kUsage, "192.0.2.0/24"},
        Refusal{"GET", "/v1/vipas/", "", ErrorCode::kNotFound, "/v1/vipas/"},
        Refusal{"GET", "/v1/vipas?address=192.0.2.7", "", kUsage, "address"},
        Refusal{"POST", "/v1/vipas", "{}", kUsage, "the verbs here are GET"},
        Refusal{"PATCH", "/v1/vipas/x", "{}", kUsage, "vipa: address \"x\""},
        Refusal{"PATCH", "/v1/vipas/192.0.2.7", "", kInvalid, "request body"},
        Refusal{"PATCH", "/v1/vipas/192.0.2.7", R"({"address": "192.0.2.8"})", kInvalid, "vipa.address: unknown key"},
        Refusal{"PATCH", "/v1/vipas/192.0.2.7", R"({"prefer": []})", kInvalid, "vipa.prefer: unknown key"},
        Refusal{"PATCH", "/v1/vipas/192.0.2.7", R"({"preferred": null})", kInvalid,
                "vipa.preferred: expected an array"},
        Refusal{"PATCH", "/v1/vipas/192.0.2.7", R"({"preferred": ["a b"]})", kInvalid, "vipa.preferred[0]: \"a b\""},
        Refusal{"PATCH", "/v1/vipas/192.0.2.7", R"({"refresh": 1})", kInvalid, "vipa.refresh: 1"},
        Refusal{"PATCH", "/v1/vipas/192.0.2.7", R"({"hold": 3601})", kInvalid, "vipa.hold: 3601"},
        Refusal{"DELETE", "/v1/vipas/x", "", kUsage, "\"x\""},
        Refusal{"DELETE", "/v1/vipas/192.0.2.7", "{}", kUsage, "takes no body"},
        Refusal{"PUT", "/v1/vipas/x/owner", R"({"entry": "eth0"})", kUsage, "\"x\""},
        Refusal{"PUT", "/v1/vipas/192.0.2.7/owner", "{}", kInvalid, "entry: is missing"},
        Refusal{"PUT", "/v1/vipas/192.0.2.7/owner", R"({"entry": 1})", kInvalid, "entry: is not a string"},
        Refusal{"PUT", "/v1/vipas/192.0.2.7/owner", R"({"entry": "a/b"})", kInvalid, "entry: \"a/b\""},
        Refusal{"PUT", "/v1/vipas/192.0.2.7/owner", R"({"entry": "eth0", "force": true})", kInvalid, "force"},
        Refusal{"DELETE", "/v1/vipas/x/owner", "", kUsage, "\"x\""},
        Refusal{"PUT", "/v1/vipas/x/admin", R"({"admin": "enabled"})", kUsage, "\"x\""},
        Refusal{"PUT", "/v1/vipas/192.0.2.7/admin", R"({"admin": "off"})", kInvalid, "neither disabled nor enabled"},
        Refusal{"PUT", "/v1/vipas/192.0.2.7/admin", R"({"admin": true})", kInvalid, "admin: is not a string"},
        Refusal{"PUT", "/v1/vipas/192.0.2.7/admin", "{}", kInvalid, "admin: is missing"},
        Refusal{"PUT", "/v1/interfaces/eth0/admin", R"({"admin": "down"})", kInvalid, "neither disabled nor enabled"},
        Refusal{"PUT", "/v1/interfaces/a%20b/admin", R"({"admin": "disabled"})", kUsage, "interface \"a b\""},
        Refusal{"PUT", "/v1/interfaces/abcdefghijklmnop/admin", R"({"admin": "disabled"})", kUsage, "abcdefghijklmnop"},
        Refusal{"PATCH", "/v1/settings", R"({"fix_host": 1})", kInvalid, "fix_host: is not true or false"},
        Refusal{"PATCH", "/v1/settings", R"({"health": {}})", kInvalid, "at least one"},
        Refusal{"PATCH", "/v1/settings", R"({"health": []})", kInvalid, "health: expected an object"},
        Refusal{"PATCH", "/v1/settings", R"({"health": {"reach_missed": 0}})", kInvalid, "health.reach_missed: 0"},
        Refusal{"PATCH", "/v1/settings", R"({"reach_missed": 3})", kInvalid, "reach_missed: unknown key"},
        Refusal{"POST", "/v1/interfaces", R"({"interfaces": ["eth0"], "fix_host": "on"})", kInvalid, "fix_host"},
        Refusal{"POST", "/v1/servers", R"({"port": "web/80", "addresses": []})", kInvalid, "server.addresses"},
        Refusal{"PATCH", "/v1/servers?path=web/80/s1", R"({"addresses": []})", kInvalid, "empty"},
        Refusal{"PATCH", "/v1/servers?path=web/80/s1", R"({"addresses": ["192.0.2.4", "x"]})", kInvalid, "\"x\""},
        Refusal{"PATCH", "/v1/servers?path=web/80/s1", R"({"addresses": ["192.0.2.4"], "address": "192.0.2.4"})",
                kInvalid, "say either"}));

INSTANTIATE_TEST_SUITE_P(
    Advisors, Refused,
    testing::Values(
        Refusal{"GET", "/v1/advisors?port=web/443&server=web/443/s1", "", kUsage, "either"},
        Refusal{"GET", "/v1/advisors?port=web", "", kUsage, "web"},
        Refusal{"GET", "/v1/advisors?server=web/443", "", kUsage, "web/443"},
        Refusal{"GET", "/v1/advisors?path=web/443", "", kUsage, "\"path\""},
        Refusal{"GET", "/v1/advisors?port=web/443", "{}", kUsage, "takes no body"},
        Refusal{"GET", "/v1/advisors/run?server=web/443/s1", "", kUsage, "the verbs here are POST"},
        Refusal{"PUT", "/v1/advisors", R"({"type": "connect"})", kUsage, "port= is missing"},
        Refusal{"PUT", "/v1/advisors?port=web/443", "{}", kInvalid, "type"},
        Refusal{"PUT", "/v1/advisors?port=web/443", R"({"type": "smoke"})", kInvalid, "advisor.type"},
        Refusal{"PUT", "/v1/advisors?port=web/443", R"({"type": "connect", "body": "x"})", kInvalid, "advisor.body"},
        Refusal{"PUT", "/v1/advisors?port=web/443", R"({"type": "connect", "fall": 0})", kInvalid, "advisor.fall"},
        Refusal{"PUT", "/v1/advisors?port=web/443", R"({"type": "connect", "type": "ping"})", kInvalid, "type"},
        Refusal{"PATCH", "/v1/advisors", R"({"fall": 5})", kUsage, "port= is missing"},
        Refusal{"PATCH", "/v1/advisors?port=web/443", "{}", kInvalid, "at least one key"},
        Refusal{"PATCH", "/v1/advisors?port=web/443", "[]", kInvalid, "not an object"},
        Refusal{"DELETE", "/v1/advisors", "", kUsage, "port= is missing"},
        Refusal{"POST", "/v1/advisors/run?server=web/443", "{}", kUsage, "web/443"},
        Refusal{"POST", "/v1/advisors/run?server=web/443/s1", "", kInvalid, "request body"},
        Refusal{"POST", "/v1/advisors/run?server=web/443/s1", R"({"fall": 1})", kInvalid, "fall: unknown key"},
        Refusal{"POST", "/v1/advisors/run", "{}", kUsage, "server= is missing"},
        Refusal{"GET", "/v1/managers?cluster=a&cluster=b", "", kUsage, "cluster is given twice"},
        Refusal{"PATCH", "/v1/managers", "{}", kInvalid, "at least one key"},
        Refusal{"PATCH", "/v1/managers", R"({"enabled": "on"})", kInvalid, "manager.enabled"},
        Refusal{"PATCH", "/v1/managers", R"({"proportions": [50, 50, 1, 0]})", kInvalid, "manager.proportions"},
        Refusal{"PATCH", "/v1/managers", R"({"proportions": [50, 50]})", kInvalid, "manager.proportions"},
        Refusal{"PATCH", "/v1/managers", R"({"smoothing": 0.5})", kInvalid, "manager.smoothing"},
        Refusal{"PATCH", "/v1/managers", R"({"weight_bound": 101})", kInvalid, "manager.weight_bound"},
        Refusal{"PATCH", "/v1/managers", R"({"speed": 1})", kInvalid, "manager.speed"},
        Refusal{"POST", "/v1/exits", "{}", kUsage, "the verbs here are GET"},
        Refusal{"PATCH", "/v1/settings", R"({"guard": "on"})", kInvalid, "guard: is not true or false"},
        Refusal{"PATCH", "/v1/ports?path=web/443", R"({"min_up": 0})", kInvalid, "port.min_up"},
        Refusal{"PATCH", "/v1/ports?path=web/443", R"({"min_up": "101%"})", kInvalid, "port.min_up"},
        Refusal{"PATCH", "/v1/ports?path=web/443", R"({"on_all_down": "stay"})", kInvalid, "port.on_all_down"},
        Refusal{"PATCH", "/v1/ports?path=web/443", R"({"slow_start": 43201})", kInvalid, "port.slow_start"},
        Refusal{"PATCH", "/v1/ports?path=web/443", R"({"advisor": {"type": "connect"}})", kInvalid, "port.advisor"}));

INSTANTIATE_TEST_SUITE_P(
    Standing, Refused,
    testing::Values(Refusal{"PATCH", "/v1/servers?path=web/80/s1", R"({"tier": 4})", kInvalid,
                            "tier: is not a whole number from 0"},
                    Refusal{"PATCH", "/v1/servers?path=web/80/s1", R"({"tier": "1"})", kInvalid, "tier"},
                    Refusal{"PATCH", "/v1/servers?path=web/80/s1", R"({"fixed_weight": 1})", kInvalid, "fixed_weight"},
                    Refusal{"PATCH", "/v1/servers?path=web/80/s1", R"({"admin": "up"})", kInvalid, "admin"},
                    Refusal{"PUT", "/v1/servers/admin?path=web/80/s1", R"({"admin": "drain", "source": "agent"})",
                            kInvalid, "source: \"agent\" is neither operator nor hook"},
                    Refusal{"PUT", "/v1/servers/admin?path=web/80/s1", R"({"admin": "drain", "source": 1})", kInvalid,
                            "source"},
                    Refusal{"PUT", "/v1/servers/admin?path=web/80/s1", R"({"admin": "down", "daily": [2, 5]})",
                            kInvalid, "daily: goes with drain"},
                    Refusal{"PUT", "/v1/servers/admin?path=web/80/s1", R"({"admin": "drain", "daily": [2, 24]})",
                            kInvalid, "from 0 to 23"},
                    Refusal{"PUT", "/v1/servers/admin?path=web/80/s1", R"({"admin": "drain", "daily": [2]})", kInvalid,
                            "two hours"},
                    Refusal{"PUT", "/v1/servers/admin?path=web/80/s1", R"({"admin": "drain", "daily": "2-5"})",
                            kInvalid, "two hours"}));

}  // namespace
}  // namespace xdplb
