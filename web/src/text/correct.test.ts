import { beforeEach, describe, expect, it } from 'vitest'
import { add, current, currentId, doubtful, entries, lines, selected } from '../documents/store'
import type { Entry, ShownLine } from '../documents/types'
import { consent } from './consent'
import { correct, oneLine, redoLast, toggleChecked, undoLast } from './correct'
import { following } from './editing'
import { canRedo, canUndo } from './history'
import { nextDoubtful } from './stepping'
import { docWith, entryWith, pageWith } from './testing'

let entry: Entry
const line = (number: number): ShownLine => lines.value.find((each) => each.number === number) as ShownLine
const texts = (): string[] => lines.value.map((each) => each.text)

beforeEach(() => {
  consent.value = 'no'
  entries.splice(0)
  currentId.value = null
  entry = add(
    entryWith(docWith(pageWith(['one', ['tvvo', 0.8], ['thr3e', 0.6]]), pageWith([['f0ur', 0.7]], 2))),
  )
})

describe('correcting a line', () => {
  it('changes what is shown, and keeps what was read', () => {
    expect(correct(entry, line(2), ' two ')).toBe(true)
    expect(texts()).toEqual(['one', 'two', 'thr3e'])
    expect(line(2)).toMatchObject({ edited: true, original: { text: 'tvvo' } })
    expect(current.value?.edits).toEqual([{ page: 1, line: 2, text: 'two' }])
  })

  it('does nothing where the text stays the same', () => {
    expect(correct(entry, line(2), 'tvvo')).toBe(false)
    expect(canUndo.value).toBe(false)
  })

  it('removes the line where nothing is left, until it is undone', () => {
    correct(entry, line(1), '')
    expect(texts()).toEqual(['tvvo', 'thr3e'])
    expect(undoLast(entry)).toBe('1:1')
    expect(texts()).toEqual(['one', 'tvvo', 'thr3e'])
    expect(selected.value).toBe('1:1')
  })

  it('is taken back and done again, step by step', () => {
    correct(entry, line(2), 'two')
    correct(entry, line(2), 'zwei')
    toggleChecked(entry, line(3))
    undoLast(entry)
    undoLast(entry)
    expect(texts()[1]).toBe('two')
    expect(line(3).checked).toBe(false)
    redoLast()
    redoLast()
    expect(texts()[1]).toBe('zwei')
    expect(line(3).checked).toBe(true)
    expect(canRedo.value).toBe(false)
  })

  it('of another document is not undone by this one', () => {
    correct(entry, line(2), 'two')
    currentId.value = add(entryWith(docWith(pageWith(['other'])))).id
    expect(canUndo.value).toBe(false)
    expect(undoLast(entry)).toBeNull()
  })

  it('works for a line that was added', () => {
    entry.edits = [{ page: 1, line: null, after: 1, polygon: [], text: 'new', score: 0.5, id: 'x' }]
    const added = lines.value.find((each) => each.key === '1:+x') as ShownLine
    correct(entry, added, 'newer')
    expect(texts()).toEqual(['one', 'newer', 'tvvo', 'thr3e'])
    correct(entry, lines.value.find((each) => each.key === '1:+x') as ShownLine, '')
    expect(texts()).toEqual(['one', 'tvvo', 'thr3e'])
  })

  it.each([
    ['a\nb', 'a b'],
    ['a\u2028\u0007b', 'a b'],
    ['x\ud800y', 'x y'],
    ['  字  ', '字'],
    ['👍🏽', '👍🏽'],
  ])('makes one line of %j', (typed, text) => {
    expect(oneLine(typed)).toBe(text)
  })
})

describe('stepping', () => {
  const keys = (): string[] => doubtful.value.map((each) => each.key)

  it('goes through the doubtful lines of all pages, and round', () => {
    expect(keys()).toEqual(['1:2', '1:3', '2:1'])
    expect(nextDoubtful(doubtful.value, null, 1)?.key).toBe('1:2')
    expect(nextDoubtful(doubtful.value, '1:2', 1)?.key).toBe('1:3')
    expect(nextDoubtful(doubtful.value, '2:1', 1)?.key).toBe('1:2')
    expect(nextDoubtful(doubtful.value, '1:2', -1)?.key).toBe('2:1')
    expect(nextDoubtful(doubtful.value, '1:1', 1)?.key).toBe('1:2')
    expect(nextDoubtful(doubtful.value, '1:1', -1)?.key).toBe('2:1')
    expect(nextDoubtful([], '1:1', 1)).toBeUndefined()
  })

  it('leaves out what was corrected or checked', () => {
    correct(entry, line(2), 'two')
    toggleChecked(entry, line(3))
    expect(keys()).toEqual(['2:1'])
  })

  it.each([
    ['b', 1, 'a c', 'c'],
    ['b', 0, 'a b c', 'b'],
    ['b', 0, 'a c', 'c'],
    ['c', 0, 'a b', 'b'],
    ['c', 1, 'a b c', 'c'],
    ['b', -1, 'b c', 'b'],
    ['a', 1, '', null],
  ] as const)('from %s by %i with %j left', (key, step, left, to) => {
    expect(following(['a', 'b', 'c'], new Set(left.split(' ')), key, step)).toBe(to)
  })
})
