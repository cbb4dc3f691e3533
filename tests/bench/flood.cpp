// SPDX-License-Identifier: GPL-2.0-only
#include "flood.h"

#include "frames.h"
#include "lru_design.h"
#include "model/row_state.h"
#include "model/rows.h"
#include "skeleton.h"

#include <bpf/bpf.h>
#include <fmt/core.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <random>
#include <span>
#include <string>

namespace xdplb::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint32_t kServers = 100;
constexpr std::uint32_t kCheckedAtOnce = 1U << 15;
constexpr std::uint32_t kFloodAtOnce = 8 * kCheckedAtOnce;

// Set-up and packets of one design.
struct Design {
  const char* name;
  std::string suffix;  // of its programs
  bool is_lru;
};

// The rows of the only port that packets come to, with the weights of its servers.
class Weights {
 public:
  explicit Weights(const LoadedPrograms& programs)
      : rows_(std::span(programs.maps.tables[0].rows)
                  .subspan(first_row_of(programs.spec, 0), row_count_of(programs.spec.clusters[0]))) {
    for (std::uint32_t i = 0; i < kServers; ++i) {
      servers_.push_back({.name = fmt::format("server{}", i),
                          .index = static_cast<std::uint16_t>(first_server_of(programs.spec, 0) + i),
                          .weight = 100});
    }
    table_ = fill_rows(servers_, static_cast<std::uint32_t>(rows_.size()));
    for (std::size_t i = 0; i < rows_.size(); ++i)
      rows_[i] = std::uint32_t{table_.owners[i]} << XDPLB_ROW_BASE_SHIFT | table_.owners[i];
  }

  // New weights for all servers; rows change hands by the rule of the daemon, those of base stay.
  void change() {
    for (RowServer& server : servers_) server.weight = static_cast<unsigned>(50 + random_() % 101);
    table_ = repair_rows(table_, servers_, static_cast<std::uint32_t>(rows_.size()));
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      const std::uint32_t word = rows_[i];
      const RowState before = {.base = static_cast<std::uint16_t>(word >> XDPLB_ROW_BASE_SHIFT & XDPLB_ROW_SERVER_MASK),
                               .cur = static_cast<std::uint16_t>(word & XDPLB_ROW_SERVER_MASK),
                               .lookup = (word & XDPLB_ROW_LOOKUP) != 0};
      const RowState after = retarget(before, table_.owners[i], true);
      std::atomic_ref<std::uint32_t>(rows_[i]).store(std::uint32_t{after.base} << XDPLB_ROW_BASE_SHIFT | after.cur |
                                                     (after.lookup ? XDPLB_ROW_LOOKUP : 0));
    }
  }

 private:
  std::span<std::uint32_t> rows_;
  std::vector<RowServer> servers_;
  RowTable table_;
  std::mt19937 random_{1};
};

// Packets number first..first + count - 1 of a program of bpf/flood.bpf.h.
Result<void> send(const LoadedPrograms& programs, const std::string& program, Transport transport, std::uint32_t first,
                  std::uint32_t count) {
  const std::vector<std::uint8_t> frame = make_frame({.transport = transport, .random = first});
  const Result<double> sent = measure_run_ns(program_fd(programs.object, program), frame, count);
  return sent ? Result<void>() : Result<void>(sent.error());
}

class Flood {
 public:
  Flood(const LoadedPrograms& programs, const Design& design, const FloodEffort& effort)
      : programs_(programs), design_(design), effort_(effort), weights_(programs) {}

  Result<FloodResult> run() {
    if (Result<void> opened = open(); !opened) return opened.error();
    if (Result<void> flooded = flood(); !flooded) return flooded.error();
    const flood_counts& counts = programs_.object->data_bench->counts;
    FloodResult result = {.name = design_.name,
                          .watched = counts.opened,
                          .broken = counts.broken,
                          .lost = counts.lost,
                          .checked = counts.checked,
                          .flood = counts.flood,
                          .flood_mpps = static_cast<double>(counts.flood) / 1e6 / flood_s_,
                          .changes = changes_};
    if (!design_.is_lru) {
      for (const xdplb_state& state : programs_.maps.tables[0].states) {
        result.recorded += state.recorded;
        result.refused += state.refused;
      }
    }
    return result;
  }

 private:
  Result<void> change() {
    weights_.change();
    ++changes_;
    return design_.is_lru ? fill_lru_ring(programs_) : Result<void>();
  }

  // Half of the connections on settled rows, half on rows of which many change.
  Result<void> open() {
    if (design_.is_lru) {
      if (Result<void> filled = fill_lru_service(programs_); !filled) return filled;
    }
    const std::uint32_t half = effort_.watched / 2;
    const std::string program = "open_" + design_.suffix;
    if (Result<void> sent = send(programs_, program, Transport::kTcpSyn, 0, half); !sent) return sent;
    if (Result<void> changed = change(); !changed) return changed;
    if (Result<void> sent = send(programs_, program, Transport::kTcpSyn, half, effort_.watched - half); !sent)
      return sent;
    return check(0, effort_.watched);
  }

  Result<void> check(std::uint32_t first, std::uint32_t count) {
    return send(programs_, "check_" + design_.suffix, Transport::kTcp, first, count);
  }

  Result<void> flood() {
    const auto start = Clock::now();
    auto next_change = start;
    std::uint32_t checked = 0, sent = 0;
    while (Clock::now() - start < std::chrono::duration<double>(effort_.seconds)) {
      if (Clock::now() >= next_change) {
        if (Result<void> changed = change(); !changed) return changed;
        next_change += std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(effort_.change_s));
      }
      const auto before = Clock::now();
      if (Result<void> done = send(programs_, "flood_" + design_.suffix, Transport::kTcpSyn, sent, kFloodAtOnce); !done)
        return done;
      flood_s_ += std::chrono::duration<double>(Clock::now() - before).count();
      sent += kFloodAtOnce;
      if (Result<void> done = check(checked, kCheckedAtOnce); !done) return done;
      checked = (checked + kCheckedAtOnce) % effort_.watched;
    }
    return check(0, effort_.watched);
  }

  const LoadedPrograms& programs_;
  const Design& design_;
  const FloodEffort& effort_;
  Weights weights_;
  std::uint32_t changes_ = 0;
  double flood_s_ = 0;
};

}  // namespace

Result<std::vector<FloodResult>> measure_flood(const FloodEffort& effort) {
  std::vector<FloodResult> results;
  for (const Design& design : {Design{"xdplb", "dispatch", false}, Design{"LRU of every flow", "lru", true}}) {
    const TableSpec spec = {.clusters = {{.servers = kServers}}, .flows = effort.flows};
    const Result<LoadedPrograms> programs =
        load_programs(spec, {"open_" + design.suffix, "check_" + design.suffix, "flood_" + design.suffix});
    if (!programs) return programs.error();
    Result<FloodResult> result = Flood(*programs, design, effort).run();
    if (!result) return result.error();
    results.push_back(*result);
  }
  return results;
}

}  // namespace xdplb::bench
