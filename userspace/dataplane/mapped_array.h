// SPDX-License-Identifier: GPL-2.0-only
// MappedArray<T>: the values of a BPF_F_MMAPABLE array map as memory shared with the program.
#pragma once

#include "base/result.h"

#include <sys/mman.h>

#include <cerrno>
#include <cstddef>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

namespace xdplb {

template <typename T>
class MappedArray {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) % 8 == 0, "the kernel rounds values up to 8 bytes");

 public:
  MappedArray() = default;
  // fd     of the map; may be closed afterwards
  // count  entries of the map
  static Result<MappedArray> open(int fd, std::size_t count, const std::string& name) {
    void* memory = ::mmap(nullptr, count * sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) return os_error("map \"" + name + "\": mmap", errno);
    return MappedArray(static_cast<T*>(memory), count);
  }
  MappedArray(MappedArray&& other) noexcept
      : values_(std::exchange(other.values_, nullptr)), count_(std::exchange(other.count_, 0)) {}
  MappedArray& operator=(MappedArray&& other) noexcept {
    std::swap(values_, other.values_);
    std::swap(count_, other.count_);
    return *this;
  }
  MappedArray(const MappedArray&) = delete;
  MappedArray& operator=(const MappedArray&) = delete;
  ~MappedArray() {
    if (values_ != nullptr) ::munmap(values_, count_ * sizeof(T));
  }

  std::span<T> values() const { return {values_, count_}; }
  T& operator[](std::size_t index) const { return values_[index]; }

 private:
  MappedArray(T* values, std::size_t count) : values_(values), count_(count) {}

  T* values_ = nullptr;
  std::size_t count_ = 0;
};

}  // namespace xdplb
