"""An invoice in Chinese and English, as a company's own program would print it."""

from __future__ import annotations

import math

from PIL import Image, ImageDraw

from samples.sheet import Sheet, font

WIDTH, HEIGHT = 1240, 1754
LEFT, RIGHT = 90, WIDTH - 90
BLUE = (24, 62, 122)
GREY = (96, 98, 106)
RED = (196, 30, 36)

ITEMS = (
    ("1", "便携式光谱仪 Portable spectrometer", "2", "台", "18,600.00", "37,200.00"),
    ("2", "恒温水浴锅 Thermostatic bath", "4", "台", "2,350.00", "9,400.00"),
    ("3", "石英比色皿 10 mm Quartz cuvette", "60", "支", "128.00", "7,680.00"),
    ("4", "校准服务 On-site calibration", "1", "次", "3,200.00", "3,200.00"),
    ("5", "标准溶液 pH 7.00 Buffer solution", "12", "瓶", "45.50", "546.00"),
)
COLUMNS = ((LEFT + 34, "ms"), (LEFT + 80, "ls"), (710, "rs"), (770, "ms"), (940, "rs"), (RIGHT - 20, "rs"))


def draw_invoice() -> tuple[Image.Image, str]:
    """The page and its text."""
    sheet = Sheet(WIDTH, HEIGHT)
    _head(sheet)
    _parties(sheet)
    bottom = _table(sheet)
    _totals(sheet, bottom)
    _foot(sheet)
    _stamp(sheet.image, (1010, 1538))
    return sheet.image, sheet.truth()


def _head(sheet: Sheet) -> None:
    sheet.draw.rectangle((LEFT, 84, LEFT + 64, 148), fill=BLUE)
    sheet.draw.polygon([(LEFT + 12, 134), (LEFT + 32, 100), (LEFT + 52, 134)], fill=(255, 255, 255))
    sheet.row([(LEFT + 84, "青山仪器有限公司", "ls"), (RIGHT, "发票 INVOICE", "rs")], 122, 36, "bold", BLUE)
    sheet.put((LEFT + 84, 152), "Qingshan Instruments Co., Ltd.", 20, ink=GREY)
    sheet.put((LEFT, 200), "上海市浦东新区云桥路 88 号 3 幢 201 室  电话 Tel: 021-5550 0136", 20, ink=GREY)
    sheet.rule(LEFT, RIGHT, 224, 3, BLUE)


def _parties(sheet: Sheet) -> None:
    rows = (
        ("购买方 Bill to:", "江南生物技术研究院", "发票号码 No.:", "QS-2026-00417"),
        ("纳税人识别号 Tax ID:", "91320100MA0TEST17X", "开票日期 Date:", "2026年3月18日"),
        ("地址 Address:", "南京市江宁区科宁大道 305 号", "付款期限 Due:", "2026-04-17"),
        ("联系人 Contact:", "林晓雨 Lin Xiaoyu", "币种 Currency:", "人民币 CNY"),
    )
    for index, (label, value, label2, value2) in enumerate(rows):
        y = 278 + 44 * index
        for x, text, ink in ((LEFT, label, GREY), (770, label2, GREY)):
            sheet.draw.text((x, y), text, font=font("sans", 21), fill=ink, anchor="ls")
        for x, text in ((LEFT + 220, value), (938, value2)):
            sheet.draw.text((x, y), text, font=font("sans", 22), fill=(34, 34, 38), anchor="ls")
        sheet.lines.append(" ".join((label, value, label2, value2)))


def _table(sheet: Sheet) -> int:
    top, step = 480, 58
    sheet.draw.rectangle((LEFT, top, RIGHT, top + step), fill=(228, 235, 245))
    titles = ("序号", "品名及规格 Description", "数量", "单位", "单价 Price", "金额 Amount")
    sheet.row(
        [(x, text, anchor) for (x, anchor), text in zip(COLUMNS, titles, strict=True)], top + 38, 22, "bold", BLUE
    )
    for number, item in enumerate(ITEMS, start=1):
        y = top + step * number
        sheet.row([(x, text, anchor) for (x, anchor), text in zip(COLUMNS, item, strict=True)], y + 38, 22)
        sheet.rule(LEFT, RIGHT, y + step)
    bottom = top + step * (len(ITEMS) + 1)
    sheet.draw.rectangle((LEFT, top, RIGHT, bottom), outline=(110, 124, 150), width=2)
    for x in (LEFT + 66, 640, 730, 810, 955):
        sheet.draw.line((x, top, x, bottom), fill=(150, 160, 178), width=1)
    return bottom


