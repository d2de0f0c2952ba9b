"""A client of the host socket, written from docs/protocol.md alone: it imports nothing of Litterbox."""

import base64
import json
import socket

CHUNK, WINDOW = 262_144, 524_288  # bytes


class Client(socket.socket):
    def __init__(self, path, capabilities, **features):
        super().__init__(socket.AF_UNIX)
        self.connect(path)
        self.say("hello", version="0.1.0", container="work", capabilities=capabilities, **features)
        self.granted = self.answer()
        self.streams = "streams" in self.granted.get("features", [])

    def say(self, kind, data=None, **members):
        if data is not None and not self.streams:
            members |= {"data": base64.b64encode(data).decode(), "encoding": "base64"}
        body = json.dumps({"type": kind, **members}).encode()
        if data is not None and self.streams:
            body += b"\0" + data
        self.sendall(len(body).to_bytes(4, "big") + body)

    def answer(self):
        length = int.from_bytes(self.recv(4, socket.MSG_WAITALL), "big")
        text, nul, behind = self.recv(length, socket.MSG_WAITALL).partition(b"\0")
        message = json.loads(text)
        if nul:
            message["data"] = behind
        elif message.get("encoding") == "base64":
            message["data"] = base64.b64decode(message["data"])
        elif "data" in message:
            message["data"] = message["data"].encode()
        return message

    def run(self, command, *args, data=b""):
        """Run a host command with `data` as its input; returns its exit status and what it wrote to both outputs."""
        self.say("host_exec", command=command, args=args)
        pieces = [data[start : start + CHUNK] for start in range(0, len(data), CHUNK)]
        written, room = {"host_exec_stdout": b"", "host_exec_stderr": b""}, WINDOW
        if not pieces:
            self.say("host_exec_stdin_eof")
        while True:
            while pieces and room >= CHUNK:
                room -= len(pieces[0]) if self.streams else 0
                self.say("host_exec_stdin", pieces.pop(0))
                if not pieces:
                    self.say("host_exec_stdin_eof")
            match self.answer():
                case {"type": "ack", "stdin": taken}:
                    room += taken
                case {"type": "host_exec_done", "exit_code": status}:
                    return status, *written.values()
                case {"type": "error", "reason": reason}:
                    raise OSError(reason)
                case {"type": kind, "data": piece}:
                    written[kind] += piece
