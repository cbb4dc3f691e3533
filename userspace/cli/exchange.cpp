// SPDX-License-Identifier: GPL-2.0-only
#include "cli/exchange.h"

#include "cli/fields.h"

#include <fmt/format.h>

#include <ostream>

namespace xdplb {

Reply view(const Request& request, Printer print, const Context& context) {
  Reply reply = context.call(request);
  if (!reply) return reply;
  context.show(*reply, [&](std::ostream& out) { print(context.page(out), *reply); });
  return reply;
}

Result<int> show(const Request& request, Printer print, const Context& context) {
  const Reply reply = view(request, print, context);
  if (!reply) return reply.error();
  return 0;
}

Result<int> change(const Request& request, const std::string& object, std::string_view done, std::string_view unchanged,
                   const Context& context) {
  const Reply reply = context.call(request);
  if (!reply) return reply.error();
  const bool is_changed = is_true(*reply, "changed");
  context.confirm(fmt::format("{} {}", object, is_changed ? done : unchanged));
  if (context.options().wants_json) context.show(*reply, [](std::ostream&) {});
  return 0;
}

}  // namespace xdplb
