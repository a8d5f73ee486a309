"""A push sends the release and nothing else."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest
from pyoxigraph import NamedNode, Quad

from eurasia_graph import namespaces as ns
from eurasia_graph.errors import RemoteError, UsageError
from eurasia_graph.stores import push, send, verify
from fake import WELL, Fake, Fault, running
from pushing import ALIEN, run_push, target_of, toy, without

pytestmark = pytest.mark.usefixtures("no_pauses")


def test_every_named_graph_arrives_by_one_put_and_meta_last(fake: Fake) -> None:
    """So a store that has `meta` has the whole release."""
    done = push.push(toy("one", "claims", "entities"), target_of(fake))
    puts = [path for method, path in fake.asked if method == "PUT"]

    assert done.graphs == 3
    assert len(puts) == 3
    assert puts[-1].endswith("meta")
    assert without(fake) == {ns.GRAPH + "claims": 5, ns.GRAPH + "entities": 5, ns.GRAPH + "meta": 5}


def test_pushing_again_changes_nothing(fake: Fake) -> None:
    """Also not the blank nodes, which would be doubled by adding."""
    release = toy("one", "claims")
    push.push(release, target_of(fake))
    before = fake.graphs()
    push.push(release, target_of(fake))

    assert fake.graphs() == before
    assert verify.verify(release, target_of(fake)).differences == ()


def test_a_large_graph_goes_in_batches_with_its_blank_nodes_in_the_first(fake: Fake) -> None:
    """The name of a blank node means one thing in one request only."""
    release = toy("one", "claims", size=200)
    target = target_of(fake)
    small = dataclasses.replace(target, product=dataclasses.replace(target.product, largest_request=2000))
    push.push(release, small)
    sent = [method for method, path in fake.asked if path.endswith("claims") and method != "GET"]

    assert sent == ["PUT", "POST", "POST", "POST"]
    assert verify.verify(release, target).differences == ()


def test_batches_are_of_the_size_asked_for_whatever_the_size_of_the_graph() -> None:
    """Memory holds one of them."""
    bodies: list[bytes] = []
    send.write_batches(toy("one", "claims", size=2000).local, (ns.GRAPH("claims"),), 10_000, bodies.append)

    assert max(map(len, bodies)) < 10_000 + 9_000  # the engine hands out pieces of 8 KiB
    assert sum(body.count(b"\n") for body in bodies) == 2002
    assert all(body.endswith(b" .\n") for body in bodies)


def test_new_graphs_go_to_the_loader_together_and_meta_last(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    """In bodies that memory can hold; the second time, and with blank nodes, each goes by itself."""
    monkeypatch.setattr(send, "BULK_BYTES", 20_000)
    release, target = toy("one", "claims", "entities", size=200, blank=False), target_of(fake)
    done: list[int] = []
    push.push(release, target, progress=lambda _what, arrived, _of: done.append(arrived))
    writing = [(method, path.rpartition("%2F")[2]) for method, path in fake.asked if "sparql" not in path]
    again = [*fake.asked]
    push.push(release, target)

    assert writing == [*[("POST", "/eurasia/data")] * (len(writing) - 1), ("PUT", "meta")] and len(writing) > 2
    assert done[-1] == 409
    assert [method for method, _ in fake.asked[len(again) :]].count("PUT") == 3
    assert verify.verify(release, target).differences == ()
    with running(Fake()) as other:
        push.push(toy("one", "claims"), target_of(other))
        assert not any(path.endswith("/data") for _, path in other.asked)


def test_a_loader_that_fails_leaves_nothing(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    """What has arrived is removed."""
    monkeypatch.setattr(send, "BULK_BYTES", 20_000)
    bodies: Iterator[Fault] = iter([WELL, (500, {})])
    fake.fault = lambda _method, path: next(bodies) if path.endswith("/data") else WELL
    with pytest.raises(RemoteError, match="answers 500 when asked to load the graphs"):
        push.push(toy("one", "claims", "entities", size=200, blank=False), target_of(fake))

    assert without(fake) == {}


def test_graphs_that_go_at_once_have_a_second_try_alone(fake: Fake) -> None:
    """A store may find that they are in each other's way; meta is still the last."""
    target = target_of(fake)
    wide = dataclasses.replace(target, product=dataclasses.replace(target.product, at_once=3))
    release = toy("one", *(f"claims-{number}" for number in range(9)))
    faults: Iterator[Fault] = iter([(500, {})])
    fake.fault = lambda method, _path: next(faults, WELL) if method == "PUT" else WELL
    push.push(release, wide)

    assert [path for method, path in fake.asked if method == "PUT"][-1].endswith("meta")
    assert verify.verify(release, target).differences == ()


