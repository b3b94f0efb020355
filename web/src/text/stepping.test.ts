import { afterEach, describe, expect, it } from 'vitest'
import { countDoubtful, isDoubtful, shownLines } from '../documents/lines'
import { add, entries, remove, show } from '../documents/store'
import type { Entry } from '../documents/types'
import { otherToCheck } from './stepping'
import { docWith, entryWith, pageWith } from './testing'

const UNSURE = ['unsure', 0.8] as const
const sure = (): Entry => add(entryWith(docWith(pageWith(['fine']))))
const unsure = (rest: Partial<Entry> = {}): Entry => add(entryWith(docWith(pageWith([UNSURE])), rest))

afterEach(() => {
  for (const { id } of [...entries]) remove(id)
})

describe('otherToCheck', () => {
  it('goes over documents of which nothing is left to check, round at the ends', () => {
    const [first, , last] = [unsure(), sure(), unsure(), unsure({ state: 'reading' })]
    show(first.id)
    expect(otherToCheck(1)?.id).toBe(last.id)
    expect(otherToCheck(-1)?.id).toBe(last.id)
    show(last.id)
    expect(otherToCheck(1)?.id).toBe(first.id)
  })

  it('finds none where only the current one has such lines', () => {
    sure()
    show(unsure().id)
    expect(otherToCheck(1)).toBeUndefined()
  })
})

describe('countDoubtful', () => {
  it('counts what the list of lines to check has', () => {
    const document = docWith(pageWith(['fine', UNSURE, UNSURE, UNSURE]), pageWith([UNSURE, UNSURE], 2))
    const entry = entryWith(document, {
      checked: ['1:2', '1:+new'],
      edits: [
        { page: 1, line: 3, text: 'corrected' },
        { page: 2, line: 1, text: '' },
        { page: 2, line: null, after: 1, id: 'new', text: 'added', score: 0.5, polygon: [] },
      ],
    })
    const checked = new Set(entry.checked)
    const listed = document.pages.flatMap((page) => shownLines(page, entry.edits, checked).filter(isDoubtful))
    expect(listed.map(({ key }) => key)).toEqual(['1:4', '2:2'])
    expect(countDoubtful(entry)).toBe(2)
    expect(countDoubtful(entryWith(null))).toBe(0)
  })
})
