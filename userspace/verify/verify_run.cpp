// SPDX-License-Identifier: GPL-2.0-only
#include "verify/verify_run.h"

#include "base/file_descriptor.h"
#include "verify/echo_asker.h"
#include "verify/lan_asker.h"
#include "verify/port_asker.h"
#include "verify/verify_judge.h"
#include "verify/verify_plan.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <string_view>
#include <utility>

namespace xdplb {
namespace {

namespace asio = boost::asio;

// An abstract name belongs to the network namespace, as what it guards does, and ends with the process.
Result<FileDescriptor> take_lock() {
  constexpr std::string_view kName("\0xdplb-verify", 13);
  FileDescriptor fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.is_open()) return os_error("open the lock of verify", errno);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::copy(kName.begin(), kName.end(), address.sun_path);
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + kName.size());
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), length) == 0) return fd;
  if (errno == EADDRINUSE)
    return fail(ErrorCode::kConflict, "another verify runs on this host: try again when it has ended");
  return os_error("take the lock of verify", errno);
}

// One run over one plan.
class Run {
 public:
  Run(asio::io_context& io, const VerifyTask& task, const HostSnapshot& host, const VerifyPlan& plan)
      : io_(io), task_(task), host_(host), plan_(plan), echo_(io, host) {
    seen_.rows.resize(plan.rows.size());
    carriers_.resize(plan.rows.size());
  }

  asio::awaitable<Result<VerifySeen>> go() {
    if (auto asked = co_await ask_for_vipas(false); !asked) co_return asked.error();
    if (auto asked = co_await resolve(); !asked) co_return asked.error();
    if (auto asked = co_await ask_echoes(); !asked) co_return asked.error();
    if (auto asked = co_await ask_all_ports(); !asked) co_return asked.error();
    if (auto asked = co_await ask_for_vipas(true); !asked) co_return asked.error();
    co_return std::move(seen_);
  }

 private:
  std::string name_of(std::uint32_t ifindex) const {
    const auto* link = host_.find_link(ifindex);
    return link != nullptr ? link->name : std::string();
  }

  // Steps 1 and 5. A VIPA that is given up at the second answer is asked for once, and not again when one came.
  asio::awaitable<Result<void>> ask_for_vipas(bool is_second) {
    std::vector<LanQuestion> questions;
    for (const auto& vipa : plan_.vipas) {
      auto& seen = seen_.vipas[vipa.address];
      if (is_second && vipa.yields && !seen.before.empty()) continue;
      if (is_second) seen.after.emplace();
      for (const auto ifindex : vipa.interfaces) {
        LanQuestion question{.ifindex = ifindex, .address = vipa.address, .is_asked_once = vipa.yields};
        question.is_in_own_name = true;
        questions.push_back(question);
        question.is_in_own_name = false;
        if (vipa.address.is_v4() && !vipa.yields) questions.push_back(question);
      }
    }
    const auto answers = co_await ask_lan(io_, host_, std::move(questions), task_.wait);
    if (!answers) co_return answers.error();
    for (const auto& [key, macs] : *answers) {
      auto& seen = seen_.vipas[key.second];
      for (const auto& mac : macs) (is_second ? *seen.after : seen.before).emplace(mac, name_of(key.first));
    }
    co_return Result<void>();
  }

  // Step 2: as a dispatcher asks. Where that gets no answer a probe tells whether the machine is there at all.
  asio::awaitable<Result<void>> resolve() {
    std::vector<LanQuestion> questions;
    for (const auto& row : plan_.rows)
      for (const auto& adapter : row.adapters)
        if (adapter.ifindex != 0)
          questions.push_back({.ifindex = adapter.ifindex, .address = adapter.address, .is_in_own_name = true});
    std::sort(questions.begin(), questions.end());
    questions.erase(std::unique(questions.begin(), questions.end()), questions.end());
    if (auto asked = co_await resolve(questions); !asked) co_return asked;
    std::erase_if(questions, [this](const LanQuestion& question) {
      return !question.address.is_v4() || seen_.adapters.contains(question.address);
    });
    for (auto& question : questions) question.is_in_own_name = false;
    if (auto asked = co_await resolve(questions); !asked) co_return asked;
    for (const auto& question : questions)
      if (seen_.adapters.contains(question.address)) seen_.deaf.insert(question.address);
    for (std::size_t i = 0; i < plan_.rows.size(); ++i) carriers_[i] = carrier_of(plan_.rows[i], seen_.adapters);
    co_return Result<void>();
  }

