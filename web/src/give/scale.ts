/** A document that was read from a reduced image, in pixels of the original. */
import type { Doc, Page } from '../documents/types'

type Points = Page['lines'][number]['polygon']

export function scaled(document: Doc, width: number, height: number): Doc {
  return { ...document, pages: document.pages.map((page) => scaledPage(page, width, height)) }
}

function scaledPage(page: Page, width: number, height: number): Page {
  const x = width / page.width
  const y = height / page.height
  const move = (polygon: Points): Points => polygon.map((point) => [point[0] * x, point[1] * y]) as Points
  return {
    ...page,
    width,
    height,
    lines: page.lines.map((line) => ({
      ...line,
      polygon: move(line.polygon),
      words: line.words.map((word) => ({ ...word, polygon: move(word.polygon) })),
    })),
    tables: page.tables.map((table) => ({
      ...table,
      polygon: move(table.polygon),
      cells: table.cells.map((cell) => ({ ...cell, polygon: move(cell.polygon) })),
    })),
    fields: page.fields.map((field) => ({ ...field, polygon: move(field.polygon) })),
  }
}
