"""A notice in two languages, fed into the scanner sideways."""

from __future__ import annotations

from PIL import Image

from samples.sheet import Sheet

WIDTH, HEIGHT = 1000, 1414
LEFT = 96

CHINESE = (
    "各部门同事：",
    "为改善实验楼的供电条件，后勤处将于六月二十日（星期六）",
    "上午八点至下午四点检修三号变压器。届时实验楼和图书馆",
    "停电，食堂照常开放。请提前保存数据，关闭仪器电源，并将",
    "需要低温保存的样品转移到北区冷库。",
)
ENGLISH = (
    "Dear colleagues,",
    "On Saturday, 20 June, from 8:00 to 16:00, transformer no. 3 will be",
    "overhauled. The laboratory building and the library will be without",
    "power; the canteen stays open. Please save your data, switch off all",
    "instruments and move chilled samples to the cold store in the north",
    "wing before Friday evening.",
)


def draw_notice() -> tuple[Image.Image, str]:
    """The page, turned clockwise by 90 degrees, and its text as a person reads it upright."""
    sheet = Sheet(WIDTH, HEIGHT)
    sheet.put((WIDTH / 2, 170), "停电通知", 52, "serif-bold", "ms")
    sheet.put((WIDTH / 2, 222), "Notice of power outage", 28, "serif", "ms")
    sheet.rule(LEFT, WIDTH - LEFT, 252, 2, (60, 60, 64))
    for index, line in enumerate(CHINESE):
        sheet.put((LEFT + 60 if index == 1 else LEFT, 330 + 58 * index), line, 30, "serif")
    for index, line in enumerate(ENGLISH):
        sheet.put((LEFT, 690 + 46 * index), line, 25, "serif")
    sheet.put((WIDTH - LEFT, 1080), "后勤处 Facilities", 28, "serif", "rs")
    sheet.put((WIDTH - LEFT, 1128), "2026年6月12日", 28, "serif", "rs")
    sheet.put((LEFT, 1270), "联系电话 Phone: 8230-4417", 24, "serif")
    grey = sheet.image.convert("L")
    return grey.transpose(Image.Transpose.ROTATE_270), sheet.truth()
