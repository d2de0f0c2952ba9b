"""What a developer does in a hardened box: each tool is installed by the Debian template's way and does its work."""

import pytest
from support.user import podman

PACKAGES = "cargo gcc gdb iputils-ping libc6-dev libcap2-bin nodejs npm strace"

SERVER_IN_C = r"""
#include <arpa/inet.h>
#include <stdio.h>
int main(void) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(80)};
    int one = 1, s = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    int failed = bind(s, (struct sockaddr *)&at, sizeof at) || listen(s, 1);
    puts(failed ? "refused" : "bound");
    return failed;
}
"""

WORKER_IN_NODE = """
const {Worker} = require("worker_threads");
const code = "require('worker_threads').parentPort.postMessage(6 * 7)";
new Worker(code, {eval: true}).on("message", console.log);
"""

SERVER_IN_NODE = 'require("http").createServer((question, answer) => answer.end("served")).listen(80);'

FILES = {"server.c": SERVER_IN_C, "worker.js": WORKER_IN_NODE, "server.js": SERVER_IN_NODE}

# The tool; a shell script in an empty folder of the home, which has the files in it; a piece of what it prints.
WORK = {
    "sudo": ("sudo id -u", "0"),
    "apt": ("sudo apt-get -q update && sudo apt-get -q install --yes hello && hello", "Hello, world"),
    "su": ("sudo su - $USER -c 'id -u'", "1000"),
    "chown": ("touch x && sudo chown daemon x && stat -c %U x", "daemon"),
    "setgid": ("sudo install -g shadow -m 2755 /bin/true /opt/s && stat -c %a%G /opt/s", "2755shadow"),
    "gcc": ("gcc -o server server.c && ./server || true", "refused"),
    "setcap": (
        """gcc -o server server.c && sudo cp server /opt/server
        sudo setcap cap_net_bind_service+ep /opt/server && /opt/server""",
        "bound",
    ),
    "gdb": (
        "gcc -g -o server server.c && gdb -q -batch -ex 'break main' -ex run -ex bt ./server",
        "Breakpoint 1, main",
    ),
    "strace": ("strace -f -o trace true && tail -n 1 trace", "exited with 0"),
    "strace-p": (
        """sleep 100 & target=$!
        strace -o trace -p $target 2>attached & tracer=$!
        for i in $(seq 100); do grep -q attached attached && break; sleep 0.1; done
        kill $target; wait $tracer; tail -n 1 trace""",
        "killed by SIGTERM",
    ),
    "ping": ("ping -c 1 127.0.0.1", "1 received"),
    "node": ("node worker.js", "42"),
    "port-80": (
        """sudo node server.js &
        for i in $(seq 100); do curl -s http://$(uname -n)/ && break; sleep 0.1; done; sudo pkill -x node""",
        "served",
    ),
    "npm": (
        """mkdir dep app && cd dep && npm init -y >/dev/null && echo 'module.exports = 41 + 1' >index.js
        cd ../app && npm init -y >/dev/null && npm install --offline --no-audit --no-fund ../dep
        node -p 'require("dep")'""",
        "42",
    ),
    "cargo": ("cargo init --offline --quiet --name hello . && cargo run --offline --quiet", "Hello, world!"),
}


@pytest.fixture(scope="module")
def tools(one_user):
    # The name that a registry would answer to; the rest of the template is what it is for everybody.
    podman("tag", "localhost/litterbox-test-base", "docker.io/library/debian:trixie")
    one_user.define("tools", "debian")
    with open(f"{one_user.root}/definitions/tools/Dockerfile", "a") as file:
        file.write(
            "RUN apt-get -q update && DEBIAN_FRONTEND=noninteractive"
            f" apt-get -q install --yes --no-install-recommends {PACKAGES} && apt-get clean\n"
        )
    one_user.litterbox("build", "tools")
    for name, content in FILES.items():
        with open(f"{one_user.root}/homes/tools/{name}", "w") as file:
            file.write(content)
    with one_user.session("tools"):
        yield "tools"


@pytest.mark.parametrize("tool", WORK)
def test_a_tool_does_its_work(one_user, tools, tool):
    script, expected = WORK[tool]
    copied = " ".join(f"~/{name}" for name in FILES)
    in_folder = f"mkdir ~/{tool} && cd ~/{tool} && cp {copied} . || exit\n{script}"
    done = one_user.litterbox("enter", tools, "--", "sh", "-c", in_folder, status=None)
    assert expected in done.stdout, done.stdout + done.stderr
    assert "unable to resolve" not in done.stderr  # sudo, where the box does not know its own name
