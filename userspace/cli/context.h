// SPDX-License-Identifier: GPL-2.0-only
// What every command has at hand: global options, the instance, how to call the daemon and where to write.
#pragma once

#include "cli/cli.h"
#include "cli/print.h"
#include "control/instance.h"
#include "control/request.h"

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

namespace xdplb {

struct Options {
  std::string instance{kDefaultInstance};
  bool wants_json = false;
  bool wants_pretty = false;  // implies wants_json
  bool is_quiet = false;      // no confirmations, no warnings
  bool is_verbose = false;    // each call of the API on stderr
  bool is_offline = false;    // the maps are read without the daemon
  std::chrono::milliseconds timeout{10'000};
  // To start a daemon and to load the program, where nothing else was said: the kernel checks it, perhaps several
  // times, and a busy host takes its time.
  std::chrono::milliseconds start_timeout{60'000};
};

class Context {
 public:
  Context(const Options& options, const Instance& instance, const CliEnvironment& around)
      : options_(options), instance_(instance), around_(around) {}

  const Options& options() const { return options_; }
  const Instance& instance() const { return instance_; }
  const CliEnvironment& around() const { return around_; }

  Reply call(const Request& request) const { return call(request, options_.timeout); }
  Reply call(const Request& request, std::chrono::milliseconds timeout) const;
  // Data: the document as JSON with --json, else what `print` writes.
  void show(const nlohmann::json& document, const std::function<void(std::ostream&)>& print) const;
  // How a document is printed here.
  Page page(std::ostream& out) const {
    return {.out = out, .has_colour = around_.has_colour, .has_utf8 = around_.has_utf8};
  }
  // One line about what was done, on stdout: not with --quiet and, as the document is shown there, not with --json.
  void confirm(std::string_view line) const;
  // One line on stderr, not with --quiet.
  void warn(std::string_view line) const;

 private:
  const Options& options_;
  const Instance& instance_;
  const CliEnvironment& around_;
};

// A command that has been understood. Returns the exit code.
using Action = std::function<Result<int>(const Context&)>;

// Text made fit for one line of a terminal: control characters become '?', line breaks spaces.
std::string one_line(std::string_view text);

}  // namespace xdplb
