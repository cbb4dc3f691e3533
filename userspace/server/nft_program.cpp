// SPDX-License-Identifier: GPL-2.0-only
#include "server/nft_program.h"

#include "host/child_process.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <exception>
#include <optional>
#include <utility>

namespace xdplb {
namespace {

Result<std::string> find_nft() {
  for (const char* path : {"/usr/sbin/nft", "/sbin/nft", "/usr/bin/nft", "/usr/local/sbin/nft"}) {
    if (::access(path, X_OK) == 0) return std::string(path);
  }
  return fail(ErrorCode::kNotFound, "nft is not installed");
}

}  // namespace

Result<std::string> run_nft_program(const std::vector<std::string>& arguments, const std::string& input,
                                    std::size_t max_output) {
  auto nft = find_nft();
  if (!nft) return nft.error();
  ChildCommand command{.argv = {*nft}, .input = input, .max_output = max_output};
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
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
  const auto what = fmt::format("nft {}", fmt::join(arguments, " "));
  if (ended.timed_out) return fail(ErrorCode::kTimedOut, what + " did not end");
  if (ended.exit_code != 0)
    return fail(ErrorCode::kFailed, what + ": " + ended.errors.substr(0, ended.errors.find('\n')));
  return std::move(ended.output);
}

}  // namespace xdplb
