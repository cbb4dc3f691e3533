// SPDX-License-Identifier: GPL-2.0-only
#include "daemon/user_exits.h"

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

namespace xdplb {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

class Exits : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = "/tmp/xdplb-exits-" + std::to_string(::getpid()) + "-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  // /bin/sh is a program that only root can change; $0 is the test's folder.
  ExitConfig shell(ExitEvent event, const std::string& script, unsigned timeout_s = 10) const {
    return {.event = event, .command = {"/bin/sh", "-c", script, folder_}, .user = "", .timeout_s = timeout_s};
  }
  void run() {
    io_.run();
    io_.restart();
  }
  std::string read(const std::string& file) const {
    std::ifstream stream(folder_ + "/" + file);
    std::stringstream text;
    text << stream.rdbuf();
    return text.str();
  }

  std::string folder_;
  boost::asio::io_context io_;
  std::vector<std::string> failed_;
  UserExits exits_{io_, "blue", [this](ExitEvent event, const std::string& object, const std::string& result) {
                     failed_.push_back(std::string(exit_event_name(event)) + " " + object + ": " + result);
                   }};
};

TEST_F(Exits, TellByEnvironmentAndDocument) {
  exits_.configure({shell(ExitEvent::kServerDown, "env -u PWD | sort > $0/env; cat > $0/json")});
  exits_.fire(ExitEvent::kServerDown, "server web/80/s1", "connect: \"refused\"\nfor \xff 3 times",
              {{"cluster", "web"}, {"port", "web/80"}, {"server", "s1"}, {"event", "forged"}});
  run();
  const std::string environment = read("env");
  for (const char* line :
       {"XDPLB_EVENT=server_down\n", "XDPLB_INSTANCE=blue\n", "XDPLB_OBJECT=server web/80/s1\n", "XDPLB_CLUSTER=web\n",
        "XDPLB_PORT=web/80\n", "XDPLB_SERVER=s1\n", "XDPLB_TEXT=connect: \"refused\"\n", "PATH=/usr/local/sbin:"}) {
    EXPECT_THAT(environment, HasSubstr(line));
  }
  EXPECT_THAT(environment, testing::ContainsRegex("XDPLB_TIME=20..-..-..T..:..:..Z\n"));
  EXPECT_THAT(environment, testing::Not(HasSubstr("HOME=")));
  const json document = json::parse(read("json"));
  EXPECT_EQ(document["event"], "server_down");
  EXPECT_EQ(document["port"], "web/80");
  EXPECT_EQ(document["text"], "connect: \"refused\"\nfor \xef\xbf\xbd 3 times");
  const auto view = exits_.view();
  ASSERT_EQ(view.size(), 1U);
  EXPECT_EQ(view[0].last_result, "exit 0");
  EXPECT_EQ(view[0].runs, 1U);
  EXPECT_EQ(view[0].failures, 0U);
  EXPECT_TRUE(view[0].last_at);
  EXPECT_TRUE(failed_.empty());
}

TEST_F(Exits, OfAnEventRunOneAtATimeInOrder) {
  exits_.configure({shell(ExitEvent::kServerDown, "mkdir $0/busy && echo $XDPLB_TEXT >> $0/log && rmdir $0/busy")});
  std::string expected;
  for (int i = 0; i < 10; ++i) {
    exits_.fire(ExitEvent::kServerDown, "o", std::to_string(i));
    expected += std::to_string(i) + "\n";
  }
  EXPECT_EQ(exits_.view()[0].waiting, 10U);
  run();
  EXPECT_EQ(read("log"), expected);
  EXPECT_EQ(exits_.view()[0].runs, 10U);
  EXPECT_EQ(exits_.view()[0].failures, 0U);
  EXPECT_EQ(exits_.view()[0].waiting, 0U);
}

TEST_F(Exits, OfDifferentEventsDoNotWaitForEachOther) {
  // Each waits for the other: only side by side do they end before their deadlines.
  const std::string meet = "touch $0/$XDPLB_EVENT; until [ -e $0/server_up -a -e $0/server_down ]; do sleep 0.01; done";
  exits_.configure({shell(ExitEvent::kServerUp, meet), shell(ExitEvent::kServerDown, meet)});
  exits_.fire(ExitEvent::kServerUp, "o", "t");
  exits_.fire(ExitEvent::kServerDown, "o", "t");
  run();
  for (const auto& view : exits_.view()) EXPECT_EQ(view.last_result, "exit 0");
  EXPECT_EQ(exits_.view()[0].config.event, ExitEvent::kServerDown) << "in the order of the events";
}

TEST_F(Exits, TheOldestIsDroppedFromAFullQueue) {
  exits_.configure({shell(ExitEvent::kAllDown, "echo $XDPLB_TEXT >> $0/log")});
  for (std::size_t i = 0; i < UserExits::kQueued + 3; ++i) {
    exits_.fire(ExitEvent::kAllDown, "o", std::to_string(i));
  }
  EXPECT_EQ(exits_.view()[0].dropped, 3U);
  run();
  EXPECT_EQ(exits_.view()[0].runs, UserExits::kQueued);
  EXPECT_THAT(read("log"), testing::StartsWith("3\n4\n"));
}

