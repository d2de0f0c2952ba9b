"""A trio instrument that measures how long the tasks of a loop keep it from serving others."""

import time

import trio


class Stalls(trio.abc.Instrument):
    """Remembers the longest step of any task, in seconds of this thread's processor time.

    Processor time, so that a machine which is busy with something else does not make a step longer.
    """

    def __init__(self) -> None:
        self.reset()
        self._since = 0.0

    def reset(self) -> None:
        self.longest = 0.0
        self.task = ""

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        self._since = time.thread_time()

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        taken = time.thread_time() - self._since
        if taken > self.longest:
            self.longest, self.task = taken, task.name
