import { describe, expect, it } from 'vitest'
import { shownLines } from '../documents/lines'
import type { LineEdit, Page } from '../documents/types'
import { gapsOf, piecesOf, rowsOf, textOf } from './rows'
import { pageWith } from './testing'

const form = pageWith(['Form 4', 'Name', 'Li Wei', 'City', 'Hangzhou', 'The end'])
const page: Page = { ...form, text: 'Form 4\nName Li Wei\nCity Hangzhou\n\nThe end' }

function rows(edits: readonly LineEdit[] = []): string[][] {
  const shown = shownLines(page, edits, new Set())
  return rowsOf(piecesOf(page, shown)).map((row) => row.map((piece) => piece.line.text))
}

function text(edits: readonly LineEdit[]): string {
  return textOf(page, shownLines(page, edits, new Set()))
}

describe('rows', () => {
  it('are those of the text of the page', () => {
    expect(rows()).toEqual([['Form 4'], ['Name', 'Li Wei'], ['City', 'Hangzhou'], ['The end']])
  })

  it('survive that their first line is removed', () => {
    expect(rows([{ page: 1, line: 2, text: '' }])).toEqual([
      ['Form 4'],
      ['Li Wei'],
      ['City', 'Hangzhou'],
      ['The end'],
    ])
  })

  it('are one more for a line that was added, and none is joined to it', () => {
    const added = { page: 1, line: null, after: 2, text: 'between', polygon: [], id: 'a' }
    expect(rows([added])).toEqual([
      ['Form 4'],
      ['Name'],
      ['between'],
      ['Li Wei'],
      ['City', 'Hangzhou'],
      ['The end'],
    ])
  })
})

describe('the text', () => {
  it('is that of the page where nothing was changed', () => {
    expect(text([])).toBe(page.text)
  })

  it('has the corrections, and no hole where a line was removed', () => {
    const edits = [
      { page: 1, line: 3, text: 'Li Wen' },
      { page: 1, line: 4, text: '' },
      { page: 1, line: 5, text: '' },
    ]
    expect(text(edits)).toBe('Form 4\nName Li Wen\n\nThe end')
  })

  it('has a line of its own for what the text of the page does not have', () => {
    expect(gapsOf({ ...page, text: 'Form 4 The end' })).toEqual(['', '\n', '\n', '\n', '\n', ' '])
  })
})
