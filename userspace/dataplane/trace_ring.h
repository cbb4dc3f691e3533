// SPDX-License-Identifier: GPL-2.0-only
// TraceRing: the records that the program writes for who asked to see its verdicts.
#pragma once

#include "base/result.h"
#include "xdplb/maps.h"

#include <functional>
#include <memory>

struct ring_buffer;

namespace xdplb {

class TraceRing {
 public:
  using Sink = std::function<void(const xdplb_trace_record&)>;

  // map  descriptor of the map "trace", which must outlive this
  // sink  called by read() for each record
  // Errors: os_error.
  static Result<std::unique_ptr<TraceRing>> open(int map, Sink sink);
  TraceRing(const TraceRing&) = delete;
  TraceRing& operator=(const TraceRing&) = delete;

  // Hands out everything that is there, without waiting. Errors: os_error.
  Result<void> read();

 private:
  struct Deleter {
    void operator()(ring_buffer* ring) const;
  };
  explicit TraceRing(Sink sink) : sink_(std::move(sink)) {}
  static int receive(void* self, void* data, std::size_t size);

  Sink sink_;
  std::unique_ptr<ring_buffer, Deleter> ring_;
};

}  // namespace xdplb
