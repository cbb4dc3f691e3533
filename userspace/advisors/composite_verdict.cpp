// SPDX-License-Identifier: GPL-2.0-only
#include "advisors/composite_verdict.h"

#include <algorithm>
#include <cassert>
#include <functional>
#include <optional>

namespace xdplb {
namespace {

std::size_t needed_of(Combine combine, unsigned at_least, std::size_t parts) {
  switch (combine) {
    case Combine::kAny:
      return 1;
    case Combine::kAtLeast:
      return at_least;
    case Combine::kAll:
      break;
  }
  return parts;
}

template <typename Value, typename Better>
void merge(std::optional<Value>& kept, const std::optional<Value>& other, Better is_better) {
  if (other && (!kept || is_better(*other, *kept))) kept = other;
}

void merge_words(AgentWords& kept, const AgentWords& other) {
  merge(kept.weight_percent, other.weight_percent, std::less<>());
  merge(kept.admin, other.admin, std::greater<>());
  merge(kept.is_up, other.is_up, std::less<>());  // false before true
}

template <typename Claim>
const CompositePart* first_of(const std::vector<CompositePart>& parts, Claim holds) {
  const auto found =
      std::find_if(parts.begin(), parts.end(), [&](const CompositePart& part) { return holds(part.result); });
  return found == parts.end() ? nullptr : &*found;
}

bool is_unsure(const CheckResult& result) { return result.code == CheckCode::kSocketError; }

const CompositePart& decisive(const std::vector<CompositePart>& parts, std::size_t up, std::size_t unsure,
                              std::size_t needed) {
  const CompositePart* found = nullptr;
  if (up >= needed) {
    found = first_of(parts, [](const CheckResult& result) { return result.code == CheckCode::kL7OkConditional; });
    if (found == nullptr) found = first_of(parts, [](const CheckResult& result) { return result.ok(); });
  } else if (up + unsure >= needed) {
    found = first_of(parts, is_unsure);
  } else {
    found = first_of(parts, [](const CheckResult& result) { return !result.ok() && !is_unsure(result); });
  }
  return found == nullptr ? parts.front() : *found;
}

}  // namespace

CheckResult combine_results(const std::vector<CompositePart>& parts, Combine combine, unsigned at_least) {
  assert(!parts.empty());
  const auto count = [&](auto claim) {
    return static_cast<std::size_t>(std::count_if(parts.begin(), parts.end(), claim));
  };
  const std::size_t up = count([](const CompositePart& part) { return part.result.ok(); });
  const std::size_t unsure = count([](const CompositePart& part) { return is_unsure(part.result); });
  const CompositePart& part = decisive(parts, up, unsure, needed_of(combine, at_least, parts.size()));
  CheckResult result;
  result.code = part.result.code;
  const std::string said = part.result.text.empty() ? std::string(check_code_text(result.code)) : part.result.text;
  result.text = clean_text(part.name + ": " + said + " (" + std::to_string(up) + " of " + std::to_string(parts.size()) +
                           " are up)");
  for (const CompositePart& one : parts) {
    result.latency = std::max(result.latency, one.result.latency);
    merge(result.load, one.result.load, std::greater<>());
    merge(result.certificate_end, one.result.certificate_end, std::less<>());
    merge_words(result.agent, one.result.agent);
  }
  return result;
}

}  // namespace xdplb
