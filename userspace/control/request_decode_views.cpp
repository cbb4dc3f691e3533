// SPDX-License-Identifier: GPL-2.0-only
#include "control/request_decoders.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

namespace xdplb {
namespace {

// An interface name, or an address that stands for the interface that has it.
Result<void> check_interfaces(const std::vector<std::string>& names) {
  std::set<std::string_view> seen;
  for (const std::string& name : names) {
    const bool is_plain = std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < 0x7f && c != '/'; });
    if (name.empty() || name.size() > 63 || !is_plain) {
      return fail(ErrorCode::kUsage, fmt::format("interface \"{}\": this is no interface name and no address", name));
    }
    if (!seen.insert(name).second) return fail(ErrorCode::kUsage, fmt::format("interface {}: is named twice", name));
  }
  return {};
}

// The id in `after`, 0 when there is none.
Result<std::uint64_t> take_after(const Call& call, std::string_view what) {
  std::uint64_t id = 0;
  const auto text = call.find("after");
  if (!text) return id;
  const char* const end = text->data() + text->size();
  const auto [stop, error] = std::from_chars(text->data(), end, id);
  if (error != std::errc{} || stop != end)
    return bad_query(fmt::format("after is not the id of {} {}", what == "event" ? "an" : "a", what));
  return id;
}

// The words of a list with commas between them.
std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const auto comma = std::min(text.find(','), text.size());
    words.emplace_back(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return words;
}

Result<Endpoint> take_endpoint(const Call& call, std::string_view key) {
  const auto text = call.find(key);
  if (!text) return bad_query(fmt::format("{}=ADDRESS:PORT is missing", key));
  return Endpoint::parse(*text);
}

}  // namespace

Result<Request> decode_load(Call& call) {
  if (auto known = only_keys(call.body, {"interfaces", "mode", "chain", "fix_host"}); !known) return known.error();
  LoadRequest request;
  auto names = take_strings(call.body, "interfaces");
  if (!names) return names.error();
  if (auto good = check_interfaces(*names); !good) return good.error();
  request.interfaces = std::move(*names);
  if (call.body.contains("mode")) {
    auto text = take_string(call.body, "mode");
    if (!text) return text.error();
    auto mode = in_body(parse_attach_mode(*text), "mode");
    if (!mode) return mode.error();
    request.mode = *mode;
  }
  if (auto good = take_truth(call.body, "chain", request.chain); !good) return good.error();
  if (auto good = take_truth(call.body, "fix_host", request.fix_host); !good) return good.error();
  return request;
}

Result<Request> decode_unload(Call& call) {
  UnloadRequest request;
  for (auto& [key, value] : call.query) request.interfaces.push_back(std::move(value));
  if (auto good = check_interfaces(request.interfaces); !good) return good.error();
  return request;
}

Result<Request> decode_flows(Call& call) {
  if (auto good = only_one(call, "port", "server"); !good) return good.error();
  FlowsRequest request;
  if (call.find("port")) {
    auto port = take_path<PortPath>(call, "port");
    if (!port) return port.error();
    request.port = std::move(*port);
  }
  if (call.find("server")) {
    auto server = take_path<ServerPath>(call, "server");
    if (!server) return server.error();
    request.server = std::move(*server);
  }
  if (const auto text = call.find("limit")) {
    const auto limit = parse_number(*text, kMaxFlowLimit, "limit");
    if (!limit) return bad_query(limit.error().message);
    request.limit = *limit;
  }
  return request;
}

Result<Request> decode_events(Call& call) {
  const auto after = take_after(call, "event");
  if (!after) return after.error();
  return EventsRequest{.after = *after};
}

Result<Request> decode_trace(Call& call) {
  const auto after = take_after(call, "record");
  if (!after) return after.error();
  TraceRequest request{.after = *after};
  if (const auto text = call.find("sample")) {
    const auto sample = parse_number(*text, kMaxTraceSample, "sample");
    if (!sample) return bad_query(sample.error().message);
    if (*sample == 0) return bad_query("sample: 0 is not in 1..1000000");
    request.sample = *sample;
  }
  if (const auto text = call.find("outcomes")) request.outcomes = split_list(*text);
  return request;
}

Result<Request> decode_explain(Call& call) {
  const auto source = take_endpoint(call, "source");
  if (!source) return source.error();
  const auto destination = take_endpoint(call, "destination");
  if (!destination) return destination.error();
  const auto protocol = parse_protocol(call.find("protocol").value_or("tcp"));
  if (!protocol) return protocol.error();
  if (source->address.family() != destination->address.family()) {
    return fail(ErrorCode::kUsage, fmt::format("flow {} to {}: one is IPv4, the other IPv6", source->to_string(),
                                               destination->to_string()));
  }
  return ExplainRequest{.source = *source, .destination = *destination, .protocol = *protocol};
}

}  // namespace xdplb
