// SPDX-License-Identifier: GPL-2.0-only
#include "cli/context.h"

#include "cli/offline.h"
#include "control/http_client.h"
#include "control/problem_json.h"
#include "control/request_json.h"

#include <fmt/format.h>

#include <ostream>

namespace xdplb {

Reply Context::call(const Request& request, std::chrono::milliseconds timeout) const {
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  Reply reply = options_.is_offline ? call_offline(instance_, around_.program_dir, request)
                                    : xdplb::call(instance_.socket, request, timeout);
  if (options_.is_verbose) {
    const auto spent = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin);
    const HttpCall http = encode_request(request);
    around_.err << fmt::format("xdplb: {} {}: {} in {} ms\n", http.method, http.target, reply ? "ok" : "refused",
                               spent.count());
  }
  return reply;
}

void Context::show(const nlohmann::json& document, const std::function<void(std::ostream&)>& print) const {
  if (options_.wants_pretty) {
    around_.out << dump_json_pretty(document) << '\n';
  } else if (options_.wants_json) {
    around_.out << dump_json(document) << '\n';
  } else {
    print(around_.out);
  }
}

void Context::confirm(std::string_view line) const {
  if (!options_.is_quiet && !options_.wants_json) around_.out << one_line(line) << '\n';
}

void Context::warn(std::string_view line) const {
  if (!options_.is_quiet) around_.err << "xdplb: " << one_line(line) << '\n';
}

std::string one_line(std::string_view text) {
  std::string line;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_break = c == '\n' || c == '\r' || c == '\t';
    const bool is_control = byte < 0x20 || byte == 0x7f;
    line.push_back(is_break ? ' ' : is_control ? '?' : c);
  }
  while (line.ends_with(' ')) line.pop_back();
  return line;
}

}  // namespace xdplb
