from __future__ import annotations

import io

from shizi.cli.progress import Progress, progress_line, shorten


def test_the_line_says_counts_failures_and_the_time_left() -> None:
    line = progress_line(done=25, total=100, failed=2, seconds=50, name="scan.pdf")
    assert line == "██████░░░░░░░░░░░░░░░░░░ 25/100  2 failed  2:30 min left  scan.pdf"


def test_chinese_names_are_cut_to_the_columns_of_the_terminal() -> None:
    assert shorten("扫描件.pdf", 7) == "扫描件…"
    assert shorten("扫描件.pdf", 6) == "扫描…"
    assert shorten("abc", 3) == "abc"


def test_messages_stand_above_the_line() -> None:
    stream = io.StringIO()
    with Progress(2, stream, shown=True, clock=lambda: 0.0) as progress:
        progress.advance("a.png", failed=False)
        progress.say("a message")
    assert "\x1b[Ka message\n" in stream.getvalue()
    assert stream.getvalue().endswith("\r\x1b[K")


def test_off_a_terminal_only_messages_remain() -> None:
    stream = io.StringIO()
    with Progress(2, stream, shown=False) as progress:
        progress.advance("a.png", failed=False)
        progress.say("a message")
    assert stream.getvalue() == "a message\n"
