// SPDX-License-Identifier: GPL-2.0-only
#include "dataplane/program.h"

#include "base/log.h"
#include "xdplb_program.skel.h"

#include <linux/magic.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cstdarg>
#include <cstring>
#include <string>

namespace xdplb {
namespace {

// libbpf's own words of the load that is under way; shown only when it fails.
std::string g_libbpf_text;

int keep_libbpf_text(libbpf_print_level level, const char* format, va_list arguments) {
  if (level == LIBBPF_DEBUG) return 0;
  std::array<char, 2048> line{};
  const int length = std::vsnprintf(line.data(), line.size(), format, arguments);
  if (length > 0) g_libbpf_text.append(line.data());
  return length;
}

// The last line of libbpf's text that says something: usually the verifier's or the kernel's verdict.
std::string last_words() {
  std::string last;
  std::size_t start = 0;
  while (start < g_libbpf_text.size()) {
    const auto end = std::min(g_libbpf_text.find('\n', start), g_libbpf_text.size());
    const auto line = g_libbpf_text.substr(start, end - start);
    if (line.find_first_not_of(" -") != std::string::npos && line.find("END PROG LOAD LOG") == std::string::npos &&
        line.find("failed to load") == std::string::npos)
      last = line;
    start = end + 1;
  }
  return last;
}

struct MapPin {
  const char* name;         // of the pin, and for messages
  const char* object_name;  // libbpf names the map of global variables by its section
  FileDescriptor MapDescriptors::*descriptor;
};

constexpr std::array<MapPin, 9> kMaps = {{
    {XDPLB_MAP_TABLES, ".bss", &MapDescriptors::tables},
    {XDPLB_MAP_FLOWS, XDPLB_MAP_FLOWS, &MapDescriptors::flows},
    {XDPLB_MAP_FLOW_DETAILS, XDPLB_MAP_FLOW_DETAILS, &MapDescriptors::flow_details},
    {XDPLB_MAP_FRAGMENTS, XDPLB_MAP_FRAGMENTS, &MapDescriptors::fragments},
    {XDPLB_MAP_PREFIXES, XDPLB_MAP_PREFIXES, &MapDescriptors::prefixes},
    {XDPLB_MAP_DEVICES, XDPLB_MAP_DEVICES, &MapDescriptors::devices},
    {XDPLB_MAP_COUNTERS, XDPLB_MAP_COUNTERS, &MapDescriptors::counters},
    {XDPLB_MAP_OUTCOMES, XDPLB_MAP_OUTCOMES, &MapDescriptors::outcomes},
    {XDPLB_MAP_TRACE, XDPLB_MAP_TRACE, &MapDescriptors::trace},
}};

std::filesystem::path map_path(const std::filesystem::path& pin_dir, const char* name) {
  return pin_dir / "maps" / name;
}

// True when PATH, or the nearest folder above it that exists, lies on a bpffs.
bool is_on_bpffs(std::filesystem::path path) {
  struct statfs info {};
  while (::statfs(path.c_str(), &info) != 0 && path.has_relative_path()) path = path.parent_path();
  return info.f_type == BPF_FS_MAGIC;
}

Error refused_load(int number) {
  if (number == EPERM) {
    return fail(ErrorCode::kPermission,
                "loading the XDP program: not permitted; run as root (CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON)");
  }
  if (libbpf_probe_bpf_prog_type(BPF_PROG_TYPE_XDP, nullptr) == 0)
    return fail(ErrorCode::kFailed, "this kernel has no XDP: it needs CONFIG_BPF_SYSCALL and Linux 6.1 or newer");
  for (const auto type : {BPF_MAP_TYPE_ARRAY, BPF_MAP_TYPE_PERCPU_ARRAY, BPF_MAP_TYPE_DEVMAP, BPF_MAP_TYPE_LPM_TRIE,
                          BPF_MAP_TYPE_RINGBUF}) {
    if (libbpf_probe_bpf_map_type(type, nullptr) == 0) {
      return fail(ErrorCode::kFailed, fmt::format("this kernel lacks BPF maps of type {}: it needs Linux 6.1 or newer",
                                                  libbpf_bpf_map_type_str(type)));
    }
  }
  return fail(ErrorCode::kFailed, fmt::format("loading the XDP program: {} ({}); xdplb is made for Linux 6.1 and newer",
                                              std::strerror(number), last_words()));
}

// The layout version in a map "tables"; nullopt when it is none of ours. The version is its first word in any layout.
std::optional<std::uint32_t> layout_of(int tables) {
  bpf_map_info info{};
  std::uint32_t length = sizeof(info);
  if (bpf_obj_get_info_by_fd(tables, &info, &length) != 0 || info.value_size < sizeof(std::uint64_t)) return {};
  const auto first = MappedArray<std::uint64_t>::open(tables, 1, XDPLB_MAP_TABLES);
  if (!first) return {};
  return static_cast<std::uint32_t>((*first)[0]);
}

// What the pins say: the descriptors of all maps, or nothing when there is no complete set.
Result<std::optional<MapDescriptors>> open_pinned(const std::filesystem::path& pin_dir) {
  MapDescriptors maps;
  for (const auto& map : kMaps) {
    const int fd = bpf_obj_get(map_path(pin_dir, map.name).c_str());
    if (fd == -EPERM || fd == -EACCES)
      return fail(ErrorCode::kPermission, fmt::format("{}: not permitted; run as root", pin_dir.string()));
    if (fd < 0) return std::optional<MapDescriptors>();
    maps.*map.descriptor = FileDescriptor(fd);
  }
  const auto layout = layout_of(maps.tables.get());
  // 0: its maker died before the set was complete.
  if (layout == 0U) return std::optional<MapDescriptors>();
  if (layout != XDPLB_LAYOUT_VERSION) {
    return fail(
        ErrorCode::kConflict,
        fmt::format("maps in {} have layout {}, this xdplbd knows layout {}: run the xdplb that made them, or stop "
                    "its forwarding with `rm -r {}` and load again",
                    pin_dir.string(), layout ? std::to_string(*layout) : "unknown", XDPLB_LAYOUT_VERSION,
                    pin_dir.string()));
  }
  return std::optional<MapDescriptors>(std::move(maps));
}

void remove_pins(const std::filesystem::path& pin_dir) {
  std::error_code ignored;
  for (const auto& map : kMaps) std::filesystem::remove(map_path(pin_dir, map.name), ignored);
  std::filesystem::remove(pin_dir / "maps", ignored);
}

}  // namespace

class Program::Skeleton {
 public:
  explicit Skeleton(xdplb_program* skeleton) : skeleton_(skeleton) {}
  ~Skeleton() { xdplb_program__destroy(skeleton_); }
  Skeleton(const Skeleton&) = delete;
  Skeleton& operator=(const Skeleton&) = delete;
  xdplb_program* get() const { return skeleton_; }

