// SPDX-License-Identifier: GPL-2.0-only
#include "verify/lan_asker.h"

#include "host/address_probe.h"

#include <fmt/format.h>

#include <optional>

namespace xdplb {

namespace asio = boost::asio;

asio::awaitable<Result<LanAnswers>> ask_lan(asio::io_context& io, const HostSnapshot& host,
                                            std::vector<LanQuestion> questions, std::chrono::milliseconds wait) {
  std::vector<AddressQuestion> asked;
  asked.reserve(questions.size());
  for (const auto& question : questions) {
    const auto* link = host.find_link(question.ifindex);
    if (link == nullptr)
      co_return fail(ErrorCode::kNotFound, fmt::format("interface {}: it is gone", question.ifindex));
    AddressQuestion one{.ifindex = question.ifindex,
                        .interface = link->name,
                        .mac = link->mac,
                        .link_local = host.link_local_of(question.ifindex),
                        .address = question.address,
                        .is_asked_once = question.is_asked_once};
    if (question.is_in_own_name && question.address.is_v4())
      one.asker = host.source_for(question.ifindex, question.address);
    asked.push_back(std::move(one));
  }
  const auto heard = co_await probe_addresses(io, std::move(asked), wait);
  if (!heard) co_return heard.error();
  LanAnswers answers;
  for (std::size_t i = 0; i < questions.size(); ++i)
    answers[{questions[i].ifindex, questions[i].address}] = (*heard)[i];
  co_return std::move(answers);
}

}  // namespace xdplb
