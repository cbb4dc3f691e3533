// SPDX-License-Identifier: GPL-2.0-only
// Must not compile; see CMakeLists.txt.
#include "base/result.h"

xdplb::Result<int> attempt();

void drop() { attempt(); }
