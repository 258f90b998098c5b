#!/usr/bin/env bash
# Makes .venv with everything that the project needs, and does nothing the second time.
#
# Picks a Python that the sandbox's own user can read, installs missing system packages through apt
# (with sudo when not root), and says exactly what to install where it may not. With --tests it also asks
# for what only tests need: a browser and PostgreSQL; tests that lack them are skipped, and say so.
set -euo pipefail
cd "$(dirname "$0")"

say() { printf '%s\n' "$*" >&2; }
die() { say "error: $*"; exit 2; }

# A Python under a home that others can't enter is of no use in a box that runs under another user id.
readable_by_others() {
    local path mode
    path=$(readlink -f "$1")
    mode=$(stat -c %A "$path")
    [[ ${mode:9:1} == [xt] ]] || return 1
    path=$(dirname "$path")
    while [[ $path != / ]]; do
        mode=$(stat -c %A "$path")
        [[ ${mode:9:1} == [xt] ]] || return 1
        path=$(dirname "$path")
    done
}

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

pick_python() {
    local name found
    for name in "${PYTHON:-}" python3 /usr/bin/python3 python3.13 python3.12 python3.11; do
        [[ -n $name ]] && found=$(command -v "$name") || continue
        # pyenv's shims are scripts: ask for the program itself.
        found=$("$found" -c 'import sys; print(sys.executable)' 2>/dev/null) || continue
        if new_enough "$found" && readable_by_others "$found"; then
            printf '%s\n' "$found"
            return
        fi
    done
    return 1
}

missing_packages() {
    command -v bwrap > /dev/null || printf 'bubblewrap\n'
    command -v setpriv > /dev/null && command -v prlimit > /dev/null || printf 'util-linux\n'
    # JupyterHub's proxy is a Node program.
    command -v node > /dev/null || printf 'nodejs\n'
    command -v npm > /dev/null || printf 'npm\n'
    local python
    if ! python=$(pick_python); then
        printf 'python3\npython3-venv\n'
    elif ! "$python" -c 'import ensurepip, venv' 2> /dev/null; then
        if [[ $python == /usr/bin/* ]]; then
            "$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])'
        else
            printf 'python3\npython3-venv\n'
        fi
    fi
}

test_packages() {
    command -v chromium > /dev/null || printf 'chromium\n'
    compgen -G '/usr/lib/postgresql/*/bin/initdb' > /dev/null || printf 'postgresql\n'
}

install_packages() {
    local packages=("$@") sudo=()
    [[ $(id -u) == 0 ]] || sudo=(sudo)
    say "system packages missing: ${packages[*]}"
    command -v apt-get > /dev/null || die "install them with your system's package manager, then run this again"
    if [[ ${#sudo[@]} -gt 0 ]] && ! { command -v sudo > /dev/null && { sudo -n true 2> /dev/null || [[ -t 0 ]]; }; }; then
        die "not root and no sudo: have an administrator run 'apt-get install -y ${packages[*]}', then run this again"
    fi
    "${sudo[@]}" apt-get update -qq || say "apt-get update failed; trying with the list at hand"
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${packages[@]}" > /dev/null \
        || die "could not install them; run 'apt-get install -y ${packages[*]}' yourself and see what it says"
}

mapfile -t packages < <(missing_packages)
[[ ${#packages[@]} == 0 ]] || install_packages "${packages[@]}"
if [[ ${1:-} == --tests ]]; then
    mapfile -t packages < <(test_packages)
    [[ ${#packages[@]} == 0 ]] || (install_packages "${packages[@]}") || say "going on without: ${packages[*]}"
fi
python=$(pick_python) || die "no Python 3.11 or newer that other users can read; install python3 and python3-venv"

stamp=$(cat pyproject.toml requirements.lock bootstrap.sh hub/proxy/package-lock.json | sha256sum | cut -d' ' -f1)
if [[ -x .venv/bin/python && $(cat .venv/.installed 2> /dev/null || true) == "$stamp" ]]; then
    exit 0
fi
if [[ ! -x .venv/bin/pip ]]; then
    say "making .venv with $python"
    rm -rf .venv
    "$python" -m venv .venv
fi
say "installing the project and what it needs (a few minutes the first time)"
# The lock file constrains versions to those that were tested; pyproject.toml says what is needed.
.venv/bin/python -m pip install --quiet --disable-pip-version-check -c requirements.lock -e '.[dev]'
# What only runs in a box, which can't write, is compiled here.
.venv/bin/python -m compileall -q autograder
.venv/bin/python -m hub.proxy
chmod -R go+rX .venv
printf '%s\n' "$stamp" > .venv/.installed
