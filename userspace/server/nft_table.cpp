// SPDX-License-Identifier: GPL-2.0-only
#include "server/nft_table.h"

#include "host/child_process.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <optional>
#include <utility>

namespace xdplb {
namespace {

using nlohmann::json;

Result<std::string> find_nft() {
  for (const char* path : {"/usr/sbin/nft", "/sbin/nft", "/usr/bin/nft", "/usr/local/sbin/nft"}) {
    if (::access(path, X_OK) == 0) return std::string(path);
  }
  return fail(ErrorCode::kNotFound, "nft is not installed: install nftables, or use --method loopback");
}

bool is_our_table(const json& object) {
  const auto table = object.is_object() ? object.value("table", json()) : json();
  return table.is_object() && table.value("family", "") == "inet" && table.value("name", "") == "xdplb_server";
}

}  // namespace

bool has_nft_table(const ServerFacts& facts) {
  const auto document = facts.ruleset ? json::parse(*facts.ruleset, nullptr, false) : json();
  const auto objects = document.is_object() ? document.value("nftables", json::array()) : json::array();
  return std::any_of(objects.begin(), objects.end(), is_our_table);
}

Result<void> run_nft(const std::string& commands) {
  auto nft = find_nft();
  if (!nft) return nft.error();
  ChildCommand command;
  command.argv = {*nft, "-f", "-"};
  command.input = commands;
  boost::asio::io_context io;
  std::optional<Result<ChildOutcome>> outcome;
  boost::asio::co_spawn(io, run_child(std::move(command), "nft"),
                        [&](const std::exception_ptr& thrown, Result<ChildOutcome> result) {
                          if (thrown) std::rethrow_exception(thrown);
                          outcome.emplace(std::move(result));
                        });
  io.run();
  if (!*outcome) return outcome->error();
  const ChildOutcome& ended = **outcome;
  if (ended.timed_out) return fail(ErrorCode::kTimedOut, "nft -f - did not end");
  if (ended.exit_code == 0) return {};
  return fail(ErrorCode::kFailed, "nft -f -: " + ended.errors.substr(0, ended.errors.find('\n')));
}

}  // namespace xdplb
