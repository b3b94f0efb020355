/** Tables as HTML and as text for spreadsheets. */
import type { Table } from '../documents/types'

type Cell = Table['cells'][number]

const FORMULA = /^'*\s*[=+\-@＝＋－＠]/
const SAYS = /[\p{L}\p{N}]/u // a dash for an empty cell does not
const NUMBER = /^[+-]?\d[\d.,]*%?$/

/** Rows and columns. */
export function sizeOf({ cells }: Table): { rows: number; columns: number } {
  return {
    rows: Math.max(0, ...cells.map((cell) => cell.row + span(cell.row_span))),
    columns: Math.max(0, ...cells.map((cell) => cell.column + span(cell.column_span))),
  }
}

/** Rows of slots; null where no cell begins or reaches. A cell stands in its first slot alone. */
export function slotsOf(table: Table): (Cell | null)[][] {
  const { rows, columns } = sizeOf(table)
  const taken = new Set<string>()
  for (const cell of table.cells) for (const slot of reached(cell)) taken.add(slot)
  return Array.from({ length: rows }, (_row, row) =>
    Array.from({ length: columns }, (_column, column) => column).flatMap((column): (Cell | null)[] => {
      const cell = table.cells.find((each) => each.row === row && each.column === column)
      if (cell) return [cell]
      return taken.has(`${row} ${column}`) ? [] : [null]
    }),
  )
}

/** Tabs between columns; the slots that a cell reaches besides its first are empty. */
export function tabbed(table: Table): string {
  const { rows, columns } = sizeOf(table)
  const all = Array.from({ length: rows }, () => Array.from({ length: columns }, () => ''))
  for (const cell of table.cells) {
    const row = all[cell.row]
    if (row) row[cell.column] = guarded(cell.text.replace(/\s+/g, ' ').trim())
  }
  return all.map((row) => row.join('\t')).join('\n')
}

/** For programs that keep spans when they paste. */
export function html(table: Table): string {
  const rows = slotsOf(table).map(
    (row) =>
      `<tr>${row
        .map((cell) => {
          if (!cell) return '<td></td>'
          const spans = `${attribute('rowspan', cell.row_span)}${attribute('colspan', cell.column_span)}`
          return `<td${spans}>${escaped(guarded(cell.text.trim()))}</td>`
        })
        .join('')}</tr>`,
  )
  return `<table>${rows.join('')}</table>`
}

/** A document must not be able to run a formula in the spreadsheet that its table is pasted into: as in the server's csv. */
function guarded(text: string): string {
  return FORMULA.test(text) && SAYS.test(text) && !NUMBER.test(text) ? `'${text}` : text
}

function* reached(cell: Cell): Generator<string> {
  for (let row = 0; row < span(cell.row_span); row++) {
    for (let column = 0; column < span(cell.column_span); column++) {
      yield `${cell.row + row} ${cell.column + column}`
    }
  }
}

function span(slots: number | undefined): number {
  return Math.max(1, slots ?? 1)
}

function attribute(name: string, slots: number | undefined): string {
  return span(slots) > 1 ? ` ${name}="${span(slots)}"` : ''
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)
}
