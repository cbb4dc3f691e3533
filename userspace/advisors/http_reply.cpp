// SPDX-License-Identifier: GPL-2.0-only
#include "advisors/http_reply.h"

#include "advisors/reply_match.h"

#include <fmt/format.h>

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

namespace xdplb {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;

constexpr std::string_view kProtocol = "HTTP/";
constexpr std::uint32_t kMaxHeaderBytes = 16384;
constexpr unsigned kMaxInterimReplies = 16;
constexpr int kSwitchingProtocols = 101;
constexpr std::size_t kKeptForMessages = 64;
constexpr std::size_t kShortestLastChunk = std::string_view("0\r\n\r\n").size();

// Keeps of a reply the body, as far as wanted, and nothing of the header.
class ReplyParser : public http::basic_parser<false> {
 public:
  ReplyParser(bool is_head, std::size_t max_body) : max_body_(max_body) {
    header_limit(kMaxHeaderBytes);
    body_limit(boost::none);
    eager(false);
    skip(is_head);
  }
  int status() const { return status_; }
  const std::string& body() const { return body_; }
  bool is_full() const { return body_.size() >= max_body_; }
  // Beast (1.81) asserts that an empty chunked body comes in one piece once its first line is there.
  bool needs_whole_last_chunk() const { return is_header_done() && chunked() && !has_chunk_; }

 private:
  void on_request_impl(http::verb, beast::string_view, beast::string_view, int, beast::error_code&) override {}
  void on_response_impl(int code, beast::string_view, int, beast::error_code&) override { status_ = code; }
  void on_field_impl(http::field, beast::string_view, beast::string_view, beast::error_code&) override {}
  void on_header_impl(beast::error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, beast::error_code&) override {}
  void on_chunk_header_impl(std::uint64_t, beast::string_view, beast::error_code&) override { has_chunk_ = true; }
  void on_finish_impl(beast::error_code&) override {}
  std::size_t on_body_impl(beast::string_view part, beast::error_code&) override { return keep(part); }
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view part, beast::error_code&) override {
    return keep(part);
  }
  std::size_t keep(beast::string_view part) {
    body_.append(part.data(), std::min(part.size(), max_body_ - body_.size()));
    return part.size();
  }

  std::size_t max_body_;
  bool has_chunk_ = false;
  int status_ = 0;
  std::string body_{};
};

}  // namespace

class HttpReply::Impl {
 public:
  Impl(const HttpOptions& options, std::optional<ReplyMatcher> matcher)
      : statuses_(options.statuses),
        is_head_(options.method == "HEAD"),
        max_body_(options.max_bytes),
        matcher_(std::move(matcher)) {
    parser_.emplace(is_head_, max_body_);
  }

  void take(std::string_view bytes) {
    if (begin_.size() < kKeptForMessages) begin_ += bytes.substr(0, kKeptForMessages - begin_.size());
    // Beast looks again only when the whole header is there.
    if (!begin_.starts_with(kProtocol.substr(0, begin_.size()))) {
      judge(CheckCode::kL7Response, "no HTTP reply: " + quote_bytes(begin_));
      return;
    }
    unparsed_ += bytes;
    parse();
    if (!is_judged() && unparsed_.size() > kMaxHeaderBytes) {
      judge(CheckCode::kL7Response, "no HTTP reply: a line or header of more than 16384 bytes");
    }
  }

  void end() {
    if (is_judged()) return;
    is_ended_ = true;
    parse();
    if (is_judged()) return;
    beast::error_code error;
    if (parser_->is_header_done() && parser_->need_eof()) {
      parser_->put_eof(error);
      judge_body();
    } else {
      judge(CheckCode::kL7Response, "connection ended " + doing());
    }
  }

  bool is_judged() const { return verdict_.code != CheckCode::kNone; }
  const Verdict& verdict() const { return verdict_; }

  std::string doing() const {
    if (begin_.empty()) return "waiting for a reply";
    if (!parser_->is_header_done()) return "in the header of the reply, got " + quote_bytes(begin_);
    const auto length = parser_->content_length();
    if (!length) return fmt::format("in the body after {} bytes", parser_->body().size());
    return fmt::format("in the body after {} of {} bytes", parser_->body().size(), *length);
  }

  std::string summary() const {
    if (!parser_->is_header_done()) return {};
    const auto length = parser_->content_length();
    if (matcher_ || parser_->is_done()) {
      return fmt::format("HTTP {}, {} bytes{}", parser_->status(), parser_->body().size(),
                         parser_->is_done() ? "" : " read");
    }
    if (length) return fmt::format("HTTP {}, {} bytes", parser_->status(), *length);
    return fmt::format("HTTP {}", parser_->status());
  }

 private:
  void parse() {
    std::string_view rest = unparsed_;
    while (!is_judged() && parse_one(rest)) {
    }
    unparsed_.erase(0, unparsed_.size() - rest.size());
  }

