// SPDX-License-Identifier: GPL-2.0-only
// Words of the command line as values of the model. Errors: kUsage, naming the option or object and the text.
#pragma once

#include "model/config.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace xdplb {

// `what` names the object in messages.
Result<std::string> typed_name(const std::string& text, std::string_view what);
Result<PortPath> typed_port(const std::string& text);
Result<ServerPath> typed_server(const std::string& text);

// Addresses with commas between them, at most `max`: the adapters of one server, or reach targets.
Result<std::vector<IpAddress>> typed_list(const std::string& text, std::size_t max);
// The address of a VIPA, the name of an interface.
Result<IpAddress> typed_vipa(const std::string& text);
Result<std::string> typed_interface(const std::string& text);

struct TypedAddresses {
  std::vector<IpAddress> addresses;
  std::vector<IpPrefix> prefixes;
};
Result<TypedAddresses> typed_addresses(const std::vector<std::string>& texts);

Result<unsigned> typed_weight(const std::string& text);
Result<Family> typed_family(const std::string& text);
Result<bool> typed_switch(std::string_view option, const std::string& text);  // on, off
Result<unsigned> typed_count(std::string_view option, const std::string& text, unsigned max, unsigned min = 0);

// What a parser of the model made of an option's text; its message gets the option's name.
template <typename T>
Result<T> of_option(std::string_view option, Result<T> parsed) {
  if (parsed) return parsed;
  return fail(ErrorCode::kUsage, std::string(option) + ": " + parsed.error().message);
}

// Reads options one by one until one is wrong.
class OptionReader {
 public:
  // Nothing happens when the option was not said.
  template <typename T, typename Parse>
  void read(std::string_view option, const std::optional<std::string>& text, std::optional<T>& field, Parse parse) {
    if (!text || error_) return;
    const auto parsed = of_option(option, parse(*text));
    if (parsed) {
      field = *parsed;
    } else {
      error_ = parsed.error();
    }
  }
  const std::optional<Error>& error() const { return error_; }

 private:
  std::optional<Error> error_;
};

}  // namespace xdplb
