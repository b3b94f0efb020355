import { beforeEach, describe, expect, it } from 'vitest'
import { add, edit, entries, remove, select, selected, setDocument } from '../documents/store'
import type { Doc, Entry, Line } from '../documents/types'
import { blank } from './blank'
import { replace } from './place'

function line(text: string, top: number, left = 0): Line {
  const [right, bottom] = [left + 100, top + 10]
  const polygon: Line['polygon'] = [
    [left, top],
    [right, top],
    [right, bottom],
    [left, bottom],
  ]
  return { text, score: 1, polygon, angle: 0, vertical: false, source: 'ocr', words: [] }
}

function document(...lines: Line[]): Doc {
  const page = {
    number: 1,
    width: 200,
    height: 200,
    angle: 0,
    text: '',
    lines,
    tables: [],
    fields: [],
    warnings: [],
  }
  return { schema: 'shizi/1', text: '', pages: [page], models: [], timings_ms: {} }
}

describe('replace', () => {
  let entry: Entry
  beforeEach(() => {
    for (const { id } of [...entries]) remove(id)
    entry = add(blank(new File(['x'], 'a.png'), 'image'))
    replace(entry, document(line('one', 0), line('two', 20)), true)
  })

  it('keeps the selected place when a line is found before it', () => {
    select('1:2')
    replace(entry, document(line('title', 40, 150), line('one', 1), line('two', 21)))
    expect(selected.value).toBe('1:3')
    expect(entry.preview).toBe(false)
  })

  it('selects nothing where no line lies at that place any more', () => {
    select('1:2')
    replace(entry, document(line('one', 0)))
    expect(selected.value).toBeNull()
  })

  it('drops changes of the preview, and keeps those of a document that grows', () => {
    edit(entry, { page: 1, line: 1, text: 'changed' })
    replace(entry, document(line('one', 0)))
    expect(entry.edits).toEqual([])
    edit(entry, { page: 1, line: 1, text: 'changed' })
    replace(entry, document(line('one', 0), line('two', 20)))
    expect(entry.edits).toHaveLength(1)
  })

  it('leaves the selection of another entry alone', () => {
    const other = add(blank(new File(['x'], 'b.png'), 'image'))
    setDocument(entry, document(line('one', 0)))
    select('1:1')
    replace(other, document(line('two', 0)))
    expect(selected.value).toBe('1:1')
  })
})
