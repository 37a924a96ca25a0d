"""Workers whose parent is gone."""

from __future__ import annotations

import subprocess
import sys
import time

import psutil
import pytest

BEGIN = {
    "multiprocessing": "multiprocessing.get_context('spawn').Process(target=work, args=(sys.argv[1],)).start()",
    "joblib": "joblib.Parallel(2)(joblib.delayed(work)(sys.argv[1]) for _ in range(2))",
}
PROGRAM = """
import multiprocessing, os, pathlib, sys, time
from rtser.orphans import end_with_parent

def work(folder):
    end_with_parent()
    (pathlib.Path(folder) / str(os.getpid())).touch()
    time.sleep(60)

if __name__ == "__main__":
    {begin}
    time.sleep(60)
"""


@pytest.mark.parametrize("by", BEGIN)
def test_a_worker_ends_with_a_parent_that_is_killed(by, tmp_path):
    if by == "joblib":
        if sys.platform == "win32":
            pytest.skip("joblib's workers cannot know there that their parent has ended")
        pytest.importorskip("joblib")
    program, folder = tmp_path / "program.py", tmp_path / "workers"
    folder.mkdir()
    begin = f"import {by}; {BEGIN[by]}"
    program.write_text(PROGRAM.format(begin=begin))
    with subprocess.Popen([sys.executable, program, folder]) as parent:
        while not (begun := list(folder.iterdir())) and parent.poll() is None:
            time.sleep(0.05)
        workers = [psutil.Process(int(one.name)) for one in begun]
        parent.kill()
    for worker in workers:
        worker.wait(timeout=10)
    assert workers
