"""Markdown shows the characters of the page, whatever they are."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from shizi.export.markdown import render
from shizi.export.pieces import printable
from shizi.types import Cell, Document, Line, Page, Polygon, Table


def box(x: float, y: float, width: float, height: float) -> Polygon:
    return ((x, y), (x + width, y), (x + width, y + height), (x, y + height))


def written(*lines: Line, tables: tuple[Table, ...] = ()) -> str:
    return render(Document((Page(1, 1000, 1400, lines=lines, tables=tables),))).decode()


def shown(markdown: str) -> list[str]:
    """The texts that a reader shows, block by block."""
    parser = MarkdownIt("commonmark").enable("table")
    return [_inline(token) for token in parser.parse(markdown) if token.type == "inline"]


def _inline(token: Token) -> str:
    breaks = {"softbreak": " ", "hardbreak": "\n"}
    parts = []
    for child in token.children or []:
        assert child.type in ("text", "softbreak", "hardbreak"), child.type
        parts.append(breaks.get(child.type, child.content))
    return "".join(parts)


def column(*texts: str, height: float = 20.0, width: float = 600.0) -> list[Line]:
    return [Line(text, 1, box(100, 100 + 1.3 * height * index, width, height)) for index, text in enumerate(texts)]


nasty = st.text(
    st.sampled_from("ab 1.)-+=>#*_`~[](){}<>!|&;\\:\"'/文。\t\n😀\u0590\u05d0") | st.characters(), max_size=20
)


@given(st.lists(nasty, min_size=1, max_size=4))
def test_the_text_survives(texts: list[str]) -> None:
    lines = column(*texts, width=150)
    expected = [cleaned for text in texts if (cleaned := " ".join(printable(text).split()))]
    assert "\n".join(shown(written(*lines))).split("\n") == (expected or [""])


def test_lines_that_fill_their_column_flow_on() -> None:
    lines = column("The quick brown fox jumps over the", "lazy dog and then goes home to a well-", "earned rest.")
    lines[2] = Line("earned rest.", 1, box(100, 152, 200, 20))
    assert shown(written(*lines)) == [
        "The quick brown fox jumps over the lazy dog and then goes home to a well-earned rest."
    ]
    chinese = column("识字是一个在自己机器上运行的文字识别平台，不把文件交给", "别人。")
    assert shown(written(*chinese)) == ["识字是一个在自己机器上运行的文字识别平台，不把文件交给别人。"]


def test_lines_of_a_form_stay_lines() -> None:
    lines = column("购买方 北京识字科技有限公司", "电话 010-12345678", "合计 ¥1,234.56")
    lines[0] = Line(lines[0].text, 1, box(100, 100, 300, 20))
    assert shown(written(*lines)) == ["购买方 北京识字科技有限公司\n电话 010-12345678\n合计 ¥1,234.56"]


def test_cells_of_a_row_stay_on_it() -> None:
    lines = [Line("数量", 1, box(100, 100, 80, 20)), Line("12", 1, box(400, 102, 40, 20))]
    assert written(*lines) == "数量 12\n"


def test_larger_lines_are_headings() -> None:
    title = Line("增值税发票", 1, box(100, 20, 400, 50))
    section = Line("明细", 1, box(100, 300, 100, 31))
    assert written(title, *column("一", "二", "三", width=100), section).startswith("# 增值税发票\n\n一  \n二")
    assert "\n\n## 明细\n" in written(title, *column("一", "二", "三", width=100), section)


def test_a_table_takes_the_place_of_its_lines() -> None:
    frame = box(90, 190, 400, 100)
    texts = (("名称", 0, 0, 1), ("单价|元", 0, 1, 1), ("苹果", 1, 0, 1), ("合计", 2, 0, 2))
    cells = tuple(Cell(text, frame, row, column, 1, span) for text, row, column, span in texts)
    lines = [
        Line("before", 1, box(100, 100, 80, 20)),
        Line("名称", 1, box(100, 200, 80, 20)),
        Line("苹果", 1, box(100, 230, 80, 20)),
        Line("after", 1, box(100, 400, 80, 20)),
    ]
    expected = "before\n\n| 名称 | 单价\\|元 |\n| --- | --- |\n| 苹果 |  |\n| 合计 |  |\n\nafter\n"
    assert written(*lines, tables=(Table(frame, cells),)) == expected


def test_pages_are_parted() -> None:
    pages = tuple(Page(n, 100, 100, lines=(Line(text, 1, box(0, 0, 50, 20)),)) for n, text in ((1, "one"), (2, "two")))
    assert render(Document(pages)).decode() == "one\n\n---\n\ntwo\n"
    assert render(Document((Page(1, 100, 100),))).decode() == "\n"
