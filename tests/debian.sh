#!/bin/sh
# Installs what the slow tests need beside Python: each argument is a command, and Debian's package that has it.
# Whatever can't be had is told in a line; the tests that need it say so, too.
set -u
as_root=""
[ "$(id -u)" = 0 ] || as_root="sudo -n"

lacking=""
for wanted in "$@"; do
    command -v "${wanted%%=*}" >/dev/null || lacking="$lacking ${wanted##*=}"
done
[ -n "$lacking" ] || exit 0

export DEBIAN_FRONTEND=noninteractive
# A package that starts a server when it is installed is kept from it: its commands are wanted, no more.
install() {
    $as_root apt-get -qq update
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null && $as_root chmod 755 "$policy"
    else
        policy=""
    fi
    # shellcheck disable=SC2086
    $as_root apt-get -qq install --yes --no-install-recommends $lacking >/dev/null
    [ -z "$policy" ] || $as_root rm -f "$policy"
}
if command -v apt-get >/dev/null; then
    install 2>&1 | tail -n 3
fi
for wanted in "$@"; do
    command -v "${wanted%%=*}" >/dev/null ||
        echo "${wanted%%=*} is not here, and Debian's package ${wanted##*=} could not be installed: its tests are skipped"
done