  asio::awaitable<Result<void>> resolve(const std::vector<LanQuestion>& questions) {
    if (questions.empty()) co_return Result<void>();
    const auto answers = co_await ask_lan(io_, host_, questions, task_.wait);
    if (!answers) co_return answers.error();
    for (const auto& [key, macs] : *answers)
      for (const auto& mac : macs) seen_.adapters[key.second].emplace(mac, name_of(key.first));
    co_return Result<void>();
  }

  // Step 3: of the VIPA, and where that is silent of the server's own address.
  asio::awaitable<Result<void>> ask_echoes() {
    auto asked = co_await ask_echoes(
        [this](std::size_t i) {
          return carriers_[i] ? question_about(*carriers_[i], plan_.rows[i].vipa) : std::nullopt;
        },
        [this](std::size_t i, const std::optional<IpAddress>& answer) {
          seen_.rows[i].was_asked = true;
          seen_.rows[i].echo = answer;
        });
    if (!asked) co_return asked;
    co_return co_await ask_echoes(
        [this](std::size_t i) {
          const bool is_silent = seen_.rows[i].was_asked && !seen_.rows[i].echo;
          return is_silent ? question_about(*carriers_[i], carriers_[i]->adapter.address) : std::nullopt;
        },
        [this](std::size_t i, const std::optional<IpAddress>& answer) {
          seen_.rows[i].own_answers = answer.has_value();
        });
  }

  template <typename Question, typename Take>
  asio::awaitable<Result<void>> ask_echoes(Question question_of, Take take) {
    std::vector<EchoQuestion> questions;
    std::vector<std::size_t> rows;
    for (std::size_t i = 0; i < plan_.rows.size(); ++i) {
      const auto question = question_of(i);
      if (!question) continue;
      questions.push_back(*question);
      rows.push_back(i);
    }
    if (questions.empty()) co_return Result<void>();
    const auto answers = co_await echo_.ask(std::move(questions), task_.wait);
    if (!answers) co_return answers.error();
    for (std::size_t i = 0; i < rows.size(); ++i) take(rows[i], (*answers)[i]);
    co_return Result<void>();
  }

  std::optional<EchoQuestion> question_about(const TestedAdapter& carrier, const IpAddress& destination) const {
    const auto source = host_.source_for(carrier.adapter.ifindex, destination);
    if (!source) return std::nullopt;
    return EchoQuestion{
        .ifindex = carrier.adapter.ifindex, .mac = carrier.mac, .source = *source, .destination = destination};
  }

  // Step 4.
  asio::awaitable<Result<void>> ask_all_ports() {
    std::vector<PortQuestion> questions;
    std::vector<std::pair<std::size_t, std::size_t>> places;
    for (std::size_t i = 0; i < plan_.rows.size(); ++i) {
      const auto& row = plan_.rows[i];
      seen_.rows[i].ports.resize(row.ports.size());
      for (std::size_t k = 0; k < row.ports.size() && carriers_[i]; ++k) {
        const auto& port = row.ports[k];
        if (!port.advisor) continue;
        questions.push_back({.hop = {.server = carriers_[i]->adapter.address,
                                     .mac = carriers_[i]->mac,
                                     .ifindex = carriers_[i]->adapter.ifindex},
                             .vipa = row.vipa,
                             .port = port.path.port,
                             .server = ServerPath{.port = port.path, .server = row.server}.to_string(),
                             .advisor = *port.advisor});
        places.emplace_back(i, k);
      }
    }
    auto results = co_await ask_ports(io_, std::move(questions));
    if (!results) co_return results.error();
    for (std::size_t i = 0; i < places.size(); ++i)
      seen_.rows[places[i].first].ports[places[i].second] = std::move((*results)[i]);
    co_return Result<void>();
  }

  asio::io_context& io_;
  const VerifyTask& task_;
  const HostSnapshot& host_;
  const VerifyPlan& plan_;
  EchoAsker echo_;
  VerifySeen seen_{};
  std::vector<std::optional<TestedAdapter>> carriers_{};
};

}  // namespace

asio::awaitable<Result<VerifyReport>> verify(asio::io_context& io, VerifyTask task) {
  const auto lock = take_lock();
  if (!lock) co_return lock.error();
  const auto host = read_host_snapshot();
  if (!host) co_return host.error();
  const auto plan = plan_verify(task, *host);
  if (!plan) co_return plan.error();
  Run run(io, task, *host, *plan);
  const auto seen = co_await run.go();
  if (!seen) co_return seen.error();
  co_return judge_verify(task, *host, *plan, *seen);
}

}  // namespace xdplb
