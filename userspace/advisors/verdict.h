// SPDX-License-Identifier: GPL-2.0-only
// What a judge of bytes makes of them, without sockets and time.
#pragma once

#include "model/check_result.h"

#include <string>

namespace xdplb {

struct Verdict {
  CheckCode code = CheckCode::kNone;  // kNone: none yet
  std::string text{};                 // for people; may hold what a stranger sent
};

}  // namespace xdplb
