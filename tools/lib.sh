# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# What tools/demo and tools/test share: the packages they need and how to build. Source it.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# shellcheck disable=SC2034  # used by the scripts that source this one
# clang compiles the BPF program; clang-16 makes the faster code, clang-14 is the fallback where there is none.
BUILD_PACKAGES=(g++ cmake ninja-build clang-16 llvm-16 bpftool libbpf-dev libxdp-dev libboost1.81-dev libcli11-dev nlohmann-json3-dev
  libfmt-dev libmnl-dev libgtest-dev libgmock-dev pkg-config zlib1g-dev libelf-dev libssl-dev libre2-dev)
# shellcheck disable=SC2034
RUN_PACKAGES=(iproute2 ethtool procps util-linux mount curl nginx-light python3 nftables tcpdump xdp-tools)
# shellcheck disable=SC2034
TEST_PACKAGES=(iputils-ping shellcheck clang-14 clang-format-14 clang-tidy-14 libclang-rt-14-dev openssl dnsmasq-base redis-server
  python3-aiosmtpd)
# shellcheck disable=SC2034
# For vm-tests/run: the machines, and what their disks are made with.
VM_PACKAGES=(qemu-system-x86 qemu-utils busybox-static debootstrap e2fsprogs cpio kmod binutils ipvsadm)

die() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

need_root() { [[ $EUID == 0 ]] || die "network namespaces, BPF and apt-get need root: run it as 'sudo $0'"; }

installed() {
  # A web server of another Debian package serves as well.
  [[ $1 == nginx-light ]] && command -v nginx >/dev/null && return 0
  [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

# install_packages NAME...: with apt-get, what is missing and nothing else. Services that come with a package are neither
# started now nor enabled.
install_packages() {
  local package missing=()
  for package; do installed "$package" || missing+=("$package"); done
  ((${#missing[@]})) || return 0
  need_root
  command -v apt-get >/dev/null || die "please install: ${missing[*]} (there is no apt-get here)"
  printf '== installing %s\n' "${missing[*]}"
  apt-get update -q >/dev/null || die "apt-get update failed: is a Debian mirror reachable?"
  if [[ " ${missing[*]} " == *" clang-16 "* && -z $(apt-cache search --names-only '^clang-16$') ]]; then
    missing=("${missing[@]/%-16/-14}")
  fi
  without_services env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}" \
    >/tmp/xdplb-apt.$$ 2>&1 || {
    cat /tmp/xdplb-apt.$$ >&2
    rm -f /tmp/xdplb-apt.$$
    die "apt-get install failed: ${missing[*]}"
  }
  rm -f /tmp/xdplb-apt.$$
  if [[ " ${missing[*]} " == *" nginx-light "* && -d /run/systemd/system ]]; then
    systemctl --quiet disable nginx
  fi
}

# without_services COMMAND...: runs it while policy-rc.d forbids maintainer scripts to start daemons; what was there comes back.
without_services() (
  policy=/usr/sbin/policy-rc.d
  kept=$(mktemp -d)
  [[ ! -e $policy ]] || mv "$policy" "$kept/policy"
  trap 'rm -f "$policy"; [[ ! -e $kept/policy ]] || mv "$kept/policy" "$policy"; rm -rf "$kept"' EXIT
  trap 'exit 130' INT TERM
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
  "$@"
)

# build PRESET [TARGET...]: configures (with the option CONFIGURE, when set) and builds into build/PRESET. Quiet but for a
# failure, unless a person looks on.
build() {
  local preset=$1 log started=$SECONDS
  shift
  log=$ROOT/build/$preset.log
  mkdir -p "$ROOT/build"
  printf '== building %s %s\n' "$preset" "$*"
  if ! run_build "$preset" "$log" "$@"; then
    [[ -t 1 ]] || tail -n 60 "$log" >&2
    die "the build failed; all it said is in $log"
  fi
  printf '   build/%s is ready after %d s\n' "$preset" $((SECONDS - started))
  give_back
}

run_build() {
  local preset=$1 log=$2
  shift 2
  (cd "$ROOT" && cmake --preset "$preset" ${CONFIGURE:+"$CONFIGURE"}) >"$log" 2>&1 || return 1
  local command=(cmake --build "$ROOT/build/$preset")
  (($# == 0)) || command+=(--target "$@")
  if [[ -t 1 ]]; then
    "${command[@]}"
  else
    "${command[@]}" >>"$log" 2>&1
  fi
}

# What root built in a user's checkout belongs to the user.
give_back() {
  [[ -z ${SUDO_UID:-} ]] || chown -R "$SUDO_UID:${SUDO_GID:-}" "$ROOT/build"
}
