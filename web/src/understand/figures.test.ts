import { describe, expect, it } from 'vitest'
import type { Page } from '../documents/types'
import { countsOf, duration, stageTimes } from './figures'

it('puts stages in the order of their work, as parts of the longest', () => {
  const times = stageTimes({ timings_ms: { recognize: 200, lookup: 5, decode: 50, detect: 100 } })
  expect(times.map(({ stage, share }) => [stage, share])).toEqual([
    ['decode', 0.25],
    ['detect', 0.5],
    ['recognize', 1],
    ['lookup', 0.025],
  ])
  expect(stageTimes({ timings_ms: {} })).toEqual([])
})

it('counts lines, words and characters, and what a PDF had already', () => {
  const line = (text: string, words: number, source: string) => ({
    text,
    score: 1,
    polygon: [],
    words: Array.from({ length: words }, () => ({ text: '', score: 1, polygon: [] })),
    source,
  })
  const page = {
    number: 1,
    width: 1,
    height: 1,
    lines: [line('𠮷野家 ok', 2, 'ocr'), line('a', 1, 'text-layer')],
  }
  expect(countsOf([page as unknown as Page])).toEqual({ lines: 2, words: 3, characters: 7, fromLayer: 1 })
})

describe('durations', () => {
  it.each([
    [0.73, '0.7 ms'],
    [143.34, '143 ms'],
    [1183.02, '1,183 ms'],
    [12_345, '12.3 s'],
    [125_000, '2 min 5 s'],
  ])('%d ms is %s', (ms, text) => {
    expect(duration(ms, 'en')).toBe(text)
  })
})
