// SPDX-License-Identifier: GPL-2.0-only
#include "cli/run_program.h"

#include "base/file_descriptor.h"
#include "cli/start_daemon.h"
#include "control/problem_json.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

namespace xdplb {
namespace {

constexpr int kExecFailed = 127;

// What the program writes to its standard output, and its wait status.
struct Output {
  std::string text;
  int status = 0;
};

// A file without a name: the child reads it at its own pace, and nobody waits for it.
Result<FileDescriptor> make_input(std::string_view text) {
  FileDescriptor file(::memfd_create("xdplb-input", MFD_CLOEXEC));
  if (!file.is_open()) return os_error("make a file for standard input", errno);
  while (!text.empty()) {
    const ssize_t written = ::write(file.get(), text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return os_error("write standard input", errno);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::lseek(file.get(), 0, SEEK_SET) != 0) return os_error("rewind standard input", errno);
  return file;
}

Result<Output> run_program(std::vector<std::string> words, std::string_view input) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return os_error("pipe", errno);
  FileDescriptor reader(ends[0]), writer(ends[1]);
  const auto in = make_input(input);
  if (!in) return in.error();
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return os_error("fork for " + words.front(), errno);
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    const bool is_set = ::dup2(in->get(), STDIN_FILENO) >= 0 && ::dup2(writer.get(), STDOUT_FILENO) >= 0;
    if (is_set && ::getppid() == parent) ::execv(argv[0], argv.data());
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

Reply ask_program(const std::filesystem::path& program_dir, const std::vector<std::string>& words,
                  std::string_view input) {
  const auto program = find_daemon(program_dir);
  if (!program) return program.error();
  std::vector<std::string> line{program->string()};
  line.insert(line.end(), words.begin(), words.end());
  const auto output = run_program(std::move(line), input);
  if (!output) return output.error();
  auto document = nlohmann::json::parse(output->text, nullptr, false);
  if (!WIFEXITED(output->status) || document.is_discarded())
    return fail(ErrorCode::kFailed, fmt::format("{} {} did not answer", program->string(), fmt::join(words, " ")));
  if (WEXITSTATUS(output->status) != 0) return decode_problem(document, 0);
  return make_reply(std::move(document));
}

}  // namespace xdplb
