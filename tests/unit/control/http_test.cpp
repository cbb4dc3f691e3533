// SPDX-License-Identifier: GPL-2.0-only
// Server and client against each other, and the server against clients that do not behave.
#include "api_fixture.h"
#include "control/http_client.h"
#include "control/problem_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>
#include <fstream>

namespace xdplb {
namespace {

namespace asio = boost::asio;
using nlohmann::json;
using std::chrono::milliseconds;
using test::TemporaryFolder;
using test::TestServer;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

constexpr milliseconds kPatience{10'000};

asio::awaitable<Reply> answer_index(Request request) { co_return make_reply({{"index", request.index()}}); }

// A client that writes bytes.
class RawClient {
 public:
  explicit RawClient(const std::filesystem::path& socket) {
    int number = 0;
    auto fd = connect_socket(socket, kPatience, &number);
    EXPECT_EQ(number, 0) << std::strerror(number);
    if (fd) fd_ = std::move(*fd);
  }
  void send(std::string_view bytes) {
    ASSERT_EQ(::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  }
  // Until the other side closes, or until `enough` was read.
  std::string read_until(std::string_view enough = "\xff never") {
    while (text_.find(enough) == std::string::npos) {
      char block[4096];
      const ssize_t size = ::recv(fd_.get(), block, sizeof(block), 0);
      if (size <= 0) break;
      text_.append(block, static_cast<std::size_t>(size));
    }
    return std::exchange(text_, {});
  }
  void stop_sending() { ::shutdown(fd_.get(), SHUT_WR); }

 private:
  FileDescriptor fd_;
  std::string text_;
};

class Http : public testing::Test {
 protected:
  Http() { std::filesystem::create_directory(socket_.parent_path()); }

  std::string exchange(std::string_view bytes) {
    RawClient client(socket_);
    client.send(bytes);
    return client.read_until();
  }

  TemporaryFolder folder_;
  std::filesystem::path socket_ = folder_.path() / "web" / "api.sock";
  std::promise<void> handling_;  // before the server: its handler refers to it
  TestServer server_{socket_};
};

constexpr std::string_view kGet = "GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n";
constexpr std::string_view kGetAndClose = "GET /v1/status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

TEST_F(Http, RequestReachesTheHandlerAndItsDocumentComesBack) {
  ASSERT_TRUE(server_.start(answer_index));
  const auto reply = call(socket_, DropsRequest{}, kPatience);
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(*reply, json({{"index", Request(DropsRequest{}).index()}}));
}

TEST_F(Http, HandlersErrorComesBack) {
  ASSERT_TRUE(server_.start([](Request) -> asio::awaitable<Reply> {
    co_return fail(ErrorCode::kConflict, "cluster web: has other addresses: \xff");
  }));
  const auto reply = call(socket_, StatusRequest{}, kPatience);
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, ErrorCode::kConflict);
  EXPECT_EQ(reply.error().message, "cluster web: has other addresses: \xef\xbf\xbd");
}

TEST_F(Http, ExceptionOfTheHandlerIsThisRequestsFailureOnly) {
  ASSERT_TRUE(server_.start([](Request request) -> asio::awaitable<Reply> {
    if (std::holds_alternative<StatusRequest>(request)) throw std::runtime_error("out of order");
    co_return make_reply(json::array());
  }));
  const auto reply = call(socket_, StatusRequest{}, kPatience);
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, ErrorCode::kFailed);
  EXPECT_THAT(reply.error().message, HasSubstr("out of order"));
  EXPECT_TRUE(call(socket_, DropsRequest{}, kPatience));
}

TEST_F(Http, LargeReplyArrivesWhole) {
  const std::string text(5U << 20, 'x');
  ASSERT_TRUE(server_.start([&](Request) -> asio::awaitable<Reply> { co_return make_reply(text); }));
  const auto reply = call(socket_, StatusRequest{}, kPatience);
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(reply->get<std::string>(), text);
}

TEST_F(Http, OneConnectionTakesSeveralRequests) {
  ASSERT_TRUE(server_.start(answer_index));
  RawClient client(socket_);
  for (int i = 0; i < 3; ++i) {
    client.send(kGet);
    EXPECT_THAT(client.read_until("}\n"), StartsWith("HTTP/1.1 200 OK\r\n"));
  }
  client.send(kGetAndClose);
  EXPECT_THAT(client.read_until(), HasSubstr("Connection: close"));
}

TEST_F(Http, ReplyNamesItsType) {
  ASSERT_TRUE(server_.start(answer_index));
  const std::string reply = exchange(kGetAndClose);
  EXPECT_THAT(reply, HasSubstr("Content-Type: application/json\r\n"));
  EXPECT_THAT(reply, EndsWith("{\"index\":2}\n"));
}

TEST_F(Http, ContinueIsSaidToWhoWaitsForIt) {
  ASSERT_TRUE(server_.start(answer_index));
  RawClient client(socket_);
  client.send(
      "POST /v1/interfaces HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 24\r\n"
      "Connection: close\r\n\r\n");
  EXPECT_THAT(client.read_until("\r\n\r\n"), StartsWith("HTTP/1.1 100 Continue"));
  client.send("{\"interfaces\": [\"eth0\"]}");
  EXPECT_THAT(client.read_until(), StartsWith("HTTP/1.1 200 OK"));
}

TEST_F(Http, MistakesAreProblemObjects) {
  ASSERT_TRUE(server_.start(answer_index));
  struct Case {
    const char* description;
    std::string_view bytes;
    const char* status;
    const char* text;
  };
  const std::vector<Case> cases = {
      {"garbage", "hello there\r\n\r\n", "400", "no HTTP/1.1 request"},
      {"bytes of TLS", "\x16\x03\x01\x02\x01\r\n\r\n", "400", "no HTTP/1.1 request"},
      {"another version", "GET / HTTP/3.7\r\n\r\n", "400", "no HTTP/1.1 request"},
      {"bad length", "POST /v1/ports HTTP/1.1\r\nContent-Length: x\r\n\r\n", "400", "no HTTP/1.1 request"},
      {"unknown target", "GET /v1/nope HTTP/1.1\r\nConnection: close\r\n\r\n", "404", "/v1/nope"},
      {"unknown verb", "BREW /v1/clusters HTTP/1.1\r\nConnection: close\r\n\r\n", "405", "BREW"},
      {"known verb in the wrong place", "PUT /v1/status HTTP/1.1\r\nConnection: close\r\n\r\n", "405", "PUT"},
      {"bad query", "GET /v1/status?x=1 HTTP/1.1\r\nConnection: close\r\n\r\n", "400", "unknown key"},
      {"bad body", "POST /v1/ports HTTP/1.1\r\nConnection: close\r\nContent-Length: 1\r\n\r\n{", "422", "line 1"},
  };
  for (const Case& entry : cases) {
    const std::string reply = exchange(entry.bytes);
    EXPECT_THAT(reply, StartsWith(std::string("HTTP/1.1 ") + entry.status)) << entry.description;
    EXPECT_THAT(reply, HasSubstr("application/problem+json")) << entry.description;
    const auto body = json::parse(reply.substr(reply.find("\r\n\r\n") + 4), nullptr, false);
    ASSERT_TRUE(body.is_object()) << entry.description << ": " << reply;
    EXPECT_THAT(body["detail"].get<std::string>(), HasSubstr(entry.text)) << entry.description;
    EXPECT_EQ(body["status"], std::stoi(entry.status)) << entry.description;
  }
}

TEST_F(Http, UnknownVerbIsToldTheKnownOnes) {
  ASSERT_TRUE(server_.start(answer_index));
  EXPECT_THAT(exchange("BREW /v1/clusters HTTP/1.1\r\nConnection: close\r\n\r\n"), HasSubstr("Allow: GET, POST\r\n"));
}

TEST_F(Http, BodyAtTheLimitIsReadAndOneByteMoreIsNot) {
  ASSERT_TRUE(server_.start(answer_index, {.body_bytes = 24}));
  const std::string head = "POST /v1/interfaces HTTP/1.1\r\nConnection: close\r\nContent-Length: ";
  EXPECT_THAT(exchange(head + "24\r\n\r\n{\"interfaces\": [\"eth0\"]}"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(exchange(head + "25\r\n\r\n{\"interfaces\": [\"eth01\"]}"), StartsWith("HTTP/1.1 413"));
  const std::string chunked = "POST /v1/interfaces HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_THAT(exchange(chunked + "19\r\n{\"interfaces\": [\"eth01\"]}\r\n0\r\n\r\n"), StartsWith("HTTP/1.1 413"));
}

TEST_F(Http, HeadHasALimit) {
  ASSERT_TRUE(server_.start(answer_index));
  EXPECT_THAT(exchange("GET /v1/status HTTP/1.1\r\nX: " + std::string(9000, 'x') + "\r\n\r\n"),
              StartsWith("HTTP/1.1 431"));
}

TEST_F(Http, ClientIsToldThatItsBodyIsTooLarge) {
  ASSERT_TRUE(server_.start(answer_index));
  const auto reply = call(socket_, LoadRequest{.interfaces = {std::string(9U << 20, 'x')}}, kPatience);
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, ErrorCode::kUsage) << reply.error().message;
  EXPECT_THAT(reply.error().message, HasSubstr("larger than 8388608 bytes"));
}

TEST_F(Http, SlowHeadIsAnsweredAndSlowBodyToo) {
  ASSERT_TRUE(server_.start(answer_index, {.header_timeout = milliseconds(50), .body_timeout = milliseconds(50)}));
  EXPECT_THAT(exchange("GET /v1/st"), StartsWith("HTTP/1.1 408"));
  EXPECT_THAT(exchange("POST /v1/ports HTTP/1.1\r\nContent-Length: 9\r\n\r\n{"), StartsWith("HTTP/1.1 408"));
}

TEST_F(Http, SilentConnectionIsClosedWithoutAWord) {
  ASSERT_TRUE(server_.start(answer_index, {.header_timeout = milliseconds(50)}));
  RawClient client(socket_);
  EXPECT_EQ(client.read_until(), "");
}

TEST_F(Http, HandlerMayTakeLongerThanTheHead) {
  ASSERT_TRUE(server_.start(
      [](Request) -> asio::awaitable<Reply> {
        asio::steady_timer timer(co_await asio::this_coro::executor, milliseconds(150));
        co_await timer.async_wait(asio::use_awaitable);
        co_return make_reply(json::array());
      },
      {.header_timeout = milliseconds(50), .body_timeout = milliseconds(50)}));
  const auto reply = call(socket_, StatusRequest{}, kPatience);
  EXPECT_TRUE(reply) << reply.error().message;
}

TEST_F(Http, OneConnectionTooManyIsRefusedAndRoomComesBack) {
  ASSERT_TRUE(server_.start(answer_index, {.connections = 2}));
  RawClient first(socket_);
  first.send(kGet);
  EXPECT_THAT(first.read_until("}\n"), StartsWith("HTTP/1.1 200"));
  {
    RawClient second(socket_);
    second.send(kGet);
    EXPECT_THAT(second.read_until("}\n"), StartsWith("HTTP/1.1 200"));
    const auto third = call(socket_, StatusRequest{}, kPatience);
    ASSERT_FALSE(third);
    EXPECT_EQ(third.error().code, ErrorCode::kUnreachable);
    EXPECT_THAT(third.error().message, HasSubstr("2 connections"));
    second.send(kGetAndClose);
    EXPECT_THAT(second.read_until(), StartsWith("HTTP/1.1 200"));  // its end means that the server has closed it
  }
  EXPECT_TRUE(call(socket_, StatusRequest{}, kPatience));
}

TEST_F(Http, SocketIsForOwnerAndGroup) {
  ASSERT_TRUE(server_.start(answer_index));
  struct stat file {};
  ASSERT_EQ(::stat(socket_.c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 0777U, 0660U);
}

TEST_F(Http, LiveDaemonIsAConflict) {
  ASSERT_TRUE(server_.start(answer_index));
  TestServer second(socket_);
  const auto started = second.start(answer_index);
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, ErrorCode::kConflict);
  EXPECT_THAT(started.error().message, HasSubstr("instance web already has a daemon"));
  EXPECT_TRUE(call(socket_, StatusRequest{}, kPatience));
}

TEST_F(Http, SocketOfADeadDaemonIsReplaced) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, socket_.c_str());
  {
    const FileDescriptor dead(::socket(AF_UNIX, SOCK_STREAM, 0));
    ASSERT_EQ(::bind(dead.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    ASSERT_EQ(::listen(dead.get(), 1), 0);
  }
  ASSERT_TRUE(std::filesystem::is_socket(socket_));
  EXPECT_EQ(call(socket_, StatusRequest{}, kPatience).error().code, ErrorCode::kUnreachable);
  ASSERT_TRUE(server_.start(answer_index));
  EXPECT_TRUE(call(socket_, StatusRequest{}, kPatience));
}

TEST_F(Http, FileThatIsNoSocketIsLeftAlone) {
  std::ofstream(socket_) << "mine";
  const auto started = server_.start(answer_index);
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, ErrorCode::kConflict);
  EXPECT_TRUE(std::filesystem::is_regular_file(socket_));
}

TEST_F(Http, PathMustFitIntoASocketAddress) {
  const auto longest = folder_.path() / std::string(107 - folder_.path().string().size() - 1, 'x');
  TestServer fits(longest);
  EXPECT_TRUE(fits.start(answer_index));
  TestServer too_long(longest.string() + "x");
  EXPECT_EQ(too_long.start(answer_index).error().code, ErrorCode::kUsage);
}

TEST_F(Http, FolderThatIsNotThereIsNamed) {
  TestServer lost(folder_.path() / "absent" / "api.sock");
  EXPECT_THAT(lost.start(answer_index).error().message, HasSubstr("absent/api.sock"));
}

TEST_F(Http, CloseRemovesTheFileAndDropsWhoIsIdle) {
  ASSERT_TRUE(server_.start(answer_index));
  RawClient idle(socket_);
  idle.send(kGet);
  idle.read_until("}\n");
  server_.close();
  EXPECT_FALSE(std::filesystem::exists(socket_));
  EXPECT_EQ(idle.read_until(), "");
  EXPECT_EQ(call(socket_, StatusRequest{}, kPatience).error().code, ErrorCode::kUnreachable);
}

TEST_F(Http, CloseLeavesTheSocketOfAnotherDaemon) {
  ASSERT_TRUE(server_.start(answer_index));
  std::filesystem::rename(socket_, folder_.path() / "old");
  TestServer second(socket_);
  ASSERT_TRUE(second.start(answer_index));
  server_.close();
  EXPECT_TRUE(call(socket_, StatusRequest{}, kPatience));
}

TEST_F(Http, CloseLetsARequestFinish) {
  ASSERT_TRUE(server_.start([this](Request) -> asio::awaitable<Reply> {
    handling_.set_value();
    asio::steady_timer timer(co_await asio::this_coro::executor, milliseconds(100));
    co_await timer.async_wait(asio::use_awaitable);
    co_return make_reply("done");
  }));
  RawClient client(socket_);
  client.send(kGet);
  handling_.get_future().get();
  server_.close();
  const std::string reply = client.read_until();
  EXPECT_THAT(reply, HasSubstr("Connection: close"));
  EXPECT_THAT(reply, EndsWith("\"done\"\n"));
}

TEST_F(Http, ClientSaysHowToStartADaemon) {
  const auto reply = call(socket_, StatusRequest{}, kPatience);
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, ErrorCode::kUnreachable);
  EXPECT_EQ(reply.error().message,
            "no xdplbd answers for instance web on " + socket_.string() + ": start it with `xdplb load IFACE`");
}