  // Opens the object and lets it use the maps given, or ones of the size given.
  static Result<std::unique_ptr<Skeleton>> open(const std::filesystem::path& pin_dir, const MapDescriptors* reused,
                                                FlowCapacity flows, TickLength tick) {
    libbpf_set_print(keep_libbpf_text);
    g_libbpf_text.clear();
    auto skeleton = std::make_unique<Skeleton>(xdplb_program__open());
    if (skeleton->get() == nullptr) return refused_load(errno);
    for (const auto& map : kMaps) {
      bpf_map* object_map = bpf_object__find_map_by_name(skeleton->get()->obj, map.object_name);
      if (object_map == nullptr)
        return fail(ErrorCode::kFailed, fmt::format("map \"{}\" is missing in the program", map.name));
      if (reused == nullptr) continue;
      const int error = bpf_map__reuse_fd(object_map, (reused->*map.descriptor).get());
      if (error != 0) return os_error(map_path(pin_dir, map.name).string(), -error);
    }
    skeleton->get()->rodata->clock_shift = tick.shift;
    if (reused != nullptr) return skeleton;
    bpf_map__set_max_entries(skeleton->get()->maps.flows, flows.entries / XDPLB_FLOW_WAYS);
    bpf_map__set_max_entries(skeleton->get()->maps.flow_details, flows.entries);
    return skeleton;
  }

