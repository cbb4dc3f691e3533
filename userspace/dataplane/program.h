// SPDX-License-Identifier: GPL-2.0-only
// Program: the loaded XDP program of one instance and its pinned maps.
#pragma once

#include "base/file_descriptor.h"
#include "base/result.h"
#include "dataplane/kernel_tables.h"

#include <filesystem>
#include <memory>

struct bpf_object;

namespace xdplb {

// Size of the table of flows, in entries: a power of two, XDPLB_MIN_FLOWS..XDPLB_MAX_FLOWS.
struct FlowCapacity {
  std::uint32_t entries = XDPLB_DEFAULT_FLOWS;
};

class Program {
 public:
  // Loads the program with the maps pinned in `pin_dir`/maps, or with new ones that it pins there.
  //
  // pin_dir  on a bpffs, e.g. /sys/fs/bpf/xdplb/default; made when absent
  // flows    of new maps; pinned ones keep the size they were made with
  // Errors: kUsage for a capacity that is none; kPermission without the rights; kConflict when the pinned maps have
  // another layout version (left as they are); kFailed naming the feature when the kernel lacks one.
  static Result<std::unique_ptr<Program>> open(const std::filesystem::path& pin_dir, FlowCapacity flows = {});
  // Whether this kernel takes the program: loads it with the smallest tables there are, and drops it. Nothing is pinned
  // or attached. True: as machine code; false: the kernel interprets it. Errors: as open()'s about the kernel.
  static Result<bool> try_load();
  // Whether open() would find a complete set of maps.
  static bool is_pinned(const std::filesystem::path& pin_dir);
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  // True when the maps were there already: they hold what another process published.
  bool adopted() const { return adopted_; }
  int descriptor() const;
  std::uint32_t id() const;
  KernelTables& tables() { return *tables_; }
  const std::filesystem::path& pin_dir() const { return pin_dir_; }

  // A second, not yet loaded object that shares the maps: libxdp's dispatcher loads programs by itself.
  struct ObjectDeleter {
    void operator()(bpf_object* object) const;
  };
  using Object = std::unique_ptr<bpf_object, ObjectDeleter>;
  Result<Object> open_sharing_maps() const;
  // A not yet loaded object with the smallest tables there are, for a trial.
  static Result<Object> open_small();

  // Removes the pins of the maps and the folder. The maps live on until the last program that uses them is gone.
  Result<void> unpin();

  class Skeleton;

 private:
  Program() = default;

  std::filesystem::path pin_dir_;
  bool adopted_ = false;
  std::unique_ptr<Skeleton> skeleton_;
  std::unique_ptr<KernelTables> tables_;
};

}  // namespace xdplb
