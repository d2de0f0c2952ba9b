"""What tools/bench runs, in the test host and outside of it: measures the rows that are named, writes them as JSON."""

import argparse
import contextlib

from measure_agent import measure_agent, measure_memory
from measure_box import box, measure_enter, measure_idle
from measure_capabilities import measure_host_exec, measure_interceptor
from measure_streams import measure_stream
from measure_window import measure_window
from programs import this_machine
from rows import Measurements, write

ROWS = {
    "enter": measure_enter,
    "idle": measure_idle,
    "agent": measure_agent,
    "memory": measure_memory,
    "window": measure_window,
    "interceptor": measure_interceptor,
    "host-exec": measure_host_exec,
    "stream": measure_stream,
}
OF_A_BOX = {"enter", "idle", "interceptor", "host-exec", "stream"}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", required=True, metavar="FILE")
    parser.add_argument("rows", nargs="+", choices=ROWS, metavar="ROW")
    chosen = parser.parse_args()
    with contextlib.ExitStack() as stack:
        if OF_A_BOX.intersection(chosen.rows):
            stack.enter_context(box())
        rows = [row for name in chosen.rows for row in ROWS[name]()]
    write(chosen.out, Measurements(this_machine(), rows))


if __name__ == "__main__":
    main()
