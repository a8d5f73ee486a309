"""A push that fails says why and leaves nothing half done."""

from __future__ import annotations

import dataclasses
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from eurasia_graph import namespaces as ns
from eurasia_graph.errors import RemoteError
from eurasia_graph.stores import push, send, verify
from eurasia_graph.stores.remote import META
from fake import WELL, Fake, Fault
from pushing import failing_at, run_push, target_of, toy, without

pytestmark = pytest.mark.usefixtures("no_pauses")


def test_a_busy_store_is_asked_again_later(fake: Fake, no_pauses: list[float]) -> None:
    """As late as it wishes, and not for ever."""
    answers = iter([(503, {"Retry-After": "7"}), (429, {}), None])
    fake.fault = lambda method, _path: next(answers, WELL) if method == "PUT" else WELL
    notices: list[str] = []
    target = send.open_target(fake.url, "fuseki", notice=notices.append)
    push.push(toy("one", "claims"), target)

    assert no_pauses == [7.0, 1.0, 2.0]
    assert "is busy (503); retrying in 7 s" in notices[0]
    assert "broke" in notices[2]


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ((500, {}), "answers 500 when asked to load the graphs"),
        ((507, {}), "its disk is full"),
        ((413, {}), "too large for the store"),
        ((403, {}), "this user has no permission"),
        ((302, {"Location": "http://elsewhere/"}), "use that"),
        ((503, {}), "answers 503"),
        (None, "check that the store is running"),
    ],
)
def test_a_store_that_fails_half_way_ends_the_push(
    fake: Fake, fault: Fault, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a message and a status; and nothing says that the release is there."""
    monkeypatch.setattr(send, "BULK_BYTES", 1 << 20)
    fake.fault = failing_at(3, "POST", fault)  # type: ignore[assignment]
    result = run_push(fake)

    assert result.exit_code == 1
    assert says in result.stderr
    assert META.value not in fake.graphs()


def test_a_swap_that_fails_leaves_the_old_release(fake: Fake) -> None:
    """In one update as well as staged."""
    old = toy("one", "claims", "old")
    target = target_of(fake)
    small = dataclasses.replace(target, product=dataclasses.replace(target.product, largest_request=500))
    push.push(old, target)
    for way, method in ((target, "POST"), (small, "PUT")):
        fake.fault = lambda asked, path, wanted=method: (  # type: ignore[misc]
            (500, {}) if asked == wanted and not path.endswith("/sparql") and "DROP" not in path else WELL
        )
        with pytest.raises(RemoteError):
            push.push(toy("two", "claims", "new", size=50), way, replace=True)
        fake.fault = lambda _method, _path: WELL
        assert verify.verify(old, target).differences == ()


def test_a_graph_that_breaks_off_between_batches_is_removed(fake: Fake) -> None:
    """A part of a graph is worse than none."""
    fake.fault = failing_at(6, "POST", (500, {}))  # type: ignore[assignment]
    target = target_of(fake)
    small = dataclasses.replace(target, product=dataclasses.replace(target.product, largest_request=2000))
    with pytest.raises(RemoteError):
        push.push(toy("one", "claims", size=500), small)

    assert without(fake) == {}


@pytest.mark.parametrize("digest", [False, True])
def test_a_name_and_a_password_open_the_store(fake: Fake, digest: bool) -> None:
    """From the environment; sent only after the store has asked, by the scheme that it asks for."""
    fake.password, fake.digest = "secret", digest
    result = run_push(fake, environment={"EURASIA_GRAPH_USER": "me", "EURASIA_GRAPH_PASSWORD": "secret"})

    assert result.exit_code == 0, result.stderr
    assert META.value in fake.graphs()
    assert not digest or not any(each.startswith("Basic") for each in fake.seen)


def test_a_wrong_password_is_said_and_never_shown(fake: Fake) -> None:
    """Not in the message, not in the trace."""
    fake.password = "right"
    for options, url in (
        (["--user", "me", "--password", "wr0ng"], fake.url),
        ([], fake.url.replace("http://", "http://me:wr0ng@")),
    ):
        result = run_push(fake, *options, url=url)
        assert result.exit_code == 1
        assert "password is wrong or missing" in result.stderr
        assert "wr0ng" not in result.output + result.stderr + repr(result.exception)
    assert without(fake) == {}


def test_netrc_has_the_password(fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the name of the host, as for curl."""
    fake.password = "secret"
    file = tmp_path / "netrc"
    file.write_text("machine 127.0.0.1 login me password secret\n")
    file.chmod(0o600)
    monkeypatch.setenv("NETRC", str(file))

    assert run_push(fake).exit_code == 0


def test_a_name_without_a_password_is_asked_for_one(fake: Fake) -> None:
    """The message names the variable."""
    result = run_push(fake, "--user", "me")

    assert result.exit_code == 2
    assert "set EURASIA_GRAPH_PASSWORD" in result.stderr


@pytest.mark.parametrize(
    ("url", "status", "says"),
    [
        ("http://no-such-host.invalid/eurasia", 1, "does not resolve"),
        ("http://127.0.0.1:1/eurasia", 1, "nothing answers at 127.0.0.1:1"),
        ("ftp://127.0.0.1/eurasia", 2, "is not a valid store address"),
        ("eurasia", 2, "is not a valid store address"),
    ],
)
def test_an_address_that_leads_nowhere_is_said(fake: Fake, url: str, status: int, says: str) -> None:
    """With the exit status of the one at fault."""
    result = run_push(fake, url=url)

    assert result.exit_code == status
    assert says in result.stderr


def test_a_killed_push_leaves_the_old_release_and_the_next_one_heals(fake: Fake, tmp_path: Path) -> None:
    """Killed while it stages: what is served stays whole."""
    old = toy("one", "claims")
    target = target_of(fake)
    push.push(old, target)
    script = (
        "import dataclasses, sys\nsys.path.insert(0, sys.argv[2])\nimport test_push as t\n"
        "target = t.send.open_target(sys.argv[1], 'fuseki')\n"
        "small = dataclasses.replace(target, product=dataclasses.replace(target.product, largest_request=500))\n"
        "t.push.push(t.toy('two', 'claims', 'new', 'newer', size=50), small, replace=True)"
    )
    command = [sys.executable, "-c", script, fake.url, str(Path(__file__).parent)]
    started: list[subprocess.Popen[bytes]] = []

    def kill_while_staging(_method: str, path: str) -> Fault:
        if "staging" in path and "new" in path:
            started[0].kill()
        return WELL

    fake.fault = kill_while_staging
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL) as process:
        started.append(process)
        process.wait(60)
    fake.fault = lambda _method, _path: WELL

    assert process.returncode == -signal.SIGKILL
    assert verify.verify(old, target).differences == ()
    push.push(toy("two", "claims"), target, replace=True)
    assert set(without(fake)) == {ns.GRAPH + "claims", ns.GRAPH + "meta"}