TEST_F(Exits, FailuresAreToldOnceInARow) {
  exits_.configure({shell(ExitEvent::kServerDown, "cat $0/code 2>&1 >/dev/null | head -1 >&2; exit $(cat $0/code)")});
  const auto fire_with = [&](const char* code) {
    std::ofstream(folder_ + "/code") << code;
    exits_.fire(ExitEvent::kServerDown, "server s", "t");
    run();
  };
  for (const char* code : {"4", "4", "0", "4", "5"}) fire_with(code);
  EXPECT_THAT(failed_, ElementsAre("server_down server s: exit 4", "server_down server s: exit 4",
                                   "server_down server s: exit 5"));
  EXPECT_EQ(exits_.view()[0].failures, 4U);
  EXPECT_EQ(exits_.view()[0].runs, 5U);
}

TEST_F(Exits, ResultsAreInWords) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"echo 'no route to pager' >&2; echo more >&2; exit 7", "exit 7: no route to pager"},
      {"kill -9 $$", "signal 9"},
      {"sleep 100", "timed out after 1 s"},
      {"exit 0", "exit 0"}};
  for (const auto& [script, result] : cases) {
    exits_.configure({shell(ExitEvent::kVipaMoved, script, 1)});
    exits_.fire(ExitEvent::kVipaMoved, "o", "t");
    run();
    EXPECT_EQ(exits_.view()[0].last_result, result);
  }
}

TEST_F(Exits, AnUnsafeProgramIsRefusedWhenItIsToRun) {
  const std::string path = folder_ + "/page";
  std::ofstream(path) << "#!/bin/sh\n";
  exits_.configure({{.event = ExitEvent::kSomeUp, .command = {path}, .user = ""}});
  EXPECT_EQ(exits_.view()[0].last_result, "");
  exits_.fire(ExitEvent::kSomeUp, "port web/80", "t");
  run();
  EXPECT_EQ(exits_.view()[0].last_result, "refused: exit some_up: /tmp can be written by everybody; chmod o-w it");
  EXPECT_EQ(exits_.view()[0].failures, 1U);
  EXPECT_EQ(failed_.size(), 1U);
}

TEST_F(Exits, WithoutAProgramNothingHappens) {
  exits_.fire(ExitEvent::kServerUp, "o", "t");
  exits_.configure({shell(ExitEvent::kServerDown, "touch $0/ran")});
  exits_.fire(ExitEvent::kServerUp, "o", "t");
  exits_.configure({});
  exits_.fire(ExitEvent::kServerDown, "o", "t");
  run();
  EXPECT_TRUE(exits_.view().empty());
  EXPECT_EQ(read("ran"), "");
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/ran"));
}

TEST_F(Exits, ANewCommandIsForWhatWaitsAndNumbersGoOn) {
  exits_.configure({shell(ExitEvent::kServerDown, "echo old >> $0/log")});
  exits_.fire(ExitEvent::kServerDown, "o", "t");
  exits_.configure({shell(ExitEvent::kServerDown, "echo new >> $0/log")});
  run();
  exits_.fire(ExitEvent::kServerDown, "o", "t");
  run();
  EXPECT_EQ(read("log"), "new\nnew\n");
  EXPECT_EQ(exits_.view()[0].runs, 2U);
}

TEST_F(Exits, MayGoWhileAProgramRuns) {
  {
    UserExits shortly(io_, "blue", [](ExitEvent, const std::string&, const std::string&) { ADD_FAILURE(); });
    // It ends only after its owner has gone.
    shortly.configure({shell(ExitEvent::kServerDown,
                             "until [ -e $0/gone ]; do sleep 0.01; done; echo $XDPLB_TEXT >> $0/log; exit 1")});
    shortly.fire(ExitEvent::kServerDown, "o", "1");
    shortly.fire(ExitEvent::kServerDown, "o", "2");
    io_.poll();
  }
  std::ofstream(folder_ + "/gone").put('\n');
  run();
  EXPECT_EQ(read("log"), "1\n");
  siginfo_t info{};
  EXPECT_TRUE(::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 && errno == ECHILD);
}

TEST_F(Exits, TheHandlerMayFireAndConfigure) {
  int told = 0;
  std::optional<UserExits> own;
  own.emplace(io_, "blue", [&](ExitEvent, const std::string&, const std::string&) {
    ++told;
    own->configure({shell(ExitEvent::kAllDown, "exit 0")});
    own->fire(ExitEvent::kAllDown, "o", "t");
  });
  own->configure({shell(ExitEvent::kServerDown, "exit 1")});
  own->fire(ExitEvent::kServerDown, "o", "t");
  run();
  EXPECT_EQ(told, 1);
  ASSERT_EQ(own->view().size(), 1U);
  EXPECT_EQ(own->view()[0].last_result, "exit 0");
}

}  // namespace
}  // namespace xdplb