TEST_F(Http, ClientGivesUpInTime) {
  ASSERT_TRUE(server_.start([](Request) -> asio::awaitable<Reply> {
    asio::steady_timer timer(co_await asio::this_coro::executor, std::chrono::hours(1));
    co_await timer.async_wait(asio::use_awaitable);
    co_return make_reply(json());
  }));
  const auto reply = call(socket_, StatusRequest{}, milliseconds(50));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, ErrorCode::kTimedOut);
  EXPECT_THAT(reply.error().message, HasSubstr("instance web"));
}

TEST_F(Http, ClientWithoutRightsIsToldSo) {
  ASSERT_TRUE(server_.start(answer_index));
  // Root may everything: step down to nobody for the call.
  const bool is_root = ::geteuid() == 0;
  if (is_root) {
    ASSERT_EQ(::chmod(folder_.path().c_str(), 0755), 0);
    ASSERT_EQ(::chmod(socket_.c_str(), 0600), 0);
    ASSERT_EQ(::seteuid(65534), 0);
  } else {
    ASSERT_EQ(::chmod(socket_.c_str(), 0), 0);
  }
  const auto reply = call(socket_, StatusRequest{}, kPatience);
  if (is_root) {
    ASSERT_EQ(::seteuid(0), 0);
  }
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, ErrorCode::kPermission);
  EXPECT_THAT(reply.error().message, HasSubstr(socket_.string()));
}

TEST_F(Http, DaemonThatHangsUpIsAnError) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, socket_.c_str());
  const FileDescriptor listener(::socket(AF_UNIX, SOCK_STREAM, 0));
  ASSERT_EQ(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  ASSERT_EQ(::listen(listener.get(), 1), 0);
  std::thread peer([&] { FileDescriptor accepted(::accept(listener.get(), nullptr, nullptr)); });
  const auto reply = call(socket_, StatusRequest{}, kPatience);
  peer.join();
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, ErrorCode::kUnreachable);
}

TEST_F(Http, DaemonsPidIsTheListeners) {
  ASSERT_TRUE(server_.start(answer_index));
  const auto pid = daemon_pid(socket_, kPatience);
  ASSERT_TRUE(pid);
  EXPECT_EQ(*pid, ::getpid());
}

}  // namespace
}  // namespace xdplb
