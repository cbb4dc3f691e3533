// SPDX-License-Identifier: GPL-2.0-only
#include "dataplane/trace_ring.h"

#include <bpf/libbpf.h>

#include <cerrno>
#include <cstring>

namespace xdplb {

void TraceRing::Deleter::operator()(ring_buffer* ring) const { ring_buffer__free(ring); }

Result<std::unique_ptr<TraceRing>> TraceRing::open(int map, Sink sink) {
  std::unique_ptr<TraceRing> trace(new TraceRing(std::move(sink)));
  trace->ring_.reset(ring_buffer__new(map, receive, trace.get(), nullptr));
  if (!trace->ring_) return os_error("map \"" XDPLB_MAP_TRACE "\"", errno);
  return trace;
}

int TraceRing::receive(void* self, void* data, std::size_t size) {
  xdplb_trace_record record{};
  if (size < sizeof(record)) return 0;
  std::memcpy(&record, data, sizeof(record));
  static_cast<TraceRing*>(self)->sink_(record);
  return 0;
}

Result<void> TraceRing::read() {
  const int count = ring_buffer__consume(ring_.get());
  if (count < 0) return os_error("map \"" XDPLB_MAP_TRACE "\"", -count);
  return {};
}

}  // namespace xdplb
