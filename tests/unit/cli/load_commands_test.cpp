// SPDX-License-Identifier: GPL-2.0-only
// `xdplb load` and `unload`: with a daemon there, and with one that has to be started (fake_daemon.cpp).
#include "cli/start_daemon.h"
#include "cli_fixture.h"
#include "control/http_client.h"

#include <gmock/gmock.h>
#include <signal.h>

#include <algorithm>
#include <fstream>

namespace xdplb {
namespace {

using nlohmann::json;
using test::CliTest;
using test::Outcome;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::chrono::milliseconds kPatience{10'000};

json interface(const char* name, const char* mode = "native", const char* attach = "link") {
  return {{"name", name}, {"mode", mode}, {"attach", attach}, {"prog_id", 42}, {"up", true}};
}

class Load : public CliTest {
 protected:
  // A daemon that has `loaded` and takes everything, but for what `refuse` says.
  void serve_daemon(std::vector<std::string> loaded, std::function<std::optional<Error>(const Request&)> refuse = {}) {
    serve([loaded, refuse](const Request& request) -> Reply {
      if (refuse) {
        if (const auto error = refuse(request)) return *error;
      }
      json interfaces = json::array();
      for (const std::string& name : loaded) interfaces.push_back(interface(name.c_str()));
      if (const auto* load = std::get_if<LoadRequest>(&request)) {
        for (const std::string& name : load->interfaces) {
          interfaces.push_back(
              interface(name.c_str(), load->chain ? "generic" : "native", load->chain ? "dispatcher" : "link"));
        }
        return make_reply({{"interfaces", interfaces}, {"warnings", {"eth1: native mode is not possible"}}});
      }
      if (const auto* unload = std::get_if<UnloadRequest>(&request)) {
        return make_reply({{"interfaces", unload->interfaces}, {"stopped", false}});
      }
      if (std::holds_alternative<ConfigApplyRequest>(request)) {
        return make_reply({{"changed", true}, {"changes", {"+ cluster web 192.0.2.10"}}, {"dry_run", false}});
      }
      return make_reply({{"interfaces", interfaces}, {"problems", json::array()}});
    });
  }

  std::string file(const std::string& text) const {
    const auto path = folder_.path() / "xdplb.json";
    std::ofstream(path) << text;
    return path.string();
  }

  template <typename T>
  std::vector<T> of_kind() {
    std::vector<T> found;
    for (const Request& request : requests()) {
      if (const auto* match = std::get_if<T>(&request)) found.push_back(*match);
    }
    return found;
  }
};

TEST_F(Load, PrintsWhatWasReallyObtainedAndTheWarningsApart) {
  serve_daemon({});
  const Outcome outcome = run({"load", "eth0", "eth1", "--mode", "generic", "--chain"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out,
            "eth0: generic mode, libxdp dispatcher, program 42\neth1: generic mode, libxdp dispatcher, program 42\n");
  EXPECT_EQ(outcome.err, "xdplb: eth1: native mode is not possible\n");
  const LoadRequest expected{.interfaces = {"eth0", "eth1"}, .mode = AttachMode::kGeneric, .chain = true};
  EXPECT_THAT(of_kind<LoadRequest>(), ElementsAre(expected));
}

TEST_F(Load, QuietPrintsNeither) {
  serve_daemon({});
  const Outcome outcome = run({"-q", "load", "eth0"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.out + outcome.err, "");
}

TEST_F(Load, ConfigIsAppliedAfterwardsAndItsInterfacesYield) {
  serve_daemon({});
  const std::string path =
      file(R"({"interfaces": ["eth0", "eth1"], "clusters": [{"name": "web", "addresses": ["192.0.2.10"]}]})");
  const Outcome outcome = run({"load", "eth0", "--config", path});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "eth0: native mode, pinned link, program 42\n+ cluster web 192.0.2.10\n");
  EXPECT_THAT(outcome.err, HasSubstr("the file lists the interfaces eth0, eth1"));
  ASSERT_EQ(of_kind<ConfigApplyRequest>().size(), 1U);
  EXPECT_EQ(of_kind<ConfigApplyRequest>()[0].config.interfaces, std::nullopt);
  EXPECT_EQ(of_kind<ConfigApplyRequest>()[0].config.clusters.size(), 1U);
}

TEST_F(Load, ConfigMayNameTheInterfaces) {
  serve_daemon({});
  const Outcome outcome = run({"load", "--config", file(R"({"interfaces": ["eth0", "eth1"], "clusters": []})")});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(of_kind<LoadRequest>().at(0).interfaces, ElementsAre("eth0", "eth1"));
}

TEST_F(Load, ConfigThatIsRefusedTakesTheNewInterfacesBack) {
  serve_daemon({"eth0"}, [](const Request& request) -> std::optional<Error> {
    if (!std::holds_alternative<ConfigApplyRequest>(request)) return std::nullopt;
    return fail(ErrorCode::kInvalidConfig, "server web/80/s1: on no loaded interface's network");
  });
  const Outcome outcome = run({"load", "eth1", "--config", file(R"({"clusters": []})")});
  EXPECT_EQ(outcome.code, 6);
  EXPECT_THAT(of_kind<UnloadRequest>(), ElementsAre(UnloadRequest{.interfaces = {"eth1"}}));
}

TEST_F(Load, RefusalOfARunningDaemonChangesNothing) {
  serve_daemon({"eth0"}, [](const Request& request) -> std::optional<Error> {
    if (!std::holds_alternative<LoadRequest>(request)) return std::nullopt;
    return fail(ErrorCode::kConflict, "interface eth1: carries another XDP program");
  });
  EXPECT_EQ(run({"load", "eth1"}).code, 7);
  EXPECT_THAT(of_kind<UnloadRequest>(), IsEmpty());
}

TEST_F(Load, UnloadPrintsEachInterface) {
  serve_daemon({"eth0", "eth1"});
  const Outcome outcome = run({"unload", "eth0", "eth1"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "eth0: unloaded\neth1: unloaded\n");
  EXPECT_THAT(of_kind<UnloadRequest>(), ElementsAre(UnloadRequest{.interfaces = {"eth0", "eth1"}}));
}

TEST_F(Load, UnloadWithoutDaemonAndPinsIsUnreachable) {
  const Outcome outcome = run({"unload"});
  EXPECT_EQ(outcome.code, 4);
  EXPECT_THAT(outcome.err, HasSubstr("no xdplbd answers"));
}

// With a daemon that has to be started.
class Start : public Load {
 protected:
  Start() {
    program_dir_ = FAKE_DAEMON_DIR;
    ::setenv("FAKE_RUN", roots().run.c_str(), 1);
    ::unsetenv("FAKE_MODE");
  }
  ~Start() override {
    if (is_running()) run({"unload"});
    ::unsetenv("FAKE_MODE");
  }
  bool is_running() const { return std::filesystem::exists(socket()) && call(socket(), StatusRequest{}, kPatience); }
  std::string log() const {
    std::ifstream in(roots().run / "default" / "xdplbd.log");
    return {std::istreambuf_iterator<char>(in), {}};
  }
};

TEST_F(Start, LoadStartsADaemonAndUnloadStopsIt) {
  const Outcome loaded = run({"load", "eth0"});
  EXPECT_EQ(loaded.code, 0) << loaded.err << log();
  EXPECT_EQ(loaded.out, "eth0: native mode, pinned link, program 42\n");
  const auto pid = daemon_pid(socket(), kPatience);
  ASSERT_TRUE(pid);
  EXPECT_NE(*pid, ::getpid());
  EXPECT_EQ(::getsid(*pid), *pid) << "it must not die with the terminal";
  EXPECT_EQ(run({"load", "eth1"}).code, 0);
  EXPECT_EQ(*daemon_pid(socket(), kPatience), *pid) << "the second load must use the same daemon";

  const Outcome unloaded = run({"unload"});
  EXPECT_EQ(unloaded.code, 0) << unloaded.err;
  EXPECT_EQ(unloaded.out, "eth0: unloaded\neth1: unloaded\nxdplbd: stopped\n");
  EXPECT_FALSE(is_running());
  EXPECT_EQ(run({"load", "eth0"}).code, 0) << "the next load comes at once";
}

TEST_F(Start, RunFolderIsMade) {
  std::filesystem::remove_all(roots().run);
  EXPECT_EQ(run({"load", "eth0"}).code, 0) << log();
}

TEST_F(Start, NoStartRefusesInstead) {
  EXPECT_EQ(run({"load", "eth0", "--no-start"}).code, 4);
  EXPECT_FALSE(is_running());
}

TEST_F(Start, RefusedLoadLeavesNoDaemon) {
  const Outcome outcome = run({"load", "nosuch0"});
  EXPECT_EQ(outcome.code, 3);
  EXPECT_EQ(outcome.err, "xdplb: interface nosuch0: there is none\n");
  EXPECT_FALSE(std::filesystem::exists(socket()));
}

TEST_F(Start, RefusedConfigLeavesNoDaemon) {
  EXPECT_EQ(run({"load", "eth0", "--config", file(R"({"clusters": []})")}).code, 6);
  EXPECT_FALSE(std::filesystem::exists(socket()));
}

TEST_F(Start, InvalidConfigStartsNone) {
  EXPECT_EQ(run({"load", "eth0", "--config", file("{")}).code, 6);
  EXPECT_EQ(log(), "");
  EXPECT_FALSE(std::filesystem::exists(socket()));
}

TEST_F(Start, DaemonThatAdoptedInterfacesSurvivesARefusal) {
  ::setenv("FAKE_MODE", "adopted", 1);
  EXPECT_EQ(run({"load", "nosuch0"}).code, 3);
  EXPECT_TRUE(is_running());
  const auto status = call(socket(), StatusRequest{}, kPatience);
  EXPECT_EQ((*status)["interfaces"].size(), 1U);
}

TEST_F(Start, PinsWithoutADaemonAreUnloadedByANewOne) {
  ::setenv("FAKE_MODE", "adopted", 1);
  std::filesystem::create_directories(roots().pins / "default");
  const Outcome outcome = run({"unload"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "eth9: unloaded\nxdplbd: stopped\n");
}

TEST_F(Start, DaemonsOwnErrorAndCodeAreShown) {
  ::setenv("FAKE_MODE", "fail", 1);
  const Outcome outcome = run({"load", "eth0"});
  EXPECT_EQ(outcome.code, 6);
  EXPECT_EQ(outcome.err, "xdplb: kernel 4.9: XDP links need 5.9\n");
}

TEST_F(Start, OldErrorsInTheLogAreNotShown) {
  std::ofstream(roots().run / "default" / "xdplbd.log") << "xdplbd: an error of yesterday\n";
  ::setenv("FAKE_MODE", "killed", 1);
  const Outcome outcome = run({"load", "eth0"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("signal 9"), HasSubstr("xdplbd.log")));
}

TEST_F(Start, ConflictWithNobodyIsAnErrorInTime) {
  ::setenv("FAKE_MODE", "conflict", 1);
  const Outcome outcome = run({"load", "eth0", "--timeout", "5"});
  EXPECT_EQ(outcome.code, 7);
  EXPECT_EQ(outcome.err, "xdplb: instance x already has a daemon\n");
}

TEST_F(Start, DaemonThatNeverAnswersIsEnded) {
  ::setenv("FAKE_MODE", "silent", 1);
  const Outcome outcome = run({"load", "eth0", "--timeout", "0.3"});
  EXPECT_EQ(outcome.code, 8);
  EXPECT_THAT(outcome.err, HasSubstr("did not answer within 0.3 s"));
}

TEST_F(Start, DaemonThatIsNotInstalledIsNamed) {
  program_dir_ = folder_.path();
  ::setenv("PATH", folder_.path().c_str(), 1);
  const Outcome outcome = run({"load", "eth0"});
  ::setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
  EXPECT_EQ(outcome.code, 3);
  EXPECT_THAT(outcome.err, HasSubstr("xdplbd is neither beside xdplb nor on PATH"));
}

TEST_F(Start, DaemonIsFoundOnPath) {
  const std::string path = "::" + (folder_.path() / "absent").string() + ":" FAKE_DAEMON_DIR;
  ::setenv("PATH", path.c_str(), 1);
  const auto found = find_daemon(folder_.path());
  ::setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
  ASSERT_TRUE(found);
  EXPECT_EQ(*found, FAKE_DAEMON_DIR "/xdplbd");
}

TEST_F(Start, RunFolderThatCannotBeMadeIsNamed) {
  std::filesystem::remove_all(roots().run);
  std::ofstream(roots().run) << "a file";
  const Outcome outcome = run({"load", "eth0"});
  EXPECT_NE(outcome.code, 0);
  EXPECT_THAT(outcome.err, HasSubstr(roots().run.string()));
}

}  // namespace
}  // namespace xdplb
