# shellcheck shell=bash
# What the contributor tools share: messages, retries, packages, the outer virtual environment.
# Sourced, never run; the sourcing script has set `-euo pipefail`.

REPO=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# Where `progress` sends what a reader only wants to see after a failure.
LOG=${LOG:-/dev/null}

say() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
}

die() {
    say "$@"
    exit 1
}

# usage_of FILE: the opening comment of a tool is its help.
usage_of() {
    awk 'NR == 1 { next } /^#/ { sub(/^# ?/, ""); print; next } { exit }' "$1"
}

need_root() {
    [ "$(id -u)" = 0 ] || die "this needs root: it installs packages and makes mounts. Try it with sudo"
}

# progress SENTENCE COMMAND...: says what is going on, then how long it took; the output goes to $LOG, whose tail is
# shown when the command fails. A function given as COMMAND must return its status itself: `set -e` does not act here.
progress() {
    local sentence=$1 status=0 start=$SECONDS
    shift
    say "$sentence ..."
    printf '\n== %s\n' "$sentence" >>"$LOG"
    "$@" >>"$LOG" 2>&1 || status=$?
    if [ "$status" != 0 ]; then
        tail -n 40 "$LOG" >&2
        say "$sentence: failed with status $status; the whole output is in $LOG"
        return "$status"
    fi
    say "$sentence: $((SECONDS - start)) s"
}

# retry COMMAND...: registries and mirrors are on a network, so one failure proves nothing; unless it was a signal.
retry() {
    local try status
    for try in 1 2 3; do
        "$@" && return 0 || status=$?
        [ "$status" -lt 128 ] || break
        [ "$try" = 3 ] || sleep $((try * 3))
    done
    return "$status"
}

# apt_install PACKAGE...: installs what is missing, and costs nothing when nothing is.
apt_install() {
    local package missing=()
    for package in "$@"; do
        case $(dpkg-query --show --showformat '${db:Status-Status}' "$package" 2>/dev/null) in
            installed) ;;
            *) missing+=("$package") ;;
        esac
    done
    [ ${#missing[@]} != 0 ] || return 0
    [ "$(id -u)" = 0 ] || { say "Debian packages are missing, which only root can install: ${missing[*]}"; return 1; }
    progress "reading the Debian package lists" retry apt-get -q update
    progress "installing ${missing[*]}" retry \
        env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends "${missing[@]}"
}

# declared_requirements PYTHON: what pyproject.toml asks for to build, run and test the project, one a line.
declared_requirements() {
    "$1" -I - "$REPO/pyproject.toml" <<'PYTHON'
import sys, tomllib

with open(sys.argv[1], "rb") as file:
    pyproject = tomllib.load(file)
project = pyproject["project"]
wanted = {
    *pyproject["build-system"]["requires"],
    *project["dependencies"],
    *project["optional-dependencies"]["dev"],
}
print(*sorted(wanted), sep="\n")
PYTHON
}

# requirements: the same with the exact versions and hashes that `tools/lock` chose, for every Python that is supported.
requirements() {
    cat "$REPO/requirements.lock"
}

# outer_venv: .venv in the checkout, with the project (editable) and all it needs, on the caller's python3. Made anew
# for another Python, brought up to date when pyproject.toml's requirements or the lock have changed, and otherwise free.
outer_venv() {
    local lock stamp version ask='import sys; print(sys.version, sys.base_prefix)'
    exec {lock}<"$REPO"
    flock --wait 1 "$lock" || { say "waiting for another tool to finish with .venv"; flock "$lock"; }
    version=$(python3 -c "$ask")
    stamp=$(printf '%s\n' "$version" "$REPO" "$(requirements)" "$(declared_requirements python3)" | sha256sum)
    if [ "$(cat "$REPO/.venv/stamp" 2>/dev/null)" != "$stamp" ]; then
        LOG=$(mktemp)
        python3 -c 'import ensurepip, venv' 2>/dev/null || apt_install python3-venv
        if [ "$("$REPO/.venv/bin/python3" -c "$ask" 2>&1)" != "$version" ]; then
            progress "making .venv" python3 -m venv --clear "$REPO/.venv"
        fi
        requirements >"$REPO/.venv/requirements"
        progress "installing the project and what it needs into .venv" retry fill_venv "$REPO/.venv"
        printf '%s\n' "$stamp" >"$REPO/.venv/stamp"
        rm -f "$LOG"
    fi
    exec {lock}<&-
}

# fill_venv FOLDER: installs FOLDER/requirements, then the project, which has no hash. Upgrades pip first: the pip that
# came with an old Python does not hand PIP_CERT on to the pip that it builds packages with.
fill_venv() {
    "$1/bin/pip" install --disable-pip-version-check --upgrade pip &&
        "$1/bin/pip" install --requirement "$1/requirements" &&
        "$1/bin/pip" install --no-deps --no-build-isolation --editable "$REPO"
}

# attend ON_SIGNAL COMMAND...: runs COMMAND, and `ON_SIGNAL PID NAME` when a signal comes; returns COMMAND's status. It
# runs in the background, since bash looks at signals only between foreground commands. From a background command
# bash takes stdin, and has it ignore INT and QUIT; both are undone here. It gets a TERM should we be killed outright.
# A signal that is ignored stays so.
attend() {
    local on_signal=$1 name child status before
    shift
    before=$(trap -p INT TERM HUP)
    env --default-signal=INT,QUIT setpriv --pdeathsig TERM "$@" <&0 &
    child=$!
    for name in INT TERM HUP; do
        [ "$(trap -p "$name")" != "trap -- '' SIG$name" ] || continue
        # shellcheck disable=SC2064
        trap "SIGNALLED=$name; $on_signal $child $name" "$name"
    done
    await "$child"
    trap - INT TERM HUP
    eval "$before"
    return "$status"
}

# await PID: waits to the end in spite of signals, whose traps have to set $SIGNALLED; sets $status. A `wait` that a
# signal ended tells nothing, so it is repeated; a command that ended at that moment bash may have lost: -1.
await() {
    SIGNALLED=1
    while [ -n "$SIGNALLED" ]; do
        SIGNALLED=''
        wait "$1" 2>/dev/null && status=0 || status=$? # bash would report a death by signal
    done
    [ "$status" -ge 0 ] || status=143
}
