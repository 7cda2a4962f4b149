#!/usr/bin/env bash
# Installs what building and testing need beside the Rust toolchain, once. Debian only; does nothing where all is there.
set -euo pipefail

cache=/var/cache/provision-tools
packages=()
want() { command -v "$1" >/dev/null || packages+=("$2"); }
want ssh openssh-client
want /usr/sbin/sshd openssh-server
want shellcheck shellcheck
want ip iproute2
want curl curl
want python3 python3

if [ ${#packages[@]} -gt 0 ]; then
  echo "installing ${packages[*]}"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
fi

# Pinned, and kept outside the checkout: building it takes minutes.
deny=0.20.2
if ! "$cache/bin/cargo-deny" --version 2>/dev/null | grep -qx "cargo-deny $deny"; then
  echo "building cargo-deny $deny"
  env -u CARGO_TARGET_DIR cargo install --quiet --locked --root "$cache" --version "$deny" cargo-deny
fi
