"""A client of an SSH agent that does nothing but have logins signed, as fast as the agent answers.

It shares the machine with the agent that it measures: requests are made beforehand, each a login with a session id of
its own, and answers are kept and looked at afterwards. The standard library only. Prints JSON.
"""

import argparse
import base64
import contextlib
import gc
import json
import os
import select
import socket
import struct
import sys
import time

SIGN_REQUEST, SIGN_RESPONSE = 13, 14
RSA_SHA2_512 = 4
USERAUTH_REQUEST = 50
SAMPLE = 20  # signatures that are handed on to be verified


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("socket")
    parser.add_argument("public_key", help="a .pub file")
    parser.add_argument("--requests", type=int, required=True)
    parser.add_argument("--clients", type=int, default=1)
    chosen = parser.parse_args()
    key = key_of(chosen.public_key)
    logins = [login(key) for _ in range(chosen.requests)]
    requests = [sign_request(key, data) for data in logins]
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(socket.socket(socket.AF_UNIX)) for _ in range(chosen.clients)]
        for connection in connections:
            connection.connect(chosen.socket)
            answer(connection.fileno(), sign_request(key, login(key)))  # it is accepted now, and all is in memory
        gc.disable()
        start = time.perf_counter()
        if chosen.clients == 1:
            latencies, answers = one_by_one(connections[0], requests)
        else:
            latencies, answers = one_in_flight_each(connections, requests)
        seconds = time.perf_counter() - start
    wrong = sum(1 for message in answers if message[4] != SIGN_RESPONSE)
    if wrong:
        sys.exit(f"agent_client: {wrong} of {len(answers)} requests were refused")
    latencies.sort()
    step = max(1, len(requests) // SAMPLE)
    signed = [[logins[number].hex(), answers[number][9:].hex()] for number in range(0, len(requests), step)]
    figures = {
        "rate": len(requests) / seconds,
        "median": latencies[len(latencies) // 2],
        "p99": latencies[len(latencies) * 99 // 100],
        "signed": signed,
    }
    print(json.dumps(figures))


def one_by_one(connection: socket.socket, requests: list[bytes]) -> tuple[list[float], list[bytes]]:
    """Latencies in seconds, and the answers."""
    descriptor = connection.fileno()
    latencies, answers = [], []
    for request in requests:
        start = time.perf_counter()
        answers.append(answer(descriptor, request))
        latencies.append(time.perf_counter() - start)
    return latencies, answers


def answer(descriptor: int, request: bytes) -> bytes:
    os.write(descriptor, request)
    received = os.read(descriptor, 65536)
    while not is_whole(received):
        received += more(descriptor)
    return received


def one_in_flight_each(connections: list[socket.socket], requests: list[bytes]) -> tuple[list[float], list[bytes]]:
    """As `one_by_one`, with a request in flight on every connection for as long as there are any left."""
    latencies = [0.0] * len(requests)
    answers = [b""] * len(requests)
    number_of: dict[int, int] = {}  # descriptor to the number of its request
    sent: dict[int, float] = {}
    left = iter(enumerate(requests))
    poll = select.epoll()
    for connection in connections:
        poll.register(connection.fileno(), select.EPOLLIN)

    def send_next(descriptor: int) -> None:
        number, request = next(left, (-1, b""))
        number_of[descriptor] = number
        if number >= 0:
            sent[descriptor] = time.perf_counter()
            os.write(descriptor, request)

    for connection in connections:
        send_next(connection.fileno())
    unanswered = len(requests)
    while unanswered:
        for descriptor, _events in poll.poll():
            number = number_of[descriptor]
            answers[number] += more(descriptor)
            if is_whole(answers[number]):
                latencies[number] = time.perf_counter() - sent[descriptor]
                unanswered -= 1
                send_next(descriptor)
    poll.close()
    return latencies, answers


def is_whole(message: bytes) -> bool:
    return len(message) >= 4 and len(message) == 4 + int.from_bytes(message[:4], "big")


def more(descriptor: int) -> bytes:
    received = os.read(descriptor, 65536)
    if not received:
        sys.exit("agent_client: the agent closed the connection")
    return received


def key_of(path: str) -> bytes:
    """The public blob in a .pub file."""
    with open(path, "rb") as file:
        return base64.b64decode(file.read().split()[1])


def login(key: bytes) -> bytes:
    """What a client has signed to log in by public key (RFC 4252 section 7), in a session of its own."""
    kind = key_type(key)
    algorithm = b"rsa-sha2-512" if kind == b"ssh-rsa" else kind
    head = string(os.urandom(32)) + bytes([USERAUTH_REQUEST])
    return (
        head
        + b"".join(map(string, (b"git", b"ssh-connection", b"publickey")))
        + b"\1"
        + string(algorithm)
        + string(key)
    )


def sign_request(key: bytes, data: bytes) -> bytes:
    flags = RSA_SHA2_512 if key_type(key) == b"ssh-rsa" else 0
    return string(bytes([SIGN_REQUEST]) + string(key) + string(data) + struct.pack(">I", flags))


def key_type(key: bytes) -> bytes:
    return key[4 : 4 + int.from_bytes(key[:4], "big")]


def string(content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + content


if __name__ == "__main__":
    main()
