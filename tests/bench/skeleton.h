// SPDX-License-Identifier: GPL-2.0-only
// The skeleton of bench.bpf.c, after the structs that it names.
#pragma once

#include "flood_counts.h"
#include "xdplb/maps.h"

#include "bench_programs.skel.h"
