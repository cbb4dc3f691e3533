// SPDX-License-Identifier: GPL-2.0-only
// How load becomes weights.
#include "cli/actions.h"
#include "cli/exchange.h"
#include "cli/typed.h"
#include "model/option_text.h"

#include <fmt/format.h>

namespace xdplb {
namespace {

// ManagerConfig's ranges.
constexpr unsigned kMaxInterval = 3600;
constexpr unsigned kMaxRefreshes = 100;
constexpr unsigned kMaxWeightBound = 100;

Result<ManagerChanges> typed_changes(const ManagerArguments& typed) {
  const auto count = [](unsigned min, unsigned max) {
    return [min, max](const std::string& text) { return typed_count("number", text, max, min); };
  };
  const auto interval = [](const std::string& text) { return parse_duration(text, 1, kMaxInterval); };
  ManagerChanges changes;
  OptionReader reader;
  reader.read("--proportions", typed.proportions, changes.proportions, parse_proportions);
  reader.read("--interval", typed.interval, changes.interval_s, interval);
  reader.read("--refresh", typed.refresh, changes.refresh, count(1, kMaxRefreshes));
  reader.read("--sensitivity", typed.sensitivity, changes.sensitivity, count(0, 100));
  reader.read("--smoothing", typed.smoothing, changes.smoothing_tenths, parse_smoothing);
  reader.read("--weight-bound", typed.weight_bound, changes.weight_bound, count(1, kMaxWeightBound));
  if (reader.error()) return *reader.error();
  return changes;
}

// Nothing: all clusters.
Result<std::optional<std::string>> typed_cluster(const std::string& name) {
  using Name = std::optional<std::string>;
  if (name.empty()) return Name();
  if (const auto good = typed_name(name, "cluster"); !good) return good.error();
  return Name(name);
}

std::string object_of(const std::optional<std::string>& cluster) {
  return cluster ? "manager " + *cluster : "manager of all clusters";
}

Result<int> turn(const std::string& name, bool is_on, std::string_view done, std::string_view unchanged,
                 const Context& context) {
  const auto cluster = typed_cluster(name);
  if (!cluster) return cluster.error();
  return change(ManagerSetRequest{.cluster = *cluster, .changes = {.is_on = is_on}}, object_of(*cluster), done,
                unchanged, context);
}

}  // namespace

Result<int> manager_set(const ManagerArguments& arguments, const Context& context) {
  const auto cluster = typed_cluster(arguments.cluster);
  if (!cluster) return cluster.error();
  const auto changes = typed_changes(arguments);
  if (!changes) {
    return fail(changes.error().code, fmt::format("{}: {}", object_of(*cluster), changes.error().message));
  }
  if (changes->is_empty()) {
    return fail(ErrorCode::kUsage, object_of(*cluster) +
                                       ": say what to set, for example --proportions 49,50,1,0; "
                                       "`xdplb manager set --help` lists the options");
  }
  return change(ManagerSetRequest{.cluster = *cluster, .changes = *changes}, object_of(*cluster), "changed", kSo,
                context);
}

Result<int> manager_start(const std::string& cluster, const Context& context) {
  return turn(cluster, true, "started", "runs already, unchanged", context);
}

Result<int> manager_stop(const std::string& cluster, const Context& context) {
  return turn(cluster, false, "stopped: weights are those of the configuration", "is stopped already, unchanged",
              context);
}

Result<int> manager_report(const std::string& cluster, const Context& context) {
  const auto name = typed_cluster(cluster);
  if (!name) return name.error();
  return show(ManagerReportRequest{.cluster = *name}, print_managers, context);
}

}  // namespace xdplb
