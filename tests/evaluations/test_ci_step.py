"""The lines for a CI job that the documentation gives, as they stand there, run by a shell against a server that answers."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_django.live_server_helper import LiveServer

from incidents.evaluations.cases import EvaluationCase
from incidents.evaluations.runs import CaseResult
from incidents.people.models import User

DOCUMENT = Path(__file__).parents[2] / "docs" / "evaluations.md"


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not here")
def test_the_step_of_the_documentation_exports_runs_and_reports(
    transactional_db: None,
    live_server: LiveServer,
    refunds: EvaluationCase,
    mara: User,
    key_of: Callable[..., dict[str, str]],
    tmp_path: Path,
) -> None:
    step = re.search(r"  run: \|\n((?:    .*\n)+)", DOCUMENT.read_text())
    assert step is not None
    (tmp_path / "answering.py").write_text('def answer(case):\n    return "It takes 30 days."\n')
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = -p no:cacheprovider -p no:django -p no:xdist\n")
    environment = {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "FAULTLINE": f"{live_server.url}/api/v1/systems/support-assistant",
        "KEY": key_of(mara)["Authorization"].removeprefix("Bearer "),
        "GITHUB_RUN_ID": "42",
        "GITHUB_RUN_ATTEMPT": "1",
        "GITHUB_SHA": "abc123",
    }
    done = subprocess.run(
        ["bash", "-euc", step[1]],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    result = CaseResult.objects.select_related("run").get()
    assert (result.case, result.passed, result.tries) == (refunds, 5, 5)
    assert (result.run.run_id, result.run.revision) == ("42-1", "abc123")
