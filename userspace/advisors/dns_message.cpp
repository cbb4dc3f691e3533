// SPDX-License-Identifier: GPL-2.0-only
#include "advisors/dns_message.h"

#include "net/address.h"
#include "net/wire.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <utility>

namespace xdplb {
namespace {

constexpr std::size_t kHeaderBytes = 12;
constexpr std::size_t kMaxLabel = 63;
constexpr std::size_t kMaxName = 255;  // on the wire, with lengths and the root's
constexpr std::uint16_t kClassIn = 1;
constexpr std::uint16_t kIsReply = 0x8000;
constexpr std::uint16_t kOpcode = 0x7800;
constexpr std::uint16_t kIsTruncated = 0x0200;
constexpr std::uint16_t kWantsRecursion = 0x0100;

enum Type : std::uint16_t {
  kA = 1,
  kNs = 2,
  kCname = 5,
  kSoa = 6,
  kPtr = 12,
  kMx = 15,
  kTxt = 16,
  kAaaa = 28,
  kSrv = 33
};

constexpr std::array<std::pair<std::string_view, std::uint16_t>, 9> kTypes = {{{"A", kA},
                                                                               {"AAAA", kAaaa},
                                                                               {"CNAME", kCname},
                                                                               {"MX", kMx},
                                                                               {"NS", kNs},
                                                                               {"PTR", kPtr},
                                                                               {"SOA", kSoa},
                                                                               {"SRV", kSrv},
                                                                               {"TXT", kTxt}}};

// RFC 1035 4.1.1, RFC 2136 2.2.
constexpr std::array<std::string_view, 11> kRcodes = {"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN",
                                                      "NOTIMP",  "REFUSED", "YXDOMAIN", "YXRRSET",
                                                      "NXRRSET", "NOTAUTH", "NOTZONE"};

char lower(char letter) { return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter; }

bool equal_letters(std::string_view left, std::string_view right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](char a, char b) { return lower(a) == lower(b); });
}

std::string_view without_end_dot(std::string_view name) {
  if (name.size() > 1 && name.ends_with('.')) name.remove_suffix(1);
  return name;
}

void append_be16(std::string& bytes, std::uint16_t value) {
  bytes += static_cast<char>(value >> 8);
  bytes += static_cast<char>(value & 0xff);
}

// A label as text: RFC 4343 2.1 writes what could be mistaken with a backslash.
void append_label(std::string& text, std::span<const std::uint8_t> label) {
  for (const std::uint8_t byte : label) {
    if (byte == '.' || byte == '\\') {
      text += '\\';
      text += static_cast<char>(byte);
    } else if (byte > 0x20 && byte < 0x7f) {
      text += static_cast<char>(byte);
    } else {
      text += fmt::format("\\{:03}", byte);
    }
  }
}

// Reads forward through a message; a read beyond its end fails it for good.
class Reader {
 public:
  Reader(std::span<const std::uint8_t> message, std::size_t at) : message_(message), at_(at) {}

  bool ok() const { return ok_; }
  std::size_t at() const { return at_; }

  std::uint64_t number(std::size_t size) {
    const auto bytes = take(size);
    return bytes.empty() ? 0 : load_be(bytes.data(), size);
  }
  std::uint16_t u16() { return static_cast<std::uint16_t>(number(2)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(number(4)); }

  // Empty when there are fewer.
  std::span<const std::uint8_t> take(std::size_t size) {
    if (!ok_ || size > message_.size() - at_) {
      ok_ = false;
      return {};
    }
    const auto bytes = message_.subspan(at_, size);
    at_ += size;
    return bytes;
  }

  // Goes on behind the name. A pointer must lead to before the place where the name (or the part that the last pointer
  // led to) began, so that the way has an end (RFC 1035 4.1.4: "a prior occurrence").
  std::string name() {
    std::string text;
    std::size_t part_began = at_;
    std::size_t at = at_;
    std::size_t used = 1;
    bool has_jumped = false;
    while (ok_ && at < message_.size()) {
      const std::uint8_t length = message_[at];
      if (length == 0) {
        if (!has_jumped) at_ = at + 1;
        return text.empty() ? "." : text;
      }
      if ((length & 0xc0) == 0xc0) {
        if (at + 1 >= message_.size()) break;
        const std::size_t target = load_be16(&message_[at]) & 0x3fff;
        if (target >= part_began) break;
        if (!has_jumped) at_ = at + 2;
        has_jumped = true;
        at = part_began = target;
        continue;
      }
      used += std::size_t{1} + length;
      if (length > kMaxLabel || used > kMaxName || length >= message_.size() - at) break;
      if (!text.empty()) text += '.';
      append_label(text, message_.subspan(at + 1, length));
      at += std::size_t{1} + length;
    }
    ok_ = false;
    return {};
  }

 private:
  std::span<const std::uint8_t> message_;
  std::size_t at_;
  bool ok_ = true;
};

std::string read_address(Reader& reader, bool is_v4) {
  const auto bytes = reader.take(is_v4 ? 4 : 16);
  if (bytes.empty()) return {};
  std::array<std::uint8_t, 16> v6{};
  std::copy(bytes.begin(), bytes.end(), v6.begin());
  if (is_v4) return IpAddress::v4({v6[0], v6[1], v6[2], v6[3]}).to_string();
  return IpAddress::v6(v6).to_string();
}

std::string read_soa(Reader& reader) {
  std::string text = reader.name();
  text += ' ' + reader.name();
  for (int i = 0; i < 5; ++i) text += ' ' + std::to_string(reader.u32());
  return text;
}

std::string read_srv(Reader& reader) {
  std::string text;
  for (int i = 0; i < 3; ++i) text += std::to_string(reader.u16()) + ' ';
  return text + reader.name();
}

std::string read_txt(Reader& reader, std::size_t end) {
  std::string text;
  while (reader.ok() && reader.at() < end) {
    const auto bytes = reader.take(reader.number(1));
    text.append(bytes.begin(), bytes.end());
  }
  return text;
}

// The data of a record as text; nullopt for a type without one.
std::optional<std::string> read_data(Reader& reader, std::uint16_t type, std::size_t end) {
  switch (type) {
    case kA:
    case kAaaa:
      return read_address(reader, type == kA);
    case kCname:
    case kNs:
    case kPtr:
      return reader.name();
    case kMx: {
      std::string text = std::to_string(reader.u16()) + ' ';
      return text + reader.name();
    }
    case kSoa:
      return read_soa(reader);
    case kSrv:
      return read_srv(reader);
    case kTxt:
      return read_txt(reader, end);
    default:
      return std::nullopt;
  }
}

// One record of the answer section. False: it is broken.
bool read_answer(std::span<const std::uint8_t> message, Reader& reader, std::vector<std::string>& answers) {
  reader.name();
  const std::uint16_t type = reader.u16();
  const std::uint16_t record_class = reader.u16();
  reader.u32();  // time to live
  const std::size_t size = reader.u16();
  const std::size_t begin = reader.at();
  reader.take(size);
  if (!reader.ok()) return false;
  if (record_class != kClassIn) return true;
  // Names in the data may point to before it, never beyond its end.
  Reader data(message.first(begin + size), begin);
  auto text = read_data(data, type, begin + size);
  if (!text) return true;
  if (!data.ok() || data.at() != begin + size) return false;
  answers.push_back(std::move(*text));
  return true;
}

Error no_reply(const char* why) { return fail(ErrorCode::kFailed, std::string("no reply: ") + why); }

}  // namespace