  // Parses the next part of the reply. False: it needs more bytes.
  bool parse_one(std::string_view& rest) {
    const bool had_header = parser_->is_header_done();
    if (rest.empty()) return false;
    if (!is_ended_ && parser_->needs_whole_last_chunk() && rest.size() < kShortestLastChunk) return false;
    beast::error_code error;
    rest.remove_prefix(parser_->put(boost::asio::buffer(rest.data(), rest.size()), error));
    if (error == http::error::need_more) return false;
    if (error) {
      judge(CheckCode::kL7Response, fmt::format("no HTTP reply: {}: {}", error.message(), quote_bytes(begin_)));
    } else if (!had_header && parser_->is_header_done()) {
      judge_header();
    } else if (parser_->is_done() || parser_->is_full()) {
      judge_body();
    }
    return true;
  }

  void judge_header() {
    const int status = parser_->status();
    // RFC 9110 15.2: a client skips them, asked for or not. 101 is the last word in HTTP.
    if (status < 200 && status != kSwitchingProtocols) {
      if (++interim_replies_ > kMaxInterimReplies) {
        judge(CheckCode::kL7Response, fmt::format("no end of interim replies, HTTP {}", status));
        return;
      }
      parser_.emplace(is_head_, max_body_);
      return;
    }
    const bool is_accepted = std::any_of(statuses_.begin(), statuses_.end(), [status](const StatusRange& range) {
      return range.first <= status && status <= range.last;
    });
    if (!is_accepted) {
      judge(CheckCode::kL7Status, fmt::format("HTTP {}", status));
    } else if (!matcher_) {
      judge(CheckCode::kL7Ok, fmt::format("HTTP {}", status));
    } else if (parser_->is_done()) {
      judge_body();
    }
  }

  void judge_body() {
    const std::string& body = parser_->body();
    if (matcher_->is_in(body)) {
      judge(CheckCode::kL7Ok, fmt::format("HTTP {}", parser_->status()));
    } else {
      judge(CheckCode::kL7Response, fmt::format("HTTP {}, no {} in {} bytes: {}", parser_->status(), matcher_->name(),
                                                body.size(), quote_bytes(body)));
    }
  }

  void judge(CheckCode code, std::string text) { verdict_ = {code, std::move(text)}; }

  std::vector<StatusRange> statuses_;
  bool is_head_;
  std::size_t max_body_;
  std::optional<ReplyMatcher> matcher_;
  std::optional<ReplyParser> parser_{};
  std::string unparsed_{};
  std::string begin_{};  // of all that came, for messages
  unsigned interim_replies_ = 0;
  bool is_ended_ = false;
  Verdict verdict_{};
};

HttpReply::HttpReply(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpReply::HttpReply(HttpReply&&) noexcept = default;
HttpReply& HttpReply::operator=(HttpReply&&) noexcept = default;
HttpReply::~HttpReply() = default;

Result<HttpReply> HttpReply::make(const HttpOptions& options) {
  std::optional<ReplyMatcher> matcher;
  if (options.body) {
    auto made = ReplyMatcher::make(*options.body);
    if (!made) return made.error();
    matcher = std::move(*made);
  }
  return HttpReply(std::make_unique<Impl>(options, std::move(matcher)));
}

bool HttpReply::take(std::string_view bytes) {
  impl_->take(bytes);
  return !impl_->is_judged();
}

void HttpReply::end() { impl_->end(); }
const Verdict& HttpReply::verdict() const { return impl_->verdict(); }
std::string HttpReply::doing() const { return impl_->doing(); }
std::string HttpReply::summary() const { return impl_->summary(); }

std::string http_request(const HttpOptions& options, const IpAddress& server, std::uint16_t port,
                         std::uint16_t usual_port) {
  std::string host = options.host;
  if (host.empty()) {
    host = server.is_v4() ? server.to_string() : "[" + server.to_string() + "]";
    if (port != usual_port) host += fmt::format(":{}", port);
  }
  std::string request = fmt::format("{} {} HTTP/1.1\r\n", options.method, options.path);
  const auto add = [&](std::string_view name, std::string_view value) {
    const bool is_said = std::any_of(options.headers.begin(), options.headers.end(),
                                     [name](const auto& field) { return beast::iequals(field.first, name); });
    if (!is_said) request += fmt::format("{}: {}\r\n", name, value);
  };
  add("Host", host);
  add("User-Agent", "xdplb/" XDPLB_VERSION);
  add("Accept", "*/*");
  add("Connection", "close");
  // RFC 9110 8.6: methods that usually carry content say that there is none.
  if (options.method == "POST" || options.method == "PUT" || options.method == "PATCH") add("Content-Length", "0");
  for (const auto& [name, value] : options.headers) request += fmt::format("{}: {}\r\n", name, value);
  return request + "\r\n";
}

}  // namespace xdplb