def _totals(sheet: Sheet, top: int) -> None:
    rows = (("小计 Subtotal", "58,026.00"), ("税额 VAT 13%", "7,543.38"), ("价税合计 Total", "¥ 65,569.38"))
    for index, (label, value) in enumerate(rows):
        last = index == len(rows) - 1
        sheet.row(
            [(710, label, "ls"), (RIGHT - 20, value, "rs")],
            top + 52 + 46 * index,
            26 if last else 22,
            "bold" if last else "sans",
        )
    sheet.rule(700, RIGHT, top + 106, 2)
    sheet.put((LEFT, top + 220), "大写金额：陆万伍仟伍佰陆拾玖元叁角捌分", 24, "bold")


def _foot(sheet: Sheet) -> None:
    y = 1150
    sheet.put((LEFT, y), "备注 Remarks", 22, "bold", ink=BLUE)
    notes = (
        "1. 请在付款时注明发票号码。Please quote the invoice number with your payment.",
        "2. 货物自签收之日起质保十二个月。Warranty: 12 months from delivery.",
        "3. 如有疑问，请联系 billing@qingshan.example。",
    )
    for index, note in enumerate(notes):
        sheet.put((LEFT, y + 42 + 38 * index), note, 20)
    sheet.put((LEFT, 1352), "开户行：云桥银行上海分行", 21)
    sheet.put((LEFT, 1390), "账号 Account: 6200 0000 1234 5678 901", 21)
    sheet.row(
        [(LEFT, "收款人：周明", "ls"), (LEFT + 240, "复核：陈静", "ls"), (LEFT + 460, "开票人：吴海", "ls")], 1432, 21
    )
    sheet.rule(LEFT, RIGHT, 1640)
    sheet.put((WIDTH / 2, 1676), "第 1 页 共 1 页  Page 1 of 1", 18, anchor="ms", ink=GREY)


def _stamp(page: Image.Image, centre: tuple[int, int]) -> None:
    """A round red stamp over the foot; its bent text is ornament and no part of the truth."""
    size, scale = 190, 4
    stamp = Image.new("RGBA", (size * scale, size * scale), (0, 0, 0, 0))
    draw = ImageDraw.Draw(stamp)
    middle = size * scale / 2
    draw.ellipse((9, 9, size * scale - 10, size * scale - 10), outline=(*RED, 205), width=15)
    star = [
        (
            middle + radius * math.sin(math.pi * point / 5),
            middle - radius * math.cos(math.pi * point / 5),
        )
        for point in range(10)
        for radius in ((110.0, 44.0)[point % 2],)
    ]
    draw.polygon(star, fill=(*RED, 205))
    text = "青山仪器有限公司"
    for index, character in enumerate(text):
        turn = -105 + 210 * index / (len(text) - 1)
        glyph = Image.new("RGBA", (150, 150), (0, 0, 0, 0))
        ImageDraw.Draw(glyph).text((75, 75), character, font=font("serif-bold", 88), fill=(*RED, 215), anchor="mm")
        glyph = glyph.rotate(-turn, resample=Image.Resampling.BICUBIC)
        angle = math.radians(turn)
        x, y = middle + 284 * math.sin(angle) - 75, middle - 284 * math.cos(angle) - 75
        stamp.alpha_composite(glyph, (round(x), round(y)))
    stamp = stamp.rotate(8, resample=Image.Resampling.BICUBIC).resize((size, size), Image.Resampling.LANCZOS)
    page.paste(stamp, (centre[0] - size // 2, centre[1] - size // 2), stamp)
