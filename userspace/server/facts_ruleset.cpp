// SPDX-License-Identifier: GPL-2.0-only
#include "server/facts_ruleset.h"

#include "host/child_process.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <exception>
#include <optional>

namespace xdplb {
namespace {

constexpr std::size_t kMaxRuleset = 64UL * 1024 * 1024;

Result<std::string> find_nft() {
  for (const char* path : {"/usr/sbin/nft", "/sbin/nft", "/usr/bin/nft", "/usr/local/sbin/nft"}) {
    if (::access(path, X_OK) == 0) return std::string(path);
  }
  return fail(ErrorCode::kNotFound, "nft is not installed");
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

}  // namespace

Result<std::string> read_ruleset() {
  // nft without root says "ok, nothing" in some versions.
  if (::geteuid() != 0) return fail(ErrorCode::kPermission, "nft tells its rules to root only");
  auto nft = find_nft();
  if (!nft) return nft.error();
  ChildCommand command;
  command.argv = {*nft, "-j", "list", "ruleset"};
  command.max_output = kMaxRuleset;
  boost::asio::io_context io;
  std::optional<Result<ChildOutcome>> outcome;
  boost::asio::co_spawn(io, run_child(std::move(command), "nft"),
                        [&](const std::exception_ptr& thrown, Result<ChildOutcome> result) {
                          if (thrown) std::rethrow_exception(thrown);
                          outcome.emplace(std::move(result));
                        });
  io.run();
  if (!*outcome) return outcome->error();
  ChildOutcome& ended = **outcome;
  if (ended.timed_out) return fail(ErrorCode::kTimedOut, "nft -j list ruleset did not end");
  if (ended.exit_code != 0) return fail(ErrorCode::kFailed, "nft -j list ruleset: " + first_line(ended.errors));
  return std::move(ended.output);
}

}  // namespace xdplb
