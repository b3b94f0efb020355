import { describe, expect, it } from 'vitest'
import { shownLines } from '../documents/lines'
import type { LineEdit, Polygon } from '../documents/types'
import { editsOf, ofRegion, placeOf, type Found } from './merge'
import { turnedBack } from './reread'
import { docWith, pageWith } from './testing'

const page = pageWith(['one', 'two', 'three', 'four'])
const document = docWith(page)

function found(text: string, x: number, y: number, width = 100, height = 20): Found {
  const polygon: Polygon = [
    [x, y],
    [x + width, y],
    [x + width, y + height],
    [x, y + height],
  ]
  return { text, score: 0.9, polygon }
}

function texts(region: number[], lines: Found[], edits: LineEdit[] = []): string[] {
  const [x = 0, y = 0, width = 0, height = 0] = region
  const result = editsOf(document, edits, 1, { x, y, width, height }, lines)
  return shownLines(page, result.edits, new Set()).map((line) => line.text)
}

describe('lines of a region', () => {
  it('take the text of those that are the same', () => {
    const { edits, first } = editsOf(document, [], 1, { x: 0, y: 35, width: 200, height: 30 }, [
      found('TWO', 11, 41),
    ])
    expect(edits).toEqual([{ page: 1, line: 2, text: 'TWO' }])
    expect(first).toBe('1:2')
  })

  it('take the place of others, in their order', () => {
    const halves = [found('tw', 10, 40, 40), found('o', 60, 40, 40), found('thr', 10, 80, 40)]
    expect(texts([0, 35, 200, 70], halves)).toEqual(['one', 'tw', 'o', 'thr', 'four'])
  })

  it('remove what is not there', () => {
    expect(texts([0, 35, 200, 70], [found('two', 10, 40)])).toEqual(['one', 'two', 'four'])
  })

  it('find their place where nothing was', () => {
    expect(texts([0, 100, 200, 20], [found('new', 10, 104, 100, 12)])).toEqual([
      'one',
      'two',
      'three',
      'new',
      'four',
    ])
  })

  it('stand from top to bottom, whatever was read first', () => {
    const once = editsOf(document, [], 1, { x: 200, y: 0, width: 150, height: 300 }, [
      found('low', 250, 300),
    ]).edits
    const twice = editsOf(document, once, 1, { x: 200, y: 0, width: 150, height: 200 }, [
      found('high', 250, 180),
    ]).edits
    const shown = shownLines(page, twice, new Set()).map((line) => line.text)
    expect(shown.indexOf('high')).toBeLessThan(shown.indexOf('low'))
  })

  it('read twice are there once', () => {
    const region = { x: 200, y: 0, width: 150, height: 30 }
    const once = editsOf(document, [], 1, region, [found('note', 210, 2)])
    const twice = editsOf(document, once.edits, 1, region, [found('Note', 210, 2)])
    expect(shownLines(page, twice.edits, new Set()).map((line) => line.text)).toEqual([
      'one',
      'Note',
      'two',
      'three',
      'four',
    ])
    expect(twice.edits).toHaveLength(1)
  })
})

describe('ofRegion', () => {
  it('leaves out what is outside, and parts of lines that only reach into it', () => {
    const read = [
      found('two', 10, 40),
      found('ne', 80, 10, 40, 10),
      found('beside', 130, 42),
      found('five', 10, 200),
    ]
    const region = { x: 60, y: 8, width: 300, height: 60 }
    expect(ofRegion(page, [], { ...region, x: 0 }, read).map((line) => line.text)).toEqual([
      'two',
      'ne',
      'beside',
    ])
    expect(ofRegion(page, [], { ...region, y: 12 }, read).map((line) => line.text)).toEqual(['two', 'beside'])
  })
})

describe('placeOf', () => {
  it.each([
    [found('right of the first', 130, 0), 1],
    [found('above all', 10, -30), 0],
    [found('below all', 10, 400), 4],
    [found('far to the right of the second', 330, 40, 60), 2],
  ])('%#', (line, after) => {
    expect(placeOf(page, line)).toBe(after)
  })

  it('is that of the page as it is read', () => {
    const turned = { ...page, angle: 180 }
    expect(placeOf(turned, found('between the last and the one before', 10, 104, 100, 12))).toBe(4)
  })
})

describe('turnedBack', () => {
  const part = { width: 300, height: 100 }
  it.each([
    [0, [5, 7]],
    [90, [293, 5]],
    [180, [295, 93]],
    [270, [7, 95]],
  ])('by %i', (angle, point) => {
    expect(turnedBack([5, 7], part, angle)).toEqual(point)
  })
})
