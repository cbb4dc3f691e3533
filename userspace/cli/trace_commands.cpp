// SPDX-License-Identifier: GPL-2.0-only
#include "cli/actions.h"
#include "cli/fields.h"
#include "cli/pcapng.h"
#include "cli/trace_filter.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <optional>
#include <ostream>

namespace xdplb {
namespace {

using nlohmann::json;

constexpr int kPollMs = 200;
constexpr std::uint32_t kMaxCount = 1'000'000'000;

Result<unsigned> typed_number(const std::string& text, std::uint32_t max, std::string_view option) {
  const auto number = parse_number(text, max, option);
  if (number && *number > 0) return *number;
  return fail(ErrorCode::kUsage, fmt::format("{} {}: it is a whole number from 1 to {}", option, text, max));
}

// "tcp SYN", "udp", "icmp" or the protocol's number.
std::string protocol_text(const json& record) {
  std::string text;
  switch (count_of(record, "protocol")) {
    case 1:
      text = "icmp";
      break;
    case 6:
      text = "tcp";
      break;
    case 17:
      text = "udp";
      break;
    case 58:
      text = "icmpv6";
      break;
    default:
      text = text_of(record, "protocol");
  }
  const auto flags = optional_text(record, "tcp_flags");
  return flags.empty() ? text : text + " " + flags;
}

std::string verdict_text(const json& record) {
  const auto server = optional_text(record, "server");
  const auto how = joined(list_of(record, "how"), "+");
  std::string text = text_of(record, "outcome");
  if (!server.empty()) text += " " + server;
  if (!how.empty()) text += " by " + how;
  return text;
}

// Time of day, UTC.
std::string time_text(const json& record) {
  const std::uint64_t nanoseconds = count_of(record, "time_ns");
  const std::uint64_t seconds = nanoseconds / 1'000'000'000 % 86'400;
  return fmt::format("{:02}:{:02}:{:02}.{:06}", seconds / 3600, seconds / 60 % 60, seconds % 60,
                     nanoseconds / 1000 % 1'000'000);
}

void print_record(std::ostream& out, const json& record) {
  out << fmt::format("{} {} {} > {} {} {} bytes: {}\n", time_text(record), text_of(record, "interface"),
                     text_of(record, "source"), text_of(record, "destination"), protocol_text(record),
                     count_of(record, "length"), verdict_text(record));
}

std::vector<std::uint8_t> bytes_of(const std::string& hex) {
  std::vector<std::uint8_t> bytes;
  const auto digit = [](char letter) { return letter <= '9' ? letter - '0' : letter - 'a' + 10; };
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes.push_back(static_cast<std::uint8_t>(digit(hex[i]) << 4 | digit(hex[i + 1])));
  return bytes;
}

Result<void> write_record(PcapngWriter& file, const json& record) {
  const auto frame = bytes_of(optional_text(record, "frame"));
  return file.write(text_of(record, "interface"), count_of(record, "time_ns"),
                    static_cast<std::uint32_t>(count_of(record, "length")), frame, verdict_text(record));
}

// What is to be shown, and where.
struct Trace {
  TraceFilter filter;
  std::optional<PcapngWriter> file;
  std::uint64_t left = 0;  // packets until the end; 0: no end
};

// True when the last one was shown.
Result<bool> show_records(const json& records, Trace& trace, const Context& context) {
  for (const json& record : records) {
    if (!trace.filter.matches(record)) continue;
    if (trace.file) {
      if (auto written = write_record(*trace.file, record); !written) return written.error();
    } else {
      context.show(record, [&](std::ostream& out) { print_record(out, record); });
    }
    if (trace.left != 0 && --trace.left == 0) return true;
  }
  context.around().out.flush();
  return false;
}

}  // namespace

Result<int> show_trace(const TraceArguments& arguments, const Context& context) {
  auto filter = TraceFilter::parse(arguments.filters);
  if (!filter) return filter.error();
  TraceRequest request{.outcomes = filter->outcomes()};
  Trace trace{.filter = std::move(*filter), .file = std::nullopt};
  if (arguments.count) {
    const auto count = typed_number(*arguments.count, kMaxCount, "-n");
    if (!count) return count.error();
    trace.left = *count;
  }
  if (arguments.sample) {
    const auto sample = typed_number(*arguments.sample, kMaxTraceSample, "--sample");
    if (!sample) return sample.error();
    request.sample = *sample;
  }
  // Asked before the file is touched: a daemon that refuses leaves an old one as it was.
  Reply reply = context.call(request);
  if (!reply) return reply.error();
  if (!arguments.file.empty()) {
    auto file = PcapngWriter::open(arguments.file);
    if (!file) return file.error();
    trace.file = std::move(*file);
  }
  while (true) {
    const auto is_done = show_records(list_of(*reply, "records"), trace, context);
    if (!is_done) return is_done.error();
    if (*is_done) return 0;
    const std::uint64_t last = count_of(*reply, "last");
    const auto& records = list_of(*reply, "records");
    const std::uint64_t first = records.empty() ? last + 1 : count_of(records.front(), "id");
    if (request.after != 0 && first > request.after + 1 && !records.empty())
      context.warn(
          fmt::format("{} packets came too fast to be shown; --sample shows a part", first - request.after - 1));
    request.after = std::max(request.after, last);
    ::poll(nullptr, 0, kPollMs);
    reply = context.call(request);
    if (!reply) return reply.error();
  }
}

}  // namespace xdplb
