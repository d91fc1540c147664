"""Parts of the work on any executor: the same results, whatever happens to its workers."""

from __future__ import annotations

import os
import signal
import threading
import time
import warnings
from collections import deque
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest
import workers
from training_results import assert_same_result

import phasediagram as phd
from phasediagram.atlas import tiles
from phasediagram.executors import Part, Workers

AXES = np.geomspace(1, 0.05, 24), np.geomspace(0.2, 8, 20)
SWEEP = {
    "density": [[1.0], [0.3], [0.05]],
    "relative_importance": [0.5, 1.0],
    "seeds": 4,
    "steps": 3000,
    "batch_size": 256,
    "record": [0, 1000],
}
SQUARES = {number: number**2 for number in range(40)}


def parts(*arguments):
    return [Part(number, (*arguments, number)) for number in SQUARES]


def process_pool(count=2):
    return ProcessPoolExecutor(count, mp_context=get_context("spawn"))


@pytest.fixture
def small_tiles(monkeypatch):
    """Several tiles even in a small grid; workers get them ready cut."""
    monkeypatch.setitem(tiles._EDGES, 2, 8)


def assert_same_diagram(found, expected):
    for name in ("loss", "phase", "W", "b"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))


@pytest.mark.parametrize("executor", [None, ThreadPoolExecutor(3)])
def test_every_part_is_yielded_once(executor):
    results = list(Workers(executor).run(workers.square, parts()))
    assert len(results) == len(SQUARES)
    assert dict(results) == SQUARES


def test_parts_can_be_added_while_results_are_taken():
    waiting = deque([Part(2, (2,))])
    found = []
    for key, result in Workers().run(workers.square, waiting):
        found.append((key, result))
        if result < 1000:
            waiting.append(Part(result, (result,)))
    assert found == [(2, 4), (4, 16), (16, 256), (256, 65536)]


@pytest.mark.parametrize("executor", [None, ThreadPoolExecutor(1)])
def test_an_error_of_the_function_reaches_the_caller(executor):
    with pytest.raises(ZeroDivisionError, match="of 0"):
        list(Workers(executor).run(workers.fail, parts()))


def test_a_killed_worker_neither_loses_nor_repeats_a_result(tmp_path):
    with process_pool() as pool:
        found = Workers(pool)
        with pytest.warns(RuntimeWarning, match=r"the executor failed \(BrokenProcessPool: "):
            results = list(found.run(workers.die_once, parts(str(tmp_path))))
    assert len(results) == len(SQUARES)
    assert dict(results) == SQUARES
    with warnings.catch_warnings(action="error"):  # the broken pool is not tried again
        assert dict(found.run(workers.square, parts())) == SQUARES


class Refusing(Executor):
    """Takes a few parts, loses one, and then takes no more."""

    def __init__(self):
        self.taken = 0

    def submit(self, function, /, *arguments, **named):
        self.taken += 1
        if self.taken > 5:
            raise RuntimeError("closed")
        future = Future()
        if self.taken == 3:
            future.cancel()
        else:
            future.set_result(function(*arguments, **named))
        return future


def test_parts_that_an_executor_refuses_are_computed_here(tmp_path):
    with pytest.warns(RuntimeWarning, match="the executor failed"):
        results = list(Workers(Refusing()).run(workers.log_and_square, parts(str(tmp_path))))
    assert len(results) == len(SQUARES)
    assert dict(results) == SQUARES


def test_a_diagram_is_the_same_on_processes(small_tiles):
    expected = phd.phase_diagram(*AXES)
    with process_pool() as pool:
        found = phd.phase_diagram(*AXES, executor=pool)
    assert_same_diagram(found, expected)


def test_an_optimized_diagram_is_the_same_on_processes():
    expected = phd.phase_diagram(*AXES, weights="optimized")
    with process_pool() as pool:
        found = phd.phase_diagram(*AXES, weights="optimized", executor=pool)
    assert_same_diagram(found, expected)


def test_training_is_the_same_on_processes(tmp_path):
    expected = phd.train(**SWEEP)
    shares = []
    with process_pool() as pool:
        found = phd.train(**SWEEP, executor=pool, progress=shares.append)
    assert_same_result(found, expected)
    assert shares[-1] == 1


def kill_a_worker_after(seconds, pids):
    """Kill one of the processes that `pids` returns, from a thread."""

    def kill():
        time.sleep(seconds)
        os.kill(pids()[0], signal.SIGKILL)

    thread = threading.Thread(target=kill)
    thread.start()
    return thread


def test_training_survives_a_killed_process():
    expected = phd.train(**SWEEP)
    with process_pool() as pool:
        assert pool.submit(os.getpid).result()  # its processes have started
        killer = []

        def kill_once(share):
            if not killer and share > 0.2:
                killer.append(kill_a_worker_after(0, lambda: list(pool._processes)))

        with pytest.warns(RuntimeWarning, match="the executor failed"):
            found = phd.train(**SWEEP, executor=pool, progress=kill_once)
        killer[0].join()
    assert_same_result(found, expected)


@pytest.fixture(scope="module")
def cluster():
    distributed = pytest.importorskip("distributed", reason="needs the extra [distributed]")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def worker_pids(client):
    return list(client.run(os.getpid).values())


def test_results_are_the_same_on_a_dask_cluster(small_tiles, cluster):
    with cluster.get_executor(pure=False) as executor:
        found = phd.phase_diagram(*AXES, executor=executor)
        trained = phd.train(**SWEEP, executor=executor)
    assert_same_diagram(found, phd.phase_diagram(*AXES))
    assert_same_result(trained, phd.train(**SWEEP))


def test_training_survives_a_killed_dask_worker(cluster):
    pids = worker_pids(cluster)
    assert len(pids) == 2
    killer = []

    def kill_once(share):
        if not killer and share > 0.1:
            killer.append(kill_a_worker_after(0, lambda: pids))

    with cluster.get_executor(pure=False) as executor:
        found = phd.train(**SWEEP, executor=executor, progress=kill_once)
    killer[0].join()
    assert_same_result(found, phd.train(**SWEEP))


@pytest.mark.parametrize("executor", ["processes", 4, ThreadPoolExecutor])
def test_what_is_no_executor_is_refused_before_any_work(executor):
    for function in (
        lambda: phd.phase_diagram([0.5], [1.0], executor=executor),
        lambda: phd.train(0.5, 1.0, executor=executor),
    ):
        with pytest.raises(ValueError, match=r"executor must be None or a concurrent\.futures"):
            function()
