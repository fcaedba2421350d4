from cupel.label_studio.waiting import Waiting, waiting
from cupel.lake import Lake
from label_studio_server import LabelStudioServer
from live_lake import gather, project


def test_what_lies_open_is_counted_by_batch_and_group(lake: Lake, server: LabelStudioServer) -> None:
    assert waiting(project(server.url), lake) == []
    gather(lake, server)
    assert waiting(project(server.url), lake) == [Waiting("one", "annotators", 3, 6)]
    first, second, _ = server.shown("annotators")
    server.annotate(first, "ann@x.org", "warm")
    server.annotate(first, "bob@x.org", "warm")
    server.annotate(second, "ann@x.org", "warm")
    gather(lake, server)
    assert waiting(project(server.url), lake) == [Waiting("one", "annotators", 2, 3)]