std::optional<std::uint16_t> dns_type(std::string_view name) {
  for (const auto& [known, type] : kTypes) {
    if (equal_letters(known, name)) return type;
  }
  return std::nullopt;
}

std::string dns_rcode_name(unsigned rcode) {
  return rcode < kRcodes.size() ? std::string(kRcodes[rcode]) : "RCODE" + std::to_string(rcode);
}

Result<std::string> encode_dns_query(std::uint16_t id, const DnsQuestion& question) {
  auto wrong = [&](const char* why) { return fail(ErrorCode::kUsage, "DNS name \"" + question.name + "\": " + why); };
  std::string bytes;
  append_be16(bytes, id);
  append_be16(bytes, kWantsRecursion);
  append_be16(bytes, 1);                            // question
  bytes.append(kHeaderBytes - bytes.size(), '\0');  // and nothing in the other sections
  const auto is_plain = [](char letter) { return letter > ' ' && letter <= '~' && letter != '\\'; };
  if (!std::all_of(question.name.begin(), question.name.end(), is_plain)) return wrong("has a byte that no name has");
  std::string_view rest = question.name == "." ? std::string_view{} : without_end_dot(question.name);
  if (rest.empty() && question.name != ".") return wrong("is empty; the root is \".\"");
  while (!rest.empty()) {
    const std::size_t size = std::min(rest.find('.'), rest.size());
    if (size == 0) return wrong("has an empty label");
    if (size > kMaxLabel) return wrong("has a label of more than 63 bytes");
    bytes += static_cast<char>(size);
    bytes += rest.substr(0, size);
    rest.remove_prefix(std::min(size + 1, rest.size()));
  }
  bytes += '\0';
  if (bytes.size() > kHeaderBytes + kMaxName) return wrong("has more than 255 bytes");
  append_be16(bytes, question.type);
  append_be16(bytes, kClassIn);
  return bytes;
}

Result<DnsReply> decode_dns_reply(std::string_view message, std::uint16_t id, const DnsQuestion& question) {
  const std::span<const std::uint8_t> bytes(reinterpret_cast<const std::uint8_t*>(message.data()), message.size());
  Reader reader(bytes, 0);
  const std::uint16_t its_id = reader.u16();
  const std::uint16_t flags = reader.u16();
  const std::uint16_t questions = reader.u16();
  const std::uint16_t records = reader.u16();
  reader.u32();  // the counts of the sections behind
  if (!reader.ok()) return no_reply("shorter than a DNS header");
  if ((flags & kIsReply) == 0) return no_reply("a query");
  if (its_id != id) return no_reply("another id");
  if ((flags & kOpcode) != 0) return no_reply("another opcode");
  DnsReply reply{.is_truncated = (flags & kIsTruncated) != 0, .rcode = flags & 0xfU};
  if (questions > 1 || (questions == 0 && reply.rcode == 0)) return no_reply("not one question");
  if (questions == 1) {
    const std::string name = reader.name();
    const std::uint16_t type = reader.u16();
    const std::uint16_t its_class = reader.u16();
    if (!reader.ok()) return no_reply("its question is broken");
    if (!is_dns_answer(name, question.name) || type != question.type || its_class != kClassIn) {
      return no_reply("to another question");
    }
  }
  for (std::size_t i = 0; i < records && i < kMaxDnsAnswers; ++i) {
    if (read_answer(bytes, reader, reply.answers)) continue;
    if (reply.is_truncated) break;  // some servers cut within a record
    return no_reply("a broken record");
  }
  return reply;
}

bool is_dns_answer(std::string_view answer, std::string_view wanted) {
  if (equal_letters(answer, without_end_dot(wanted)) || answer == wanted) return true;
  const auto address = IpAddress::parse(wanted);
  return address && address->to_string() == answer;
}

}  // namespace xdplb
