// SPDX-License-Identifier: GPL-2.0-only
#include "cli/commands.h"
#include "cli/print.h"

#include <gtest/gtest.h>

#include <array>
#include <nlohmann/json.hpp>
#include <sstream>

namespace xdplb {
namespace {

using nlohmann::json;

const json kReport = json::parse(R"({"ok": false, "checks": [
  {"code": "kernel", "object": "", "verdict": "ok", "text": "Linux 6.1.0", "remedy": ""},
  {"code": "mtu", "object": "eth0", "verdict": "warn", "text": "9000", "remedy": "ip link set dev eth0 mtu 1500"},
  {"code": "bpffs", "object": "", "verdict": "fail", "text": "none", "remedy": "mount -t bpf bpf /sys/fs/bpf"}]})");

std::string printed(const json& report, bool hides_good, bool has_colour = false) {
  std::ostringstream out;
  print_doctor({.out = out, .has_colour = has_colour}, report, hides_good);
  return out.str();
}

TEST(PrintDoctor, WorstFirstWithTheRemedyBeneath) {
  EXPECT_EQ(printed(kReport, false),
            "FAIL bpffs: none\n"
            "        mount -t bpf bpf /sys/fs/bpf\n"
            "warn mtu eth0: 9000\n"
            "        ip link set dev eth0 mtu 1500\n"
            "ok   kernel: Linux 6.1.0\n"
            "1 failed, 1 warned, 1 ok\n");
}

TEST(PrintDoctor, QuietShowsOnlyWhatIsNotOk) {
  EXPECT_EQ(printed(kReport, true),
            "FAIL bpffs: none\n"
            "        mount -t bpf bpf /sys/fs/bpf\n"
            "warn mtu eth0: 9000\n"
            "        ip link set dev eth0 mtu 1500\n");
}

TEST(PrintDoctor, ColoursOnlyTheVerdict) {
  const auto text = printed(kReport, true, true);
  EXPECT_NE(text.find("\x1b["), std::string::npos);
  EXPECT_NE(text.find(" bpffs: none\n"), std::string::npos);
  EXPECT_EQ(printed(kReport, false).find('\x1b'), std::string::npos);
}

TEST(PrintDoctor, ADocumentThatIsNoneIsNoFailure) {
  EXPECT_EQ(printed(json::object(), false), "0 failed, 0 warned, 0 ok\n");
  EXPECT_EQ(printed(json(1), true), "");
}

TEST(DoctorWords, AreUnderstood) {
  for (const auto& line : std::vector<std::vector<const char*>>{
           {"xdplb", "doctor"},
           {"xdplb", "doctor", "eth0", "eth1", "--vipa", "192.0.2.10", "--vipa", "2001:db8::10"},
           {"xdplb", "-q", "doctor", "--config", "web.json"}})
    EXPECT_TRUE(parse_line(static_cast<int>(line.size()), line.data()));
  const std::array<const char*, 3> unknown{"xdplb", "doctor", "--fix"};
  EXPECT_FALSE(parse_line(static_cast<int>(unknown.size()), unknown.data()));
}

}  // namespace
}  // namespace xdplb
