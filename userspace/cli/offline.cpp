// SPDX-License-Identifier: GPL-2.0-only
#include "cli/offline.h"

#include "base/file_descriptor.h"
#include "cli/start_daemon.h"
#include "control/problem_json.h"
#include "control/request_json.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <vector>

namespace xdplb {
namespace {

constexpr int kExecFailed = 127;

// What the program writes to its standard output, and its wait status.
struct Output {
  std::string text;
  int status = 0;
};

Result<Output> run_program(std::vector<std::string> words) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return os_error("pipe", errno);
  FileDescriptor reader(ends[0]), writer(ends[1]);
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid < 0) return os_error("fork for " + words.front(), errno);
  if (pid == 0) {
    if (::dup2(writer.get(), STDOUT_FILENO) >= 0) ::execv(argv[0], argv.data());
    ::_exit(kExecFailed);
  }
  writer = FileDescriptor();
  Output output;
  std::array<char, 65536> buffer{};
  for (ssize_t size = 0; (size = ::read(reader.get(), buffer.data(), buffer.size())) != 0;) {
    if (size > 0) output.text.append(buffer.data(), static_cast<std::size_t>(size));
    if (size < 0 && errno != EINTR) break;
  }
  while (::waitpid(pid, &output.status, 0) < 0 && errno == EINTR) {
  }
  return output;
}

}  // namespace

Reply call_offline(const Instance& instance, const std::filesystem::path& program_dir, const Request& request) {
  const HttpCall call = encode_request(request);
  if (call.method != "GET") return fail(ErrorCode::kUsage, "--offline only looks; leave it out to change something");
  const auto program = find_daemon(program_dir);
  if (!program) return program.error();
  const auto output = run_program({program->string(), "--instance", instance.name, "--answer", call.target});
  if (!output) return output.error();
  auto document = nlohmann::json::parse(output->text, nullptr, false);
  if (!WIFEXITED(output->status) || document.is_discarded())
    return fail(ErrorCode::kFailed, fmt::format("{} --answer did not answer", program->string()));
  if (WEXITSTATUS(output->status) != 0) return decode_problem(document, 0);
  return make_reply(std::move(document));
}

}  // namespace xdplb
