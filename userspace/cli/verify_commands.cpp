// SPDX-License-Identifier: GPL-2.0-only
// Whether servers are set up right, seen from here.
#include "cli/actions.h"
#include "cli/fields.h"
#include "cli/print.h"
#include "cli/run_program.h"
#include "cli/typed.h"
#include "cli/verify_scope.h"
#include "control/problem_json.h"
#include "model/config_json.h"
#include "model/option_text.h"

#include <fmt/format.h>

#include <ostream>

namespace xdplb {
namespace {

using nlohmann::json;

constexpr unsigned kMinWaitMs = 100;
constexpr unsigned kMaxWaitMs = 60000;

template <typename Parse, typename T>
Result<void> read_all(std::string_view option, const std::vector<std::string>& texts, std::vector<T>& into,
                      Parse parse) {
  for (const auto& text : texts) {
    auto value = of_option(option, parse(text));
    if (!value) return value.error();
    into.push_back(std::move(*value));
  }
  return {};
}

Result<VerifyScope> typed_scope(const VerifyArguments& typed) {
  VerifyScope scope{.cluster = typed.cluster, .servers = typed.servers};
  if (!typed.cluster.empty())
    if (auto name = typed_name(typed.cluster, "cluster"); !name) return name.error();
  if (auto read = read_all("--vipa", typed.vipas, scope.vipas, IpAddress::parse); !read) return read.error();
  if (auto read = read_all("--port", typed.ports, scope.ports, parse_verify_port); !read) return read.error();
  return scope;
}

// Empty: nobody is named.
Result<std::string> typed_owner(const std::optional<std::string>& text) {
  if (!text) return std::string();
  if (*text == "none") return *text;
  const auto mac = of_option("--owner", MacAddress::parse(*text));
  if (!mac) return mac.error();
  return mac->to_string();
}

Result<Config> running_config(const Context& context) {
  const Reply reply = context.call(ConfigShowRequest{});
  if (reply) return decode_config(*reply, "the daemon's configuration");
  if (reply.error().code != ErrorCode::kUnreachable) return reply.error();
  return fail(ErrorCode::kUnreachable,
              fmt::format("no xdplbd answers for instance {}: say --config FILE, or --vipa ADDRESS --server ADDRESS",
                          context.instance().name));
}

// What this host's daemon owns: whoever else answers for that is wrong.
json own_vipas(const Context& context) {
  json own = json::array();
  const Reply vipas = context.call(VipaListRequest{});
  if (!vipas) return own;
  for (const auto& vipa : as_list(*vipas))
    if (text_of(vipa, "state") == "owned") own.push_back(text_of(vipa, "address"));
  return own;
}

// The config, and what goes with it, of the task that `xdplbd --verify` reads.
Reply make_task(const VerifyArguments& typed, const VerifyScope& scope, const Context& context) {
  const bool is_made_up =
      typed.cluster.empty() && typed.config_file.empty() && !typed.vipas.empty() && !typed.servers.empty();
  json task = {{"made_up", is_made_up}};
  if (is_made_up) {
    const auto config = make_up_config(scope);
    if (!config) return config.error();
    task["config"] = encode_config(*config);
    return make_reply(std::move(task));
  }
  const bool is_running = typed.config_file.empty();
  const auto whole = is_running ? running_config(context) : read_config(typed.config_file, context);
  if (!whole) return whole.error();
  const auto config = cut_config(*whole, scope);
  if (!config) return config.error();
  task["config"] = encode_config(*config);
  if (is_running && !typed.owner) task["own_vipas"] = own_vipas(context);
  return make_reply(std::move(task));
}

}  // namespace

Result<int> verify(const VerifyArguments& typed, const Context& context) {
  const auto scope = typed_scope(typed);
  if (!scope) return scope.error();
  const auto owner = typed_owner(typed.owner);
  if (!owner) return owner.error();
  const auto wait = of_option("--wait", parse_milliseconds(typed.wait, kMinWaitMs, kMaxWaitMs));
  if (!wait) return wait.error();
  if (!typed.interface.empty())
    if (auto name = typed_interface(typed.interface); !name) return name.error();
  auto task = make_task(typed, *scope, context);
  if (!task) return task.error();
  (*task)["interface"] = typed.interface;
  (*task)["owner"] = owner->empty() ? json() : json(*owner);
  (*task)["wait_ms"] = *wait;
  const Reply report = ask_program(context.around().program_dir, {"--verify"}, dump_json(*task));
  if (!report) return report.error();
  context.show(*report, [&](std::ostream& out) { print_verify(context.page(out), *report); });
  return is_true(*report, "ok") ? 0 : static_cast<int>(ErrorCode::kFailed);
}

}  // namespace xdplb
