// SPDX-License-Identifier: GPL-2.0-only
// The commands, their words and options, bound to the functions of actions.h.
#pragma once

#include "cli/context.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <utility>

namespace xdplb {

// The commands below an app; the one that was typed leaves its Action in `action`.
class CommandTree {
 public:
  explicit CommandTree(Action& action) : action_(action) {}
  void add_all(CLI::App& app);

 private:
  // ---- command_tree.cpp
  void add_load(CLI::App& app);
  void add_views(CLI::App& app);
  void add_config(CLI::App& app);
  // ---- command_tree_objects.cpp
  void add_clusters(CLI::App& app);
  void add_ports(CLI::App& app);
  void add_servers(CLI::App& app);
  void add_drains(CLI::App& group);

  // ---- command_tree_vipas.cpp
  void add_vipas(CLI::App& app);
  void add_interfaces(CLI::App& app);
  void add_settings(CLI::App& app);
  // ---- command_tree_verify.cpp
  void add_verify(CLI::App& app);
  void add_doctor(CLI::App& app);
  // ---- command_tree_advisors.cpp
  void add_advisors(CLI::App& app);
  void add_managers(CLI::App& app);

  static CLI::App& add_group(CLI::App& parent, const char* name, const char* help);
  // `function` gets the words of the command, of type Words, and the Context.
  template <typename Words, typename Function>
  void bind(CLI::App& command, std::shared_ptr<Words> words, Function function) {
    command.callback([&action = action_, words, function] {
      action = [words, function](const Context& context) { return function(*words, context); };
    });
  }
  void bind(CLI::App& command, Result<int> (*function)(const Context&)) {
    command.callback([&action = action_, function] { action = function; });
  }
  // A command that takes one word.
  void add_one(CLI::App& parent, const char* name, const char* help, const char* word, const char* word_help,
               Result<int> (*function)(const std::string&, const Context&), bool is_required = true);

  Action& action_;
};

}  // namespace xdplb