 private:
  xdplb_program* skeleton_;
};

namespace {

Result<MapDescriptors> pin_new(const xdplb_program* skeleton, const std::filesystem::path& pin_dir) {
  std::error_code failure;
  std::filesystem::create_directories(pin_dir / "maps", failure);
  if (failure) return os_error((pin_dir / "maps").string(), failure.value());
  MapDescriptors maps;
  for (const auto& map : kMaps) {
    const bpf_map* object_map = bpf_object__find_map_by_name(skeleton->obj, map.object_name);
    const int fd = bpf_map__fd(object_map);
    const auto path = map_path(pin_dir, map.name);
    const int error = bpf_obj_pin(fd, path.c_str());
    if (error != 0) return os_error("pin " + path.string(), -error);
    maps.*map.descriptor = FileDescriptor(::dup(fd));
  }
  return maps;
}

// What is chosen once for the life of the maps.
Result<void> begin_settings(const KernelTables& tables) {
  auto& settings = tables.settings();
  if (::getrandom(settings.flow_seeds, sizeof(settings.flow_seeds), 0) != sizeof(settings.flow_seeds))
    return os_error("random numbers", errno);
  settings.flow_seeds[1] |= 1;
  settings.flow_bucket_mask = static_cast<std::uint32_t>(tables.flows().size()) - 1;
  settings.clock_offset = 0;
  const auto now = tables.now();
  if (!now) return now.error();
  settings.clock_offset = 1 - *now;  // the first stamp is 1: 0 is none
  return {};
}

Result<MapDescriptors> duplicate(const MapDescriptors& maps) {
  MapDescriptors copies;
  for (const auto& map : kMaps) {
    const int fd = ::dup((maps.*map.descriptor).get());
    if (fd < 0) return os_error("dup", errno);
    copies.*map.descriptor = FileDescriptor(fd);
  }
  return copies;
}

}  // namespace

Result<std::unique_ptr<Program>> Program::open(const std::filesystem::path& pin_dir, FlowCapacity flows) {
  if (!std::has_single_bit(flows.entries) || flows.entries < XDPLB_MIN_FLOWS || flows.entries > XDPLB_MAX_FLOWS) {
    return fail(ErrorCode::kUsage, fmt::format("{} flows: the table has a power of two of entries from {} to {}",
                                               flows.entries, +XDPLB_MIN_FLOWS, +XDPLB_MAX_FLOWS));
  }
  if (!is_on_bpffs(pin_dir)) {
    return fail(ErrorCode::kFailed,
                fmt::format("{} is not on a bpffs: `mount -t bpf bpf /sys/fs/bpf` (inside a network "
                            "namespace enter with nsenter, `ip netns exec` hides it)",
                            pin_dir.string()));
  }
  auto pinned = open_pinned(pin_dir);
  if (!pinned) return pinned.error();
  const bool adopted = pinned->has_value();
  if (!adopted) remove_pins(pin_dir);
  const auto tick = TickLength::measure();
  auto skeleton = Skeleton::open(pin_dir, adopted ? &**pinned : nullptr, flows, tick);
  if (!skeleton) return skeleton.error();
  const int error = xdplb_program__load((*skeleton)->get());
  if (error != 0) return refused_load(-error);
  auto maps = adopted ? duplicate(**pinned) : pin_new((*skeleton)->get(), pin_dir);
  if (!maps) {
    if (!adopted) remove_pins(pin_dir);
    return maps.error();
  }
  Clock clock(FileDescriptor(::dup(bpf_program__fd((*skeleton)->get()->progs.xdplb_clock))), tick);
  auto tables = KernelTables::open(std::move(*maps), std::move(clock));
  if (!tables) return tables.error();
  if (auto begun = adopted ? Result<void>() : begin_settings(*tables); !begun) return begun.error();
  std::unique_ptr<Program> program(new Program());
  program->pin_dir_ = pin_dir;
  program->adopted_ = adopted;
  program->skeleton_ = std::move(*skeleton);
  program->tables_ = std::make_unique<KernelTables>(std::move(*tables));
  // Last: from now on the set of pins is complete.
  program->tables_->settings().layout_version = XDPLB_LAYOUT_VERSION;
  return program;
}

void Program::ObjectDeleter::operator()(bpf_object* object) const { bpf_object__close(object); }

namespace {

Result<Program::Object> open_object() {
  std::size_t size = 0;
  const void* bytes = xdplb_program__elf_bytes(&size);
  bpf_object_open_opts options{};
  options.sz = sizeof(options);
  options.object_name = "xdplb_program";
  Program::Object object(bpf_object__open_mem(bytes, size, &options));
  if (!object) return os_error("open the XDP program", errno);
  return object;
}

}  // namespace

Result<Program::Object> Program::open_small() {
  libbpf_set_print(keep_libbpf_text);
  g_libbpf_text.clear();
  auto object = open_object();
  if (!object) return object;
  bpf_map__set_max_entries(bpf_object__find_map_by_name(object->get(), XDPLB_MAP_FLOWS),
                           XDPLB_MIN_FLOWS / XDPLB_FLOW_WAYS);
  bpf_map__set_max_entries(bpf_object__find_map_by_name(object->get(), XDPLB_MAP_FLOW_DETAILS), XDPLB_MIN_FLOWS);
  return object;
}

Result<bool> Program::try_load() {
  const auto object = open_small();
  if (!object) return object.error();
  if (const int error = bpf_object__load(object->get()); error != 0) return refused_load(-error);
  bpf_prog_info info{};
  std::uint32_t length = sizeof(info);
  const int program = bpf_program__fd(bpf_object__find_program_by_name(object->get(), "xdplb_dispatch"));
  if (bpf_obj_get_info_by_fd(program, &info, &length) != 0) return os_error("look at the XDP program", errno);
  return info.jited_prog_len != 0;
}

bool Program::is_pinned(const std::filesystem::path& pin_dir) {
  const auto pinned = open_pinned(pin_dir);
  return pinned && pinned->has_value();
}

Program::~Program() = default;

int Program::descriptor() const { return bpf_program__fd(skeleton_->get()->progs.xdplb_dispatch); }

std::uint32_t Program::id() const {
  bpf_prog_info info{};
  std::uint32_t length = sizeof(info);
  return bpf_obj_get_info_by_fd(descriptor(), &info, &length) == 0 ? info.id : 0;
}

Result<Program::Object> Program::open_sharing_maps() const {
  auto object = open_object();
  if (!object) return object;
  for (const auto& map : kMaps) {
    const bpf_map* loaded = bpf_object__find_map_by_name(skeleton_->get()->obj, map.object_name);
    const int error =
        bpf_map__reuse_fd(bpf_object__find_map_by_name(object->get(), map.object_name), bpf_map__fd(loaded));
    if (error != 0) return os_error(fmt::format("map \"{}\": share", map.name), -error);
  }
  std::size_t constants_size = 0;
  const void* constants = bpf_map__initial_value(skeleton_->get()->maps.rodata, &constants_size);
  bpf_map* own = bpf_object__find_map_by_name(object->get(), ".rodata");
  if (const int error = bpf_map__set_initial_value(own, constants, constants_size); error != 0)
    return os_error("constants of the XDP program: share", -error);
  // Only the clock of this process is asked.
  bpf_program__set_autoload(bpf_object__find_program_by_name(object->get(), "xdplb_clock"), false);
  return object;
}

Result<void> Program::unpin() {
  remove_pins(pin_dir_);
  std::error_code failure;
  std::filesystem::remove(pin_dir_ / "links", failure);
  std::filesystem::remove(pin_dir_, failure);
  if (failure) return os_error("remove " + pin_dir_.string(), failure.value());
  return {};
}

}  // namespace xdplb
