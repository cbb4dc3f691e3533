// SPDX-License-Identifier: GPL-2.0-only
// One function a command: the words as typed in, an Action's result out. commands.cpp binds them to argv.
// Errors of text that cannot be read: kUsage, naming the option or object.
#pragma once

#include "cli/context.h"

#include <optional>
#include <string>
#include <vector>

namespace xdplb {

// ---- load_commands.cpp
struct LoadArguments {
  std::vector<std::string> interfaces;
  std::string mode = "auto";
  bool chain = false;
  std::string config_file;  // empty: none
  bool no_start = false;
};
Result<int> load(const LoadArguments& arguments, const Context& context);
Result<int> unload(const std::vector<std::string>& interfaces, const Context& context);

// ---- view_commands.cpp
Result<int> show_status(const Context& context);  // 1 when there are problems
Result<int> show_stats(const Context& context);
Result<int> show_drops(const Context& context);
Result<int> explain(const std::string& source, const std::string& destination, const std::string& protocol,
                    const Context& context);

// ---- object_commands.cpp
struct ServerAddArguments {
  std::string port;
  std::string address;
  std::optional<std::string> name;
  std::optional<std::string> weight;
  std::optional<std::string> family;
};
struct ServerSetArguments {
  std::string path;
  std::optional<std::string> weight;
  std::optional<std::string> address;
};
Result<int> cluster_add(const std::string& name, const std::vector<std::string>& addresses, const Context& context);
Result<int> cluster_list(const Context& context);
Result<int> cluster_show(const std::string& name, const Context& context);
Result<int> cluster_set(const std::string& name, const std::vector<std::string>& addresses, const Context& context);
Result<int> cluster_remove(const std::string& name, const Context& context);
Result<int> port_add(const std::string& path, const Context& context);
Result<int> port_list(const std::string& cluster, const Context& context);  // empty: of all clusters
Result<int> port_show(const std::string& path, const Context& context);
Result<int> port_remove(const std::string& path, const Context& context);
Result<int> server_add(const ServerAddArguments& arguments, const Context& context);
Result<int> server_list(const std::string& port, const Context& context);  // empty: of all ports
Result<int> server_show(const std::string& path, const Context& context);
Result<int> server_set(const ServerSetArguments& arguments, const Context& context);
Result<int> server_remove(const std::string& path, const Context& context);

// ---- config_commands.cpp; `file` may be "-", standard input
Result<int> config_show(const Context& context);
Result<int> config_check(const std::string& file, const Context& context);
Result<int> config_diff(const std::string& file, const Context& context);  // 1 when there is a difference
Result<int> config_apply(const std::string& file, bool dry_run, const Context& context);

// A configuration file, decoded and validated. Errors: kNotFound, kPermission for the file, kInvalidConfig for its
// content.
Result<Config> read_config(const std::string& file, const Context& context);

}  // namespace xdplb
