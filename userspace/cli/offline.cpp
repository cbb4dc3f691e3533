// SPDX-License-Identifier: GPL-2.0-only
#include "cli/offline.h"

#include "cli/run_program.h"
#include "control/request_json.h"

namespace xdplb {

Reply call_offline(const Instance& instance, const std::filesystem::path& program_dir, const Request& request) {
  const HttpCall call = encode_request(request);
  if (call.method != "GET") return fail(ErrorCode::kUsage, "--offline only looks; leave it out to change something");
  return ask_program(program_dir, {"--instance", instance.name, "--answer", call.target}, {});
}

}  // namespace xdplb
