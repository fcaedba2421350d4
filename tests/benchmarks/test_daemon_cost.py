"""What the daemon's cost is measured by: the same input each time, and the processor time of whole sessions."""

import subprocess
import sys
import time

from benchmarks.daemon_cost import Meter, make_input

BURN = "import time\nwhile time.process_time() < .3: pass\n"
PARENT = (
    f"import subprocess, sys, time; subprocess.run([sys.executable, '-c', {BURN!r}]); "
    "print(1, flush=True); time.sleep(60)"
)


def test_the_input_is_the_same_each_time_and_late_answers_are_not_in_what_is_dropped_at_first() -> None:
    inputs = make_input(12, 10)
    assert inputs == make_input(12, 10)
    assert len(inputs.first) == 13
    assert inputs.released_before == ["d001"]
    first, late = inputs.first["answers/crew.csv"].splitlines(), inputs.late["answers/late.csv"].splitlines()
    assert set(first).intersection(late) == {"batch,item_id,purpose,annotator,label"}
    assert {line.split(",")[0] for line in late[1:]} == {"d001", "d004"}
    assert not any(line.startswith("d004,") and ",expert," in line for line in first)


def test_processor_time_of_a_session_counts_children_that_ended() -> None:
    other = subprocess.Popen([sys.executable, "-c", PARENT], start_new_session=True, stdout=subprocess.PIPE)
    try:
        assert other.stdout is not None
        other.stdout.readline()
        meter = Meter({"other": other.pid})
        assert 0.2 <= meter.read()["other"] < 5
        begun = time.process_time()
        while time.process_time() - begun < 0.3:
            pass  # ours is not counted
        assert meter.read()["other"] < 5
        (name,) = meter.by_program()
        assert name.startswith("other: -c")
    finally:
        other.kill()
        other.wait()
