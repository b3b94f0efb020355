"""A report of two pages: one with a real text layer, one a scan of a page in two columns."""

from __future__ import annotations

import ctypes
import io
import re

import numpy as np
import pypdfium2 as pdfium
import pypdfium2.raw as raw
from PIL import Image, ImageFilter

from samples.sheet import Sheet

A4 = (595.0, 842.0)  # points
SCAN = (1240, 1754)  # pixels: 150 dpi

TITLE = "Water quality of the lower Aster"
BODY = (
    "Second quarter 2026. Prepared by the river survey for the district council.",
    "",
    "Between April and June the survey took 412 samples at nine stations. Dissolved oxygen",
    "stayed above 7.5 mg/l at every station. Nitrate fell by 12 percent against the spring of",
    "last year, mostly downstream of the new treatment plant at Millford.",
    "",
    "Two stations need attention. At Station 4 the pH rose to 8.9 on three mornings in May,",
    "and at Station 7 turbidity doubled after the works on the eastern bank. Both are being",
    "sampled weekly until the end of September.",
)
TABLE = (
    ("Station", "Samples", "Oxygen mg/l", "Nitrate mg/l", "pH"),
    ("1 Millford", "52", "9.1", "2.4", "7.8"),
    ("4 Old Mill", "47", "8.2", "3.1", "8.9"),
    ("7 East Bank", "44", "7.6", "3.8", "7.6"),
    ("9 Estuary", "41", "8.8", "2.9", "8.0"),
)
COLUMN_X = (72.0, 190.0, 270.0, 370.0, 470.0)

LEFT_COLUMN = (
    "1. 采样方法",
    "每个站点每周采样两次，水样在",
    "现场测定温度和溶解氧，其余项",
    "目送实验室分析。采样深度为水",
    "面以下 50 厘米。",
    "2. 主要结果",
    "各站溶解氧均高于 7.5 毫克每",
    "升，达到二类水标准。硝酸盐浓",
    "度比去年同期下降百分之十二。",
)
RIGHT_COLUMN = (
    "3. Equipment",
    "Oxygen was measured with an",
    "optical probe, calibrated each",
    "morning in saturated air. The",
    "probe was replaced on 14 May.",
    "4. Next steps",
    "Weekly sampling goes on at two",
    "stations. A report follows in",
    "October 2026.",
)


def draw_report() -> tuple[bytes, str]:
    """The PDF and its text, pages joined by a form feed."""
    scan = _scanned_page()
    document = pdfium.PdfDocument.new()
    first = _text_page(document)
    page = document.new_page(*A4)
    picture = io.BytesIO()
    _as_scan(scan.image).save(picture, "JPEG", quality=72, optimize=True)
    image = pdfium.PdfImage.new(document)
    image.load_jpeg(picture, inline=True)
    image.set_matrix(pdfium.PdfMatrix().scale(*A4))
    page.insert_obj(image)
    page.gen_content()
    out = io.BytesIO()
    document.save(out)
    return _with_fixed_identity(out.getvalue()), first + "\f" + scan.truth()


def _text_page(document: pdfium.PdfDocument) -> str:
    page = document.new_page(*A4)
    lines = [TITLE]
    _text(document, page, (72, 750), TITLE, 22, "Helvetica-Bold")
    y = 714.0
    for line in BODY:
        if line:
            _text(document, page, (72, y), line, 11, "Helvetica")
            lines.append(line)
        y -= 17 if line else 10
    y -= 18
    for index, row in enumerate(TABLE):
        for x, cell in zip(COLUMN_X, row, strict=True):
            _text(document, page, (x, y), cell, 11, "Helvetica-Bold" if index == 0 else "Helvetica")
        lines.append(" ".join(row))
        _bar(page, (72, y - 7, 451, 0.6))
        y -= 24
    y -= 150
    for index, height in enumerate((91, 82, 76, 88)):
        _bar(page, (100 + 105 * index, y, 60, height * 1.4))
    caption = "Figure 1. Mean dissolved oxygen at four of the nine stations."
    _text(document, page, (72, y - 24), caption, 10, "Helvetica-Oblique")
    _text(document, page, (290, 48), "Page 1 of 2", 9, "Helvetica")
    page.gen_content()
    return "\n".join([*lines, caption, "Page 1 of 2"]) + "\n"


def _text(
    document: pdfium.PdfDocument,
    page: pdfium.PdfPage,
    xy: tuple[float, float],
    text: str,
    size: float,
    face: str,
) -> None:
    letters = raw.FPDFPageObj_NewTextObj(document, face.encode(), size)
    data = (text + "\0").encode("utf-16-le")
    buffer = (ctypes.c_ushort * (len(data) // 2)).from_buffer_copy(data)
    raw.FPDFText_SetText(letters, buffer)
    raw.FPDFPageObj_Transform(letters, 1, 0, 0, 1, *xy)
    raw.FPDFPage_InsertObject(page, letters)


def _bar(page: pdfium.PdfPage, box: tuple[float, float, float, float]) -> None:
    path = raw.FPDFPageObj_CreateNewRect(*box)
    raw.FPDFPageObj_SetFillColor(path, 62, 106, 150, 255)
    raw.FPDFPath_SetDrawMode(path, raw.FPDF_FILLMODE_WINDING, False)
    raw.FPDFPage_InsertObject(page, path)


def _scanned_page() -> Sheet:
    sheet = Sheet(*SCAN)
    sheet.put((SCAN[0] / 2, 190), "附录：方法与结果", 44, "bold", "ms")
    sheet.put((SCAN[0] / 2, 242), "Appendix: methods and results", 28, "sans", "ms")
    sheet.rule(110, SCAN[0] - 110, 280, 3, (60, 60, 64))
    for x, column in ((110, LEFT_COLUMN), (660, RIGHT_COLUMN)):
        y = 360.0
        for line in column:
            heading = line[0].isdigit() and line[1] == "."
            y += 24 if heading and y > 360 else 0
            sheet.put((x, y), line, 34 if heading else 32, "bold" if heading else "serif")
            y += 56
    sheet.put((SCAN[0] / 2, 1650), "第 2 页 共 2 页", 24, "sans", "ms")
    return sheet


def _as_scan(page: Image.Image) -> Image.Image:
    """Grey paper, laid in a little askew, with the soft edges and the dust of a copier's glass."""
    turned = page.convert("L").rotate(0.7, Image.Resampling.BICUBIC, fillcolor=255)
    soft = np.asarray(turned.filter(ImageFilter.GaussianBlur(0.8)), np.float32)
    rng = np.random.default_rng(3)
    grey = 18 + soft * 0.86 + rng.normal(0, 5, soft.shape)
    for _ in range(60):
        x, y = int(rng.integers(0, SCAN[0] - 2)), int(rng.integers(0, SCAN[1] - 2))
        grey[y : y + 2, x : x + 2] = 120
    return Image.fromarray(grey.clip(0, 255).astype(np.uint8))


def _with_fixed_identity(pdf: bytes) -> bytes:
    """The same file with a fixed date and identity (of the same lengths): drawing twice gives the same bytes."""
    dated = re.sub(rb"/CreationDate\(D:\d{14}", b"/CreationDate(D:20260701090000", pdf)
    return re.sub(rb"/ID\[<[0-9A-F]{32}><[0-9A-F]{32}>\]", b"/ID[<" + b"5A" * 16 + b"><" + b"5A" * 16 + b">]", dated)
