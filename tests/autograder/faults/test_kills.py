"""Whatever is killed at whatever moment, running the batch again ends in the undisturbed gradebook."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.autograder.faults.canonical import canonical, require_whole
from tests.autograder.faults.classroom import Classroom, grade
from tests.autograder.faults.conftest import SIZE
from tests.autograder.faults.disturber import cluster, disturb, require_nothing_left

KILLS = max(8, SIZE * 3 // 4)
DRIVER_KILLS = 2 + SIZE // 50
CLUSTER_KILLS = max(4, SIZE // 15)  # each costs the start of a process that has torch to load


@pytest.mark.slow
@pytest.mark.long
def test_a_batch_under_fire_ends_as_an_undisturbed_one(classroom: Classroom, tmp_path: Path) -> None:
    undisturbed, disturbed = classroom.copy(tmp_path / "a"), classroom.copy(tmp_path / "b")
    grade(undisturbed)
    report = disturb(disturbed, seed=SIZE, kills=KILLS, driver_kills=DRIVER_KILLS, every=1)
    assert report.kills["driver"] <= DRIVER_KILLS
    assert report.kills.total() > 0
    require_whole(disturbed)
    require_nothing_left(disturbed, report)
    assert canonical(disturbed) == canonical(undisturbed)
    require_whole(undisturbed)


@pytest.mark.slow
@pytest.mark.long
def test_a_cluster_under_fire_costs_nothing_but_time(classroom: Classroom, tmp_path: Path) -> None:
    """Its scheduler and workers among those who are killed."""
    undisturbed, disturbed = classroom.copy(tmp_path / "a"), classroom.copy(tmp_path / "b")
    grade(undisturbed)
    with cluster(tmp_path, workers=2) as field:
        report = disturb(
            disturbed,
            seed=SIZE,
            kills=CLUSTER_KILLS,
            driver_kills=CLUSTER_KILLS // 4,
            every=2,
            field=field,
        )
    assert report.kills.total() > 0
    require_whole(disturbed)
    require_nothing_left(disturbed, report)
    assert canonical(disturbed) == canonical(undisturbed)