def test_a_graph_of_another_owner_is_never_touched(fake: Fake) -> None:
    """Neither by a push nor by a swap."""
    push.push(toy("one", "claims", "old"), target_of(fake))
    push.push(toy("two", "claims", "new"), target_of(fake), replace=True)

    assert ALIEN in fake.store
    assert not any("of-another" in path for _, path in fake.asked)


def test_merged_it_is_one_graph(fake: Fake) -> None:
    """With what a query without GRAPH sees, and what the release says of itself."""
    release = toy("one", "claims", "entities", "links")
    push.push(release, target_of(fake), merge=True)

    assert list(without(fake)) == [ns.GRAPH + "merged"]
    assert verify.verify(release, target_of(fake), merge=True).differences == ()


def test_a_dry_run_sends_nothing(fake: Fake) -> None:
    """It prints the graphs, their sizes and where they would go."""
    result = run_push(fake, "--dry-run")

    assert result.exit_code == 0
    assert "claims-icds-2016" in result.stdout
    assert fake.asked == []


def test_another_release_is_not_overwritten_without_being_asked_to(fake: Fake) -> None:
    """The message says what is there and which option swaps it."""
    push.push(toy("one", "claims"), target_of(fake))

    with pytest.raises(UsageError, match=r"holds release one; add --replace to swap it for release two"):
        push.push(toy("two", "claims"), target_of(fake))


def test_a_swap_is_one_update_and_removes_what_the_new_one_lacks(fake: Fake) -> None:
    """So a reader sees the old one or the new one."""
    push.push(toy("one", "claims", "old"), target_of(fake))
    fake.asked.clear()
    done = push.push(toy("two", "claims", "new"), target_of(fake), replace=True)
    writing = [path for method, path in fake.asked if not path.endswith("/sparql")]

    assert writing == ["/eurasia/update"]
    assert done.removed == ("old",)
    assert set(without(fake)) == {ns.GRAPH + name for name in ("claims", "new", "meta")}


def test_a_swap_too_large_for_one_request_is_staged(fake: Fake) -> None:
    """Written next to the old one first, and nothing is left of the staging graphs."""
    target = target_of(fake)
    small = dataclasses.replace(target, product=dataclasses.replace(target.product, largest_request=500))
    new = toy("two", "claims", "new", size=50)
    push.push(toy("one", "claims", "old"), target)
    push.push(new, small, replace=True)

    assert set(without(fake)) == {ns.GRAPH + name for name in ("claims", "new", "meta")}
    assert verify.verify(new, target).differences == ()


def test_a_product_that_cannot_swap_says_so(fake: Fake) -> None:
    """The Graph Store Protocol has no request that writes two graphs."""
    target = send.open_target(f"{fake.url}/data", "gsp")

    with pytest.raises(UsageError, match="--kind gsp cannot swap a release"):
        push.push(toy("two", "claims"), target, replace=True)


def test_any_store_of_the_graph_store_protocol_takes_a_release(fake: Fake) -> None:
    """Counts and digests are compared; with the address for queries, the queries too."""
    release = toy("one", "claims")
    push.push(release, send.open_target(f"{fake.url}/data", "gsp"))
    alone = verify.verify(release, send.open_target(f"{fake.url}/data", "gsp"))
    asking = send.open_target(f"{fake.url}/data", "gsp", query_url=f"{fake.url}/sparql")

    assert alone.differences == () and alone.asked == 0
    assert verify.verify(release, asking).asked > 0
    with pytest.raises(UsageError, match="another release"):
        push.push(toy("two", "claims"), send.open_target(f"{fake.url}/data", "gsp"))


def test_what_an_interrupted_push_has_left_is_removed_by_the_next(fake: Fake) -> None:
    """Graphs without a `meta`, and graphs that were staged."""
    engine = toy("zero", "from-before").local
    fake.store.extend(engine.quads_for_pattern(None, None, None, ns.GRAPH("from-before")))
    fake.store.add(Quad(ns.ID("x"), ns.ID("y"), ns.ID("z"), NamedNode(f"{ns.BASE}staging/claims")))
    done = push.push(toy("one", "claims"), target_of(fake))

    assert len(done.removed) == 2
    assert set(without(fake)) == {ns.GRAPH + "claims", ns.GRAPH + "meta"}
