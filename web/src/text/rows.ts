/** The lines of a page as its text has them: in rows, with what stands between them. */
import type { Page, ShownLine } from '../documents/types'

export interface Piece {
  readonly line: ShownLine
  /** What stands before it in the page's text. */
  readonly gap: string
}

/** How far ahead a line is looked for in the text, should it not come next. */
const AHEAD = 2_000
const known = new WeakMap<Page, readonly string[]>()

/** What stands before each line in the page's text; a line break where the text does not say. */
export function gapsOf(page: Page): readonly string[] {
  const before = known.get(page)
  if (before) return before
  let cursor = 0
  const gaps = page.lines.map((line) => {
    const text = line.text.trim()
    const at = page.text.slice(cursor, cursor + AHEAD + text.length).indexOf(text)
    if (at < 0) return '\n'
    const between = page.text.slice(cursor, cursor + at)
    cursor += at + text.length
    return between.trim() === '' ? between : '\n'
  })
  known.set(page, gaps)
  return gaps
}

/** The lines that are shown, each with its gap; where lines between two were removed, the widest of their gaps is left. */
export function piecesOf(page: Page, lines: readonly ShownLine[]): Piece[] {
  const gaps = gapsOf(page)
  let read = 0
  let wide = false
  return lines.map((line, index) => {
    if (line.number === null) {
      wide = true
      return { line, gap: index === 0 ? '' : '\n' }
    }
    const gap = gaps.slice(read, line.number).reduce(wider, wide ? '\n' : '')
    read = line.number
    wide = false
    return { line, gap: index === 0 ? '' : gap }
  })
}

/** Pieces that stand beside each other. */
export function rowsOf(pieces: readonly Piece[]): Piece[][] {
  const rows: Piece[][] = []
  for (const piece of pieces) {
    const last = rows.at(-1)
    if (last && !piece.gap.includes('\n')) last.push(piece)
    else rows.push([piece])
  }
  return rows
}

/** The text of a page with a person's changes. */
export function textOf(page: Page, lines: readonly ShownLine[]): string {
  return piecesOf(page, lines)
    .map(({ gap, line }) => gap + line.text.trim())
    .join('')
}

function wider(one: string, other: string): string {
  const breaks = (gap: string): number => gap.split('\n').length * 1_000 + gap.length
  return breaks(other) > breaks(one) ? other : one
}
