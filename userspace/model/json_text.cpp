// SPDX-License-Identifier: GPL-2.0-only
#include "model/json_text.h"

#include "model/text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>
#include <vector>

namespace xdplb {
namespace {

using nlohmann::json;

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// Marks in the library's messages, and the id of its error for a number that no double can hold.
constexpr std::string_view kLastRead = "; last read: '";
constexpr std::string_view kExpectedMark = "; expected ";
constexpr int kNumberOverflow = 406;

// Walks the text and tells `*reached` how far the parser has come: the library's events carry no position.
class TrackedIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  TrackedIterator(const char* at, const char** reached) : at_(at), reached_(reached) {}
  reference operator*() const { return *at_; }
  TrackedIterator& operator++() {
    *reached_ = ++at_;
    return *this;
  }
  TrackedIterator operator++(int) {
    const TrackedIterator old = *this;
    ++*this;
    return old;
  }
  bool operator==(const TrackedIterator& other) const { return at_ == other.at_; }
  bool operator!=(const TrackedIterator& other) const { return at_ != other.at_; }

 private:
  const char* at_;
  const char** reached_;
};

std::size_t line_at(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, offset);
  return 1 + static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n'));
}

std::size_t column_at(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const std::size_t newline = before.rfind('\n');
  const std::string_view line = newline == std::string_view::npos ? before : before.substr(newline + 1);
  // UTF-8 continuation bytes belong to the character before them.
  const auto starts_character = [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; };
  return 1 + static_cast<std::size_t>(std::count_if(line.begin(), line.end(), starts_character));
}

std::string at_position(std::string_view text, std::size_t offset, std::string_view what) {
  return fmt::format("line {}, column {}: {}", line_at(text, offset), column_at(text, offset), what);
}

bool is_plain_key(std::string_view key) {
  const auto is_plain = [](char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || (letter >= '0' && letter <= '9') ||
           letter == '_' || letter == '-';
  };
  return !key.empty() && key.size() <= 64 && std::all_of(key.begin(), key.end(), is_plain);
}

// What the library expected, in its words and in a person's.
constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kExpected = {{
    {"'}'", "',' or '}'"},
    {"']'", "',' or ']'"},
    {"':'", "':'"},
    {"string literal", "a key in double quotes"},
    {"'[', '{', or a literal", "a value"},
    {"end of input", "the end of the document"},
}};

// The library says "[json...] parse error at ...: syntax error while parsing X - PROBLEM[; last read: 'TEXT'][;
// expected THING]". TEXT may be anything, so it is left out and only a THING known above is believed.
std::string plain_problem(std::string_view what) {
  const std::size_t dash = what.find(" - ");
  if (dash == std::string_view::npos) return "syntax error";
  what.remove_prefix(dash + 3);
  std::string problem(what.substr(0, std::min(what.find(kLastRead), what.find(kExpectedMark))));
  const std::size_t mark = what.rfind(kExpectedMark);
  if (mark == std::string_view::npos) return problem;
  const std::string_view thing = what.substr(mark + kExpectedMark.size());
  for (const auto& [theirs, ours] : kExpected) {
    if (theirs == thing) problem += fmt::format("; expected {}", ours);
  }
  return problem;
}

// Bytes of the token that `problem` calls unexpected. `last_token` is stale for tokens of fixed length.
std::size_t token_length(std::string_view problem, const std::string& last_token) {
  if (problem.starts_with("unexpected string literal")) return last_token.size();
  if (problem.starts_with("unexpected number literal")) return last_token.size();
  if (problem.starts_with("unexpected true literal")) return 4;
  if (problem.starts_with("unexpected null literal")) return 4;
  if (problem.starts_with("unexpected false literal")) return 5;
  return 1;  // punctuation, the end of input (which the library counts as read) or the byte that made a token invalid
}

// Builds the document from the parser's events. With a target it also notes the line of that path.
class TreeBuilder {
 public:
  TreeBuilder(std::string_view text, std::optional<std::string_view> target)
      : text_(text), target_(target), reached_(text.data()) {}

  const char** reached() { return &reached_; }
  json& document() { return document_; }
  const std::string& problem() const { return problem_; }
  std::optional<std::size_t> target_line() const { return target_line_; }

  // The events, named and typed by nlohmann::json_sax. False stops the parser.
  bool null() { return add(nullptr); }
  bool boolean(bool value) { return add(value); }
  bool number_integer(json::number_integer_t value) { return add(value); }
  bool number_unsigned(json::number_unsigned_t value) { return add(value); }
  bool number_float(json::number_float_t value, const std::string&) { return add(value); }
  bool string(std::string& value) { return add(std::move(value)); }
  bool binary(json::binary_t&) { return false; }  // JSON text has none
  bool start_object(std::size_t) { return open(json::object()); }
  bool start_array(std::size_t) { return open(json::array()); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }
  bool key(std::string& key);
  bool parse_error(std::size_t position, const std::string& last_token, const json::exception& error);

