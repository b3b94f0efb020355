import { describe, expect, it } from 'vitest'
import type { Doc } from '../documents/types'
import { reducedSize } from './reduce'
import { scaled } from './scale'

const square: [number, number][] = [
  [0, 0],
  [10, 0],
  [10, 20],
  [0, 20],
]

const preview: Doc = {
  schema: 'shizi/1',
  text: 'a',
  models: [],
  timings_ms: {},
  preview: true,
  pages: [
    {
      number: 1,
      width: 1024,
      height: 512,
      angle: 90,
      text: 'a',
      warnings: [],
      lines: [
        {
          text: 'a',
          score: 0.5,
          polygon: square,
          angle: 90,
          vertical: false,
          source: 'ocr',
          words: [{ text: 'a', score: 0.5, polygon: square }],
        },
      ],
      tables: [
        {
          polygon: square,
          cells: [{ row: 0, column: 0, row_span: 1, column_span: 1, text: 'a', polygon: square }],
        },
      ],
      fields: [{ name: 'total', value: 'a', score: 1, polygon: square }],
    },
  ],
}

describe('scaled', () => {
  it('moves all that has a place, in both directions', () => {
    const page = scaled(preview, 4096, 2049).pages[0]
    const moved = [
      [0, 0],
      [40, 0],
      [40, 20 * (2049 / 512)],
      [0, 20 * (2049 / 512)],
    ]
    expect(page).toMatchObject({ width: 4096, height: 2049, angle: 90 })
    expect(page?.lines[0]?.polygon).toEqual(moved)
    expect(page?.lines[0]?.words[0]?.polygon).toEqual(moved)
    expect(page?.tables[0]?.polygon).toEqual(moved)
    expect(page?.tables[0]?.cells[0]?.polygon).toEqual(moved)
    expect(page?.fields[0]?.polygon).toEqual(moved)
  })

  it('leaves what it was given as it was', () => {
    scaled(preview, 4096, 2048)
    expect(preview.pages[0]?.width).toBe(1024)
    expect(square[2]).toEqual([10, 20])
  })
})

describe('reducedSize', () => {
  it('brings the longest side to 1024', () => {
    expect(reducedSize(2480, 3508)).toEqual({ width: 724, height: 1024 })
    expect(reducedSize(3508, 2480)).toEqual({ width: 1024, height: 724 })
  })

  it('leaves small pictures, and no picture vanishes', () => {
    expect(reducedSize(1024, 1024)).toBeNull()
    expect(reducedSize(30_000, 3)).toEqual({ width: 1024, height: 1 })
  })
})
