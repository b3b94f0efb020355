"""Two thousand boxes: marking one and panning over them cost neither layout nor waiting.

Times depend on what else the machine does, and are printed; what is asserted is wide, or does not depend on it.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping

import pytest
from playwright.sync_api import CDPSession, Page

from tests.e2e.page.looking import answered, blank_png, document_of, line_of, shown, view

pytestmark = pytest.mark.alone

COLUMNS, ROWS = 20, 100
WIDTH, HEIGHT = 2480, 3508
MARKS = 40
FRAMES = 90

FRAME = """
const frame = () => new Promise(done => requestAnimationFrame(() => {
  const channel = new MessageChannel() // after the frame was painted
  channel.port1.onmessage = () => done(performance.now())
  channel.port2.postMessage(0)
}))
"""
HOVER = f"""async count => {{ {FRAME}
  const view = document.querySelector('.scroller').getBoundingClientRect()
  const seen = [...document.querySelectorAll('[data-part="boxes"] polygon')].filter(box => {{
    const {{ top, bottom }} = box.getBoundingClientRect()
    return top > view.top && bottom < view.bottom
  }})
  const times = []
  for (let mark = 0; mark < count; mark += 1) {{
    const box = seen[(mark * 37) % seen.length]
    await frame()
    const start = performance.now()
    box.dispatchEvent(new PointerEvent('pointerover', {{ bubbles: true, pointerType: 'mouse' }}))
    if (!box.classList.contains('hovered')) throw new Error('not marked at once')
    times.push(await frame() - start)
  }}
  return times
}}"""
PAN = f"""async count => {{ {FRAME}
  const view = document.querySelector('.scroller')
  const start = performance.now()
  for (let at = 0; at < count; at += 1) {{
    view.scrollTo(600 + 400 * Math.sin(at / 9), 900 + 600 * Math.cos(at / 13))
    await frame()
  }}
  return count / (performance.now() - start) * 1000
}}"""
IDLE = f"""async count => {{ {FRAME}
  const start = performance.now()
  for (let at = 0; at < count; at += 1) await frame()
  return count / (performance.now() - start) * 1000
}}"""


@pytest.fixture
def crowded(page: Page) -> Page:
    lines = [
        line_of(
            f"r{row} c{column}", (60 + 118 * column, 60 + 34 * row), (110, 28), (0.99, 0.85, 0.5)[(row + column) % 3]
        )
        for row in range(ROWS)
        for column in range(COLUMNS)
    ]
    answered(page, document_of(lines, width=WIDTH, height=HEIGHT), "crowded.png", blank_png(WIDTH, HEIGHT))
    shown(page, COLUMNS * ROWS)
    page.wait_for_timeout(500)
    return page


def counted(page: Page, action: Callable[[], None]) -> Mapping[str, float]:
    """How often the browser laid out and styled while something was done."""
    session: CDPSession = page.context.new_cdp_session(page)
    session.send("Performance.enable")

    def metrics() -> dict[str, float]:
        return {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}

    before = metrics()
    action()
    after = metrics()
    session.detach()
    return {name: after[name] - before[name] for name in ("LayoutCount", "RecalcStyleCount", "ScriptDuration")}


def test_a_box_is_marked_at_once_without_layout(crowded: Page) -> None:
    times: list[float] = []
    costs = counted(crowded, lambda: times.extend(crowded.evaluate(HOVER, MARKS)))
    median = statistics.median(times)
    print(f"hover to highlight, {COLUMNS * ROWS} boxes: median {median:.0f} ms, largest {max(times):.0f} ms; {costs}")
    assert costs["LayoutCount"] <= MARKS / 10
    assert costs["ScriptDuration"] * 1000 / MARKS < 25
    assert median < 250


def test_panning_needs_no_layout_and_keeps_the_pace_of_the_machine(crowded: Page) -> None:
    crowded.keyboard.press("1")
    crowded.wait_for_timeout(600)
    assert view(crowded).evaluate("view => view.scrollHeight - view.clientHeight") > 2000
    idle = float(crowded.evaluate(IDLE, FRAMES))
    speeds: list[float] = []
    costs = counted(crowded, lambda: speeds.append(crowded.evaluate(PAN, FRAMES)))
    print(f"panning, {COLUMNS * ROWS} boxes: {speeds[0]:.0f} frames a second, {idle:.0f} when idle; {costs}")
    assert costs["LayoutCount"] <= FRAMES / 10
    assert costs["RecalcStyleCount"] <= FRAMES / 5
    assert speeds[0] > idle / 4
