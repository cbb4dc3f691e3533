// SPDX-License-Identifier: GPL-2.0-only
// Whether this host is ready to be a dispatcher.
#include "cli/actions.h"
#include "cli/fields.h"
#include "cli/print.h"
#include "cli/run_program.h"
#include "cli/typed.h"
#include "control/http_client.h"
#include "control/problem_json.h"
#include "model/config_json.h"

#include <ostream>

namespace xdplb {
namespace {

using nlohmann::json;

// What a running daemon tells: its configuration, what it owns, and its pid; nothing when none runs. One that runs and
// does not answer is no reason to end: the host is looked at all the same.
void add_daemon(json& task, const Context& context) {
  const Reply config = context.call(ConfigShowRequest{});
  if (!config) {
    if (config.error().code != ErrorCode::kUnreachable) context.warn(config.error().message);
    return;
  }
  task["config"] = *config;
  json own = json::array();
  const Reply vipas = context.call(VipaListRequest{});
  if (vipas) {
    for (const auto& vipa : as_list(*vipas))
      if (text_of(vipa, "state") == "owned") own.push_back(text_of(vipa, "address"));
  }
  task["own_vipas"] = std::move(own);
  if (const auto pid = daemon_pid(context.instance().socket, context.options().timeout)) task["daemon"] = *pid;
}

Reply make_task(const DoctorArguments& typed, const Context& context) {
  json task = {{"instance", context.instance().name}, {"interfaces", json::array()}, {"vipas", json::array()}};
  for (const auto& name : typed.interfaces) {
    if (auto valid = typed_interface(name); !valid) return valid.error();
    task["interfaces"].push_back(name);
  }
  for (const auto& text : typed.vipas) {
    const auto vipa = of_option("--vipa", IpAddress::parse(text));
    if (!vipa) return vipa.error();
    task["vipas"].push_back(vipa->to_string());
  }
  std::optional<Config> config;
  if (!typed.config_file.empty()) {
    auto read = read_config(typed.config_file, context);
    if (!read) return read.error();
    config = std::move(*read);
  }
  add_daemon(task, context);
  if (config) task["config"] = encode_config(*config);
  return make_reply(std::move(task));
}

}  // namespace

Result<int> examine_host(const DoctorArguments& typed, const Context& context) {
  const auto task = make_task(typed, context);
  if (!task) return task.error();
  const Reply report = ask_program(context.around().program_dir, {"--doctor"}, dump_json(*task));
  if (!report) return report.error();
  context.show(*report,
               [&](std::ostream& out) { print_doctor(context.page(out), *report, context.options().is_quiet); });
  return is_true(*report, "ok") ? 0 : static_cast<int>(ErrorCode::kFailed);
}

}  // namespace xdplb
