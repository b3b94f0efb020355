"""Correcting: edit a line in place, step through the doubtful ones, mark as checked, take it back."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from PIL import Image, ImageFilter
from playwright.sync_api import Locator, Page, expect

from tests.e2e.page.conftest import OpenPage
from tests.e2e.page.harness import axe, give
from tests.e2e.test_serve import SAMPLES


def read(page: Page, name: str | Path = "receipt.jpg") -> None:
    """Gives a sample and waits for its text."""
    give(page, name)
    expect(page.locator("nav [data-state=done]")).to_be_attached()
    expect(page.get_by_role("gridcell").first).to_be_visible()


def out_of_focus(folder: Path) -> Path:
    """A page some of whose lines are doubtful."""
    path = folder / "blurred.png"
    Image.open(SAMPLES / "invoice.png").convert("RGB").filter(ImageFilter.GaussianBlur(2.6)).save(path)
    return path


def line(page: Page, text: str | re.Pattern[str]) -> Locator:
    return page.get_by_role("gridcell").filter(has_text=text)


def editor(page: Page) -> Locator:
    return page.get_by_role("textbox", name=re.compile(r"^Text of "))


def replace(page: Page, text: str, end: str = "Enter") -> None:
    """Types into the line that is being edited, whose text is selected."""
    expect(editor(page)).to_be_focused()
    page.keyboard.press("Control+a")
    if text:
        page.keyboard.insert_text(text)
    else:
        page.keyboard.press("Delete")
    page.keyboard.press(end)


UNDERSTOOD = """
const corners = [[10, 10], [90, 10], [90, 50], [10, 50]]
const cell = ([text, row, column, column_span]) => ({ text, polygon: corners, row, column, row_span: 1, column_span })
const table = { polygon: corners, cells: [["Item", 0, 0, 2], ["Flat white", 1, 0, 1], ["9.60", 1, 1, 1]].map(cell) }
const field = { name: "Receipt", value: "004981", score: 0.6, polygon: corners }
const before = window.fetch
window.fetch = async (...all) => {
  const answer = await before(...all)
  if (!String(all[0]).endsWith("/v1/ocr")) return answer
  const body = await answer.json()
  Object.assign(body.pages[0], { tables: [table], fields: [field] })
  return Response.json(body, { headers: answer.headers })
}
"""  # no model of this server understands tables or fields


def test_a_line_is_edited_in_place(page: Page) -> None:
    read(page)
    line(page, "Flat white").click()
    page.keyboard.press("Enter")
    replace(page, "2 x Flat White XL")
    expect(editor(page)).to_have_count(0)
    edited = line(page, "2 x Flat White XL")
    expect(edited).to_be_focused()
    expect(edited).to_contain_text("corrected")
    expect(page.get_by_text("Read as 2 x Flat white")).to_be_visible()
    page.keyboard.press("F2")
    replace(page, "nothing", end="Escape")
    expect(edited).to_be_visible()
    edited.dblclick()
    replace(page, "2 x Flat white, once more")
    page.get_by_role("button", name="Take back").click()
    expect(line(page, re.compile(r"^2 x Flat white$"))).to_be_visible()


def test_tab_saves_and_goes_to_the_next_line(page: Page) -> None:
    read(page)
    line(page, "17 Harbour Lane").click()
    page.keyboard.press("F2")
    replace(page, "18 Harbour Lane, Eastport", end="Tab")
    expect(editor(page)).to_have_value(re.compile("0555 014 2277"))
    replace(page, "Tel. 1", end="Tab")
    expect(editor(page)).to_have_value(re.compile("2026-05-09"))
    page.keyboard.press("Shift+Tab")
    expect(editor(page)).to_have_value("Tel. 1")
    page.keyboard.press("Escape")
    expect(line(page, "18 Harbour Lane, Eastport")).to_be_visible()
    expect(line(page, "Tel. 1")).to_be_focused()


def test_checking_goes_on_to_the_next_document(page: Page, tmp_path: Path) -> None:
    names = ("first.png", "second.png")
    for name in names:
        shutil.copy(SAMPLES / "invoice.png", tmp_path / name)
    give(page, *(tmp_path / name for name in names))
    expect(page.locator("nav [data-state=done]")).to_have_count(2)
    first, second = (page.locator("nav li").filter(has_text=name) for name in names)
    expect(first).to_contain_text(" to check")
    expect(page).to_have_title("first.png – shizi")
    page.get_by_role("tab", name="To check").click()
    count = int(page.get_by_role("tab", name="To check").inner_text().split()[-1])
    for _ in range(count + 1):  # one too many
        page.keyboard.press("c")
    expect(page.get_by_text("Nothing is left to check.")).to_be_visible()
    expect(first).not_to_contain_text(" to check")
    page.keyboard.press("j")
    expect(page).to_have_title("second.png – shizi")
    expect(page.locator("main [data-selected][data-key]").first).to_be_visible()
    expect(second).to_contain_text(f"{count} to check")
    page.locator("nav li button").first.click()
    page.get_by_role("tab", name="Text").click()
    page.keyboard.press("k")
    expect(page).to_have_title("second.png – shizi")


def test_an_empty_line_is_removed_and_comes_back(page: Page) -> None:
    read(page)
    count = page.get_by_role("gridcell").count()
    undo, redo = (page.get_by_role("button", name=name, exact=True) for name in ("Undo", "Redo"))
    expect(undo).to_be_disabled()
    line(page, "Flat white").dblclick()
    replace(page, "")
    expect(page.get_by_role("gridcell")).to_have_count(count - 1)
    page.keyboard.press("Control+z")
    expect(line(page, "Flat white")).to_be_visible()
    redo.click()
    expect(line(page, "Flat white")).to_have_count(0)
    undo.click()
    expect(page.get_by_role("gridcell")).to_have_count(count)


def test_keys_that_choose_chinese_characters_do_not_save(page: Page) -> None:
    read(page)
    line(page, "Flat white").dblclick()
    session = page.context.new_cdp_session(page)
    session.send("Input.imeSetComposition", {"text": "kafei", "selectionStart": 5, "selectionEnd": 5})
    for key in ("Enter", "Tab", "Escape"):
        composing = (
            f"new KeyboardEvent('keydown', {{ key: '{key}', isComposing: true, bubbles: true, cancelable: true }})"
        )
        assert editor(page).evaluate(f"field => field.dispatchEvent({composing})"), key  # the browser's own affair
    expect(editor(page)).to_be_focused()
    session.send("Input.insertText", {"text": "咖啡"})
    page.keyboard.press("Enter")
    expect(line(page, re.compile("^(corrected: )?咖啡$"))).to_be_visible()


def test_doubtful_lines_are_stepped_through_edited_and_checked(page: Page, tmp_path: Path) -> None:
    read(page, out_of_focus(tmp_path))
    tab = page.get_by_role("tab", name="To check")
    found = int(re.sub(r"\D", "", tab.inner_text()))
    assert found >= 2
    tab.click()
    items = page.get_by_role("tabpanel").get_by_role("listitem")
    expect(items).to_have_count(found)
    picture = items.first.get_by_role("img")
    expect(picture).to_be_visible()
    inked = picture.evaluate(
        "canvas => { const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);"
        " let dark = 0; for (let at = 0; at < data.length; at += 4) if (data[at + 1] < 200) dark++; return dark }"
    )
    assert inked > 20  # of a line, not of white paper
    chosen = page.locator("li:has([data-selected])")
    for key, index in (("j", 1), ("k", 0), ("n", 1), ("p", 0)):
        page.keyboard.press(key)
        expect(chosen).to_have_attribute("data-index", str(index))
    expect(page.locator("svg .selected")).to_have_count(1)  # on the image, too
    page.keyboard.press("Enter")
    replace(page, "章")
    expect(tab).to_contain_text(str(found - 1))
    page.keyboard.press("c")
    expect(tab).to_contain_text(str(found - 2))
    for _ in range(2):
        page.keyboard.press("Control+z")
    expect(tab).to_contain_text(str(found))


def test_confidence_is_told_by_shape_and_on_demand_by_a_figure(page: Page, tmp_path: Path) -> None:
    read(page, out_of_focus(tmp_path))
    poor = page.locator("[role=gridcell].fair, [role=gridcell].poor")
    sure = page.locator("[role=gridcell].good").first
    assert poor.count() >= 2
    styles = [
        each.locator(".text").evaluate("element => getComputedStyle(element).textDecorationLine")
        for each in (poor.first, sure)
    ]
    assert styles == ["underline", "none"]
    expect(poor.first).to_contain_text(re.compile("unsure|doubtful"))
    expect(sure).not_to_contain_text("%")
    page.get_by_role("button", name="Show confidence as figures").click()
    expect(sure).to_contain_text(re.compile(r"\d%"))
    sure.click()
    expect(page.get_by_text(re.compile(r"confidence \d"))).to_be_visible()


def test_a_line_is_marked_as_checked(page: Page) -> None:
    read(page)
    line(page, "Flat white").click()
    check = page.get_by_role("button", name="Checked")
    expect(check).to_have_attribute("aria-pressed", "false")
    check.click()
    expect(check).to_have_attribute("aria-pressed", "true")
    expect(line(page, "Flat white")).to_contain_text("checked")
    page.keyboard.press("c")
    expect(check).to_have_attribute("aria-pressed", "false")


def test_what_is_hovered_or_chosen_in_the_text_is_marked_on_the_image(page: Page) -> None:
    read(page)
    line(page, "Flat white").hover()
    expect(page.locator("svg .hovered")).to_have_count(1)
    line(page, "Flat white").click()
    expect(page.locator("svg .selected")).to_have_count(1)
    page.keyboard.press("ArrowDown")
    expect(line(page, "Flat white")).not_to_have_attribute("data-selected", "")
    expect(page.locator("[role=gridcell][data-selected]")).to_be_focused()
    expect(page.locator("svg .selected")).to_have_count(1)


def test_lines_are_found_on_all_pages(page: Page) -> None:
    read(page, "report.pdf")
    page.get_by_role("searchbox", name="Find in text").fill("STATION 4")
    expect(page.get_by_role("row")).to_have_count(1)
    expect(page.get_by_role("status").filter(has_text="1 lines")).to_be_visible()
    line(page, "Station 4").click()
    expect(page.locator("svg .selected")).to_have_count(1)
    page.get_by_role("searchbox").fill("no such words")
    expect(page.get_by_text("No line has this.")).to_be_visible()
    page.keyboard.press("Escape")
    assert page.get_by_role("row").count() > 10


def test_tables_are_tables_and_fields_a_form(page: Page) -> None:
    page.add_init_script(UNDERSTOOD)
    page.reload()
    read(page)
    page.get_by_role("tab", name="Tables").click()
    expect(page.get_by_role("table").get_by_role("row")).to_have_count(2)
    expect(page.get_by_role("cell", name="Item")).to_have_attribute("colspan", "2")
    page.get_by_role("button", name="Copy table").click()
    expect(page.get_by_text("Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == "Item\t\nFlat white\t9.60"
    page.get_by_role("tab", name="Tables").press("ArrowRight")
    expect(page.get_by_role("tab", name="Fields")).to_be_focused()
    expect(page.get_by_role("textbox", name="Receipt")).to_have_value("004981")
    assert axe(page) == []


def test_tabs_without_anything_are_not_there(page: Page) -> None:
    read(page)
    expect(page.get_by_role("tab")).to_have_text([re.compile("Text")])


def test_everybody_can_use_the_list_to_check(open_page: OpenPage) -> None:
    page = open_page("zh", "dark", 390)
    read_zh = page.get_by_role("button", name="文字", exact=True)
    give(page, "invoice.png")
    expect(page.locator("[data-state=done]")).to_be_attached()
    read_zh.click()
    page.get_by_role("tab", name="待核对").click()
    expect(page.get_by_role("tabpanel").get_by_role("img").first).to_be_visible()
    assert axe(page) == []
