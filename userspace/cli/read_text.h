// SPDX-License-Identifier: GPL-2.0-only
// Documents that commands take from a file or from standard input.
#pragma once

#include "cli/context.h"

#include <string>

namespace xdplb {

// What the document is called in messages.
std::string source_name(const std::string& file);

// The whole text of a file, of standard input for "-". Errors: kNotFound, kPermission and others of the system,
// kInvalidConfig when it is larger than the API takes.
Result<std::string> read_text(const std::string& file, const Context& context);

}  // namespace xdplb
