// SPDX-License-Identifier: GPL-2.0-only
#include "cli/cli.h"

#include <langinfo.h>
#include <unistd.h>

#include <clocale>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string_view>

namespace {

// https://no-color.org: any value but an empty one says no.
bool wants_colour() {
  const char* refusal = std::getenv("NO_COLOR");
  const bool is_refused = refusal != nullptr && *refusal != '\0';
  return !is_refused && ::isatty(STDOUT_FILENO) == 1;
}

bool knows_utf8() {
  return std::setlocale(LC_CTYPE, "") != nullptr && std::string_view(::nl_langinfo(CODESET)) == "UTF-8";
}

}  // namespace

int main(int argc, char** argv) {
  try {
    std::error_code ignored;
    const xdplb::CliEnvironment around{
        .in = std::cin,
        .out = std::cout,
        .err = std::cerr,
        .has_colour = wants_colour(),
        .has_utf8 = knows_utf8(),
        .program_dir = std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path(),
        .roots = {}};
    const int code = xdplb::run(argc, argv, around);
    std::cout.flush();
    if (std::cout.good()) return code;
    std::cerr << "xdplb: standard output cannot be written\n";
  } catch (const std::exception& error) {
    std::cerr << "xdplb: " << error.what() << '\n';
  }
  return 1;
}
