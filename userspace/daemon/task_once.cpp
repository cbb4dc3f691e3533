// SPDX-License-Identifier: GPL-2.0-only
#include "daemon/task_once.h"

#include "control/problem_json.h"
#include "model/json_text.h"

#include <cstdlib>
#include <istream>
#include <iterator>
#include <ostream>
#include <string>

namespace xdplb {

int answer_task(std::istream& in, std::ostream& out, const std::function<Reply(const nlohmann::json&)>& answer) {
  const std::string text(std::istreambuf_iterator<char>(in), {});
  const auto document = parse_json(text, "task");
  const Reply reply = document ? answer(*document) : Reply(document.error());
  out << dump_json(reply ? *reply : encode_problem(reply.error())) << '\n';
  return reply ? EXIT_SUCCESS : static_cast<int>(reply.error().code);
}

}  // namespace xdplb
