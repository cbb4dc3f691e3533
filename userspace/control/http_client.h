// SPDX-License-Identifier: GPL-2.0-only
// One call of the API over the instance's socket.
#pragma once

#include "base/file_descriptor.h"
#include "control/request.h"

#include <sys/types.h>

#include <chrono>
#include <filesystem>

namespace xdplb {

// Connects, sends, waits for the reply and closes. Blocks the calling thread.
//
// socket   .../INSTANCE/api.sock: the instance named in messages is the folder's
// timeout  for the whole call
// Errors: kUnreachable when no daemon answers, kPermission when the socket may not be opened, kTimedOut; else the Error
// the daemon replied with, or kFailed when what came is not a reply.
Reply call(const std::filesystem::path& socket, const Request& request, std::chrono::milliseconds timeout);

// Connects to a unix stream socket within `timeout`. Errors: os_error with `*number` set to the errno (0 on success).
Result<FileDescriptor> connect_socket(const std::filesystem::path& socket, std::chrono::milliseconds timeout,
                                      int* number);

// The process that listens on the socket, in the caller's pid namespace. Errors: as of call().
Result<pid_t> daemon_pid(const std::filesystem::path& socket, std::chrono::milliseconds timeout);

}  // namespace xdplb
