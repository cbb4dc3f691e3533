// SPDX-License-Identifier: GPL-2.0-only
#include "server/server_cli.h"

#include <exception>
#include <iostream>

int main(int argc, char** argv) {
  try {
    const int code = xdplb::run_server(argc, argv, {.out = std::cout, .err = std::cerr});
    std::cout.flush();
    if (std::cout.good()) return code;
    std::cerr << "xdplb-server: standard output cannot be written\n";
  } catch (const std::exception& error) {
    std::cerr << "xdplb-server: " << error.what() << '\n';
  }
  return 1;
}
