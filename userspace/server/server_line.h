// SPDX-License-Identifier: GPL-2.0-only
// A command line of `xdplb-server`, understood.
#pragma once

#include "base/result.h"
#include "server/server_judge.h"
#include "server/server_setup.h"

#include <optional>
#include <string>

namespace xdplb {

enum class ServerCommand : std::uint8_t { kCheck, kSetup, kRemove };

struct ServerLine {
  std::optional<std::string> text{};  // of --help or --version: to be written, and nothing else done
  ServerCommand command = ServerCommand::kCheck;
  ServerWish wish{};
  ServerMethod method = ServerMethod::kLoopback;  // of setup
  Persistence persistence = Persistence::kAuto;   // of setup
  bool is_dry_run = false;
  std::string netns{};  // empty: that of the caller
  bool wants_json = false;
  bool wants_pretty = false;  // implies wants_json
};

// Errors: kUsage, naming the word and the command whose --help tells more.
Result<ServerLine> parse_server_line(int argc, const char* const* argv);

// "80", "80/tcp" or "53/udp". Errors: kUsage, naming the text.
Result<ServerPort> parse_server_port(std::string_view text);

}  // namespace xdplb
