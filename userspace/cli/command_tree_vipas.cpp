// SPDX-License-Identifier: GPL-2.0-only
// The commands for VIPAs, interfaces and the dispatcher's own settings.
#include "cli/actions.h"
#include "cli/command_tree.h"

namespace xdplb {
namespace {

constexpr const char* kVipa = "ADDRESS";
constexpr const char* kVipaHelp = "The virtual address";

void add_vipa_options(CLI::App& command, VipaSetArguments& words) {
  command.add_option("--prefer", words.prefer,
                     "A,B,C: the interfaces that may own it, by name or by an address of theirs, first choice first; "
                     "auto: the loaded ones; none: this host never answers for it");
  command.add_option("--proxy", words.proxy, "With --prefer none: the server that answers for it instead; none");
  command.add_option("--local", words.local, "on or off: it is on this host's loopback, the host is a server itself");
  command.add_option("--backup", words.backup, "on or off: own it only while nobody else answers for it");
  command.add_option("--failback", words.failback,
                     "delayed (as it is), immediate or manual: when it moves back to a better interface");
  command.add_option("--hold", words.hold, "How long that one was healthy before, like 30s");
  command.add_option("--on-conflict", words.on_conflict,
                     "defend (as it is) or yield: what to do when another machine claims it");
  command.add_option("--probe", words.probe, "fast (as it is), rfc or off: ask who has it before the first claim");
  command.add_option("--refresh", words.refresh, "Announce it again so often at least, like 60s; 0 is never");
}

}  // namespace

void CommandTree::add_vipas(CLI::App& app) {
  CLI::App& group = add_group(app, "vipa", "Virtual addresses: which interface owns each");
  auto set_words = std::make_shared<VipaSetArguments>();
  CLI::App* set = group.add_subcommand("set", "Say how a virtual address is owned");
  set->add_option(kVipa, set_words->address, kVipaHelp)->required();
  add_vipa_options(*set, *set_words);
  bind(*set, set_words, vipa_set);

  bind(*group.add_subcommand("list", "All virtual addresses and who owns them"), vipa_list);
  add_one(group, "show", "One of them: who owns it, and why", kVipa, kVipaHelp, vipa_show);

  auto move_words = std::make_shared<VipaMoveArguments>();
  CLI::App* move = group.add_subcommand("move", "Move it to another interface of its list, until resume");
  move->add_option(kVipa, move_words->address, kVipaHelp)->required();
  move->add_option("ENTRY", move_words->entry, "An entry of its list, or the interface it stands for")->required();
  bind(*move, move_words, vipa_move);

  add_one(group, "resume", "Back to the order of its list, after move", kVipa, kVipaHelp, vipa_resume);
  add_one(group, "deactivate", "Own it no more, until reactivate", kVipa, kVipaHelp, vipa_deactivate);
  add_one(group, "reactivate", "Own it again", kVipa, kVipaHelp, vipa_reactivate);
  add_one(group, "remove", "Forget its options; an address of a cluster is owned by the defaults then", kVipa,
          kVipaHelp, vipa_remove);
}

void CommandTree::add_interfaces(CLI::App& app) {
  CLI::App& group = add_group(app, "interface", "Interfaces: which may own virtual addresses");
  bind(*group.add_subcommand("list", "All interfaces that are loaded or may own a virtual address"), interface_list);
  add_one(group, "disable", "It owns no virtual address, until enable; it goes on forwarding", "NAME",
          "Of the interface", interface_disable);
  add_one(group, "enable", "It may own virtual addresses again", "NAME", "Of the interface", interface_enable);
}

void CommandTree::add_settings(CLI::App& app) {
  auto words = std::make_shared<SettingsArguments>();
  CLI::App* command = app.add_subcommand("set", "Change settings of the whole dispatcher");
  command->add_option("--peer", words->peers, "MAC addresses of the other dispatchers: frames from them are refused");
  command->add_flag("--no-peers", words->no_peers, "There is no other dispatcher");
  command->add_option("--decrement-ttl", words->decrement_ttl, "on or off: count the dispatcher as a hop");
  command->add_option("--fix-host", words->fix_host,
                      "on or off: make the kernel settings that owning virtual addresses needs, until the end");
  command->add_option("--guard", words->guard,
                      "on (as it is) or off: when very much fails at once, advisors take no server out");
  command->add_option("--reach", words->reach,
                      "A,B: machines that must answer on an interface for it to be healthy; none");
  command->add_option("--reach-policy", words->reach_policy,
                      "any or all: how many of them must answer on a healthy interface");
  command->add_option("--reach-interval", words->reach_interval, "Ask them so often, 1s to 60s");
  command->add_option("--reach-missed", words->reach_missed,
                      "1 to 10 questions in a row without an answer are a failure");
  command->add_option("--up-delay", words->up_delay, "An interface is healthy only after its link was up for so long");
  command->add_option("--down-delay", words->down_delay, "A lost carrier counts only after so long");
  bind(*command, words, settings_set);
}

}  // namespace xdplb
