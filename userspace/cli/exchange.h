// SPDX-License-Identifier: GPL-2.0-only
// What most commands do: one call, its reply shown or told.
#pragma once

#include "cli/context.h"
#include "cli/print.h"

#include <string>
#include <string_view>

namespace xdplb {

inline constexpr std::string_view kThere = "is there already, unchanged";
inline constexpr std::string_view kSo = "is so already, unchanged";

using Printer = void (*)(const Page&, const nlohmann::json&);

// Calls and shows the reply. Returns it.
Reply view(const Request& request, Printer print, const Context& context);
// The same for a command that ends with it: exit code 0.
Result<int> show(const Request& request, Printer print, const Context& context);

// Calls and tells what happened.
//
// object     "server web/443/s1"
// done       what happened to it when something did, "added"
// unchanged  what is to say when nothing did
Result<int> change(const Request& request, const std::string& object, std::string_view done, std::string_view unchanged,
                   const Context& context);

}  // namespace xdplb
