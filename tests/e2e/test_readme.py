"""README's code blocks, run in order from an empty home, as a reader would."""

import os
import re
import shlex
import subprocess
import threading

from support.user import PASSWORD, podman

README = os.path.join(os.path.dirname(__file__), "..", "..", "README.md")


def test_the_code_blocks_of_the_readme_all_succeed(tmp_path, display, person):
    with open(README) as file:
        blocks = re.findall(r"^```sh\n(.*?)^```$", file.read(), re.DOTALL | re.MULTILINE)
    assert len(blocks) >= 6
    # The name that a registry would answer to; the rest of the template is what it is for everybody.
    podman("tag", "localhost/litterbox-test-base", "docker.io/library/debian:trixie")
    home = str(tmp_path / "home")
    os.mkdir(home)
    os.symlink(os.path.expanduser("~/.local/share/containers"), prepare(f"{home}/.local/share/containers"))
    os.symlink(os.path.expanduser("~/.config"), f"{home}/.config")
    environment = {key: value for key, value in os.environ.items() if not key.startswith("LITTERBOX")}
    environment |= display.environment
    environment |= {"HOME": home, "LITTERBOX_PASSWORD_COMMAND": f"printf %s {shlex.quote(PASSWORD)}"}
    yes = threading.Thread(target=person.approve, args=["work"], kwargs={"within": 200.0})
    yes.start()
    done = subprocess.run(
        ["bash", "-e", "-u", "-x", "-c", "".join(blocks)],
        cwd=os.path.dirname(os.path.abspath(README)),
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    yes.join(60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "laptop (ED25519)" in done.stdout
    assert podman("ps", "--all", "--quiet").stdout == ""


def prepare(path):
    os.makedirs(os.path.dirname(path))
    return path
