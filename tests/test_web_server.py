"""The server as a process: it starts, reports errors, and stops."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator

import pytest


def free_port() -> int:
    """Find a port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def server(release: object) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """The command `serve` on a port of this machine."""
    assert release
    port = free_port()
    command = [sys.executable, "-m", "eurasia_graph.cli", "serve", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        assert f"http://127.0.0.1:{port}/" in process.stderr.readline()
        yield port, process
        process.kill()


def test_a_real_server_answers(server: tuple[int, object]) -> None:
    """Over a socket, as a client meets it; the header names the product and no versions."""
    with urllib.request.urlopen(
        f"http://127.0.0.1:{server[0]}/queries/members-on.json?body=cst&date=1992-12-31", timeout=30
    ) as response:
        rows = json.load(response)

    assert len(rows) == 6
    assert response.headers["Server"] == "eurasia-graph"


def test_a_taken_port_is_said_with_another_to_try(server: tuple[int, object]) -> None:
    """The message names the option, and nothing hangs."""
    command = [sys.executable, "-m", "eurasia_graph.cli", "serve", "--port", str(server[0])]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 2
    assert (
        f"cannot serve on 127.0.0.1:{server[0]}: another program is using it; try --port {server[0] + 1}" in done.stderr
    )


def test_ctrl_c_ends_the_server_quietly() -> None:
    """Exit status 0 and no traceback."""
    command = [sys.executable, "-m", "eurasia_graph.cli", "serve", "--port", str(free_port())]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        assert "http://" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()

    assert process.returncode == 0, said
    assert "Traceback" not in said
