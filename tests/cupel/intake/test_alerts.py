"""An alert is always in the record; what the hook does with it breaks nothing."""

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from cupel.config.operation import Alerts
from cupel.intake.alerts import Alert, alert, end_alerts, read_alerts, standing_alerts
from cupel.lake.lake import Lake

ABOUT = Alert("small", "one", "gate_failed", "kept_share: 0.2 against 0.5", "Count the reasons.", "run-1")


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake", "small")


def test_a_command_gets_the_alert_on_its_standard_input(lake: Lake, tmp_path: Path) -> None:
    target = tmp_path / "told.json"
    command = (sys.executable, "-c", f"import sys; open({str(target)!r}, 'w').write(sys.stdin.read())")
    assert alert(lake, Alerts(command=command), ABOUT) == []
    told = json.loads(target.read_text())
    assert {key: told[key] for key in ABOUT._fields} == ABOUT._asdict()
    assert read_alerts(lake) == [told]


def test_a_hook_that_fails_is_said_and_the_alert_is_kept(lake: Lake) -> None:
    failing = Alerts(command=(sys.executable, "-c", "raise SystemExit(3)"), webhook="http://127.0.0.1:9/secret")
    problems = alert(lake, failing, ABOUT)
    assert len(problems) == 2
    assert "exit code 3" in problems[0]
    assert "secret" not in problems[1]
    missing = alert(lake, Alerts(command=("/no/such/program",)), ABOUT._replace(partition="two"))
    assert "/no/such/program" in missing[0]
    assert len(read_alerts(lake)) == 2


def test_a_webhook_is_posted_to_and_its_url_may_come_from_the_environment(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    got: list[bytes] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    assert alert(lake, Alerts(webhook_env="HOOK_URL"), ABOUT) == ["alerts.webhook_env: HOOK_URL is not set"]
    monkeypatch.setenv("HOOK_URL", f"http://127.0.0.1:{server.server_port}/")
    assert alert(lake, Alerts(webhook_env="HOOK_URL"), ABOUT._replace(partition="two")) == []
    server.shutdown()
    assert json.loads(got[0])["happened"] == ABOUT.happened


def test_a_line_that_was_cut_short_is_left_out(lake: Lake) -> None:
    alert(lake, Alerts(), ABOUT)
    with (Path(str(lake.folder)) / "alerts.jsonl").open("a") as file:
        file.write('{"project": "sm')
    assert len(read_alerts(lake)) == 1
    alert(lake, Alerts(), ABOUT._replace(partition="two"))
    assert [row["partition"] for row in read_alerts(lake)] == ["one", "two"]


@pytest.mark.parametrize("altered", [b"\xff", b"[", b'"', b"{}", b"null", b'{"kind": "over"}'])
def test_a_line_that_was_altered_is_left_out_and_stops_nothing(lake: Lake, altered: bytes) -> None:
    alert(lake, Alerts(), ABOUT)
    path = Path(str(lake.folder)) / "alerts.jsonl"
    path.write_bytes(altered + b"\n" + path.read_bytes())
    end_alerts(lake, "two", ("broken",), "a run succeeded")
    assert [row["partition"] for row in standing_alerts(lake)] == ["one"]


def test_what_stands_is_not_told_again_before_it_was_over(lake: Lake, tmp_path: Path) -> None:
    target = tmp_path / "told"
    command = (sys.executable, "-c", f"import sys; open({str(target)!r}, 'a').write(sys.stdin.read() + chr(10))")
    hook = Alerts(command=command)
    for about in (ABOUT, ABOUT, ABOUT._replace(run_id="run-2"), ABOUT._replace(partition="two")):
        alert(lake, hook, about)
    assert len(target.read_text().splitlines()) == 2
    end_alerts(lake, "one", ("broken",), "a run succeeded")
    end_alerts(lake, "three", ("gate_failed",), "a run succeeded")
    assert len(read_alerts(lake)) == 2
    end_alerts(lake, "one", ("gate_failed",), "a run succeeded")
    assert [row["partition"] for row in standing_alerts(lake)] == ["two"]
    alert(lake, hook, ABOUT)
    assert len(target.read_text().splitlines()) == 3
    assert [row["kind"] for row in read_alerts(lake)] == ["gate_failed", "gate_failed", "over", "gate_failed"]


def test_the_same_cause_in_other_words_is_the_same_and_other_words_without_a_cause_are_another(lake: Lake) -> None:
    alert(lake, Alerts(), ABOUT._replace(happened="5 questions", cause="open audit"))
    alert(lake, Alerts(), ABOUT._replace(happened="4 questions", cause="open audit"))
    alert(lake, Alerts(), ABOUT._replace(happened="3 questions"))
    assert [row["happened"] for row in read_alerts(lake)] == ["5 questions", "3 questions"]


def test_a_kind_that_nobody_asked_for_is_in_the_record_and_told_to_nobody(lake: Lake, tmp_path: Path) -> None:
    target = tmp_path / "told"
    command = (sys.executable, "-c", f"open({str(target)!r}, 'w')")
    assert alert(lake, Alerts(command=command, kinds=("certified",)), ABOUT) == []
    assert not target.exists()
    assert len(read_alerts(lake)) == 1