 private:
  // One open object or array; std::map and a parent that does not grow keep the pointers valid.
  struct Level {
    json* container = nullptr;
    const std::string* key = nullptr;  // of the value being read, in an object
    json* slot = nullptr;              // where that value goes
  };

  json* place(json value);
  bool add(json value) {
    place(std::move(value));
    return true;
  }
  bool open(json container);
  bool close() {
    levels_.pop_back();
    return true;
  }
  // Path of the value being read `depth` levels deep.
  std::string path(std::size_t depth) const;
  std::size_t line() const;
  void note_target();

  std::string_view text_;
  std::optional<std::string_view> target_;
  const char* reached_;
  json document_;
  std::vector<Level> levels_;
  std::string problem_;
  std::optional<std::size_t> target_line_;
};

bool TreeBuilder::key(std::string& key) {
  Level& level = levels_.back();
  const auto [position, inserted] = level.container->emplace(key, nullptr);
  if (!inserted) {
    problem_ = fmt::format("line {}: {}: duplicate key", line(), child_path(path(levels_.size() - 1), key));
    return false;
  }
  level.key = &position.key();
  level.slot = &position.value();
  note_target();
  return true;
}

bool TreeBuilder::parse_error(std::size_t position, const std::string& last_token, const json::exception& error) {
  const bool overflow = error.id == kNumberOverflow;
  const std::string what = overflow ? "number too large" : plain_problem(error.what());
  const std::size_t length = overflow ? last_token.size() : token_length(what, last_token);
  problem_ = at_position(text_, position - std::min(length, position), what);
  return false;
}

json* TreeBuilder::place(json value) {
  if (levels_.empty()) {
    document_ = std::move(value);
    return &document_;
  }
  Level& level = levels_.back();
  if (level.container->is_array()) {
    level.container->push_back(std::move(value));
    note_target();
    return &level.container->back();
  }
  *level.slot = std::move(value);
  return level.slot;
}

bool TreeBuilder::open(json container) {
  if (levels_.size() == kMaxJsonDepth) {
    const auto offset = static_cast<std::size_t>(reached_ - text_.data()) - 1;
    problem_ = at_position(text_, offset, fmt::format("nested deeper than {} levels", kMaxJsonDepth));
    return false;
  }
  levels_.push_back(Level{.container = place(std::move(container))});
  return true;
}

std::string TreeBuilder::path(std::size_t depth) const {
  std::string result;
  for (std::size_t i = 0; i < depth; ++i) {
    const Level& level = levels_[i];
    result = level.container->is_array() ? element_path(result, level.container->size() - 1)
                                         : child_path(result, *level.key);
  }
  return result;
}

// The byte read last is the end of the token or, after a number, the one behind it; both are on the token's line.
std::size_t TreeBuilder::line() const { return line_at(text_, static_cast<std::size_t>(reached_ - text_.data()) - 1); }

void TreeBuilder::note_target() {
  if (target_ && !target_line_ && path(levels_.size()) == *target_) target_line_ = line();
}

bool run(TreeBuilder& builder, std::string_view text) {
  const char* const end = text.data() + text.size();
  return json::sax_parse(TrackedIterator(text.data(), builder.reached()), TrackedIterator(end, builder.reached()),
                         &builder, json::input_format_t::json, /*strict=*/true, /*ignore_comments=*/true);
}

}  // namespace

Result<json> parse_json(std::string_view text, std::string_view source) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  // The library takes a NUL byte for the end of the text and would accept whatever follows.
  if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) {
    return fail(ErrorCode::kInvalidConfig, fmt::format("{}: {}", source, at_position(text, nul, "NUL byte")));
  }
  TreeBuilder builder(text, std::nullopt);
  if (!run(builder, text)) {
    return fail(ErrorCode::kInvalidConfig, fmt::format("{}: {}", source, builder.problem()));
  }
  // The tag is needed: in C++20 an Error, being an aggregate, can be made from a json as well.
  return Result<json>(boost::system::in_place_value, std::move(builder.document()));
}

std::string child_path(std::string_view path, std::string_view key) {
  if (!is_plain_key(key)) return fmt::format("{}[{}]", path, quote(key));
  return path.empty() ? std::string(key) : fmt::format("{}.{}", path, key);
}

std::string element_path(std::string_view path, std::size_t index) { return fmt::format("{}[{}]", path, index); }

std::optional<std::size_t> find_line(std::string_view text, std::string_view path) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  TreeBuilder builder(text, path);
  run(builder, text);
  return builder.target_line();
}

}  // namespace xdplb
