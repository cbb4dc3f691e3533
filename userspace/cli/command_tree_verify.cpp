// SPDX-License-Identifier: GPL-2.0-only
#include "cli/actions.h"
#include "cli/command_tree.h"

namespace xdplb {

void CommandTree::add_verify(CLI::App& app) {
  auto words = std::make_shared<VerifyArguments>();
  CLI::App* command = app.add_subcommand(
      "verify", "Are the servers set up right? From the dispatcher or any host of the LAN; exit code 1 when not");
  command->add_option("CLUSTER", words->cluster, "Only this cluster; none: all of them");
  command->add_option("--vipa", words->vipas, "Only this VIPA; repeated: these");
  command->add_option("--server", words->servers, "Only this server, by name or address; repeated: these");
  command->add_option("--port", words->ports, "Only this port: 80, 80/tcp, 53/udp; repeated: these");
  command->add_option("--interface", words->interface, "Ask through this one, not the one on the server's network");
  command->add_option("--owner", words->owner, "MAC that answers for the VIPAs by right; none: nobody does now");
  command->add_option("--config", words->config_file,
                      "A configuration file in place of what runs; - is standard input");
  command->add_option("--wait", words->wait, "For each answer")->capture_default_str();
  command->footer(
      "With --vipa and --server and no CLUSTER neither a daemon nor a configuration is needed. Nothing is changed: no\n"
      "neighbour table learns a VIPA. Needs root.");
  bind(*command, words, verify);
}

void CommandTree::add_doctor(CLI::App& app) {
  auto words = std::make_shared<DoctorArguments>();
  CLI::App* command = app.add_subcommand(
      "doctor", "Is this host ready to be a dispatcher? Each check with what cures it; exit code 1 when one failed");
  command->add_option("IFACE", words->interfaces, "Interfaces to look at; none: those of the configuration");
  command->add_option("--vipa", words->vipas, "VIPA to look at; repeated: these; none: those of the configuration");
  command->add_option("--config", words->config_file,
                      "A configuration file in place of what runs; - is standard input");
  command->footer(
      "Without a daemon and without words the kernel, the process's limits and the host's settings are looked at.\n"
      "Nothing is changed. --quiet leaves out what is ok. Needs root.");
  bind(*command, words, examine_host);
}

}  // namespace xdplb
