import { describe, expect, it } from 'vitest'
import type { Polygon, ShownLine, Word } from '../documents/types'
import { distanceTo, offsetAt, piecesOf, SIZE, type Matrix, type Piece } from './placing'

/** Every character is ten wide. */
const measure = (text: string): number => 10 * text.length

const box = (x: number, y: number, width: number, height: number): Polygon => [
  [x, y],
  [x + width, y],
  [x + width, y + height],
  [x, y + height],
]

function lineOf(text: string, words: [string, Polygon][], more: Partial<ShownLine> = {}): ShownLine {
  return {
    key: '1:1',
    page: 1,
    number: 1,
    text,
    score: 1,
    polygon: box(0, 0, 300, 20),
    angle: 0,
    vertical: false,
    words: words.map(([word, polygon]) => ({ text: word, score: 1, polygon }) as unknown as Word),
    original: null,
    edited: false,
    checked: false,
    ...more,
  }
}

function mapped([a, b, c, d, e, f]: Matrix, x: number, y: number): number[] {
  return [a * x + c * y + e, b * x + d * y + f].map((value) => Math.round(value * 1000) / 1000)
}

const textOf = (pieces: Piece[]): string => pieces.map((piece) => piece.text + piece.gap).join('')

describe('the pieces of a line', () => {
  const two = lineOf('ab cd', [
    ['ab', box(0, 0, 100, 20)],
    ['cd', box(130, 0, 100, 20)],
  ])

  it('fill the polygons of its words, and read as the line does', () => {
    const pieces = piecesOf(two, measure)
    expect(textOf(pieces)).toBe('ab cd')
    const second = pieces[1] as Piece
    expect(mapped(second.matrix, 0, 0)).toEqual([130, 0])
    expect(mapped(second.matrix, second.length, SIZE)).toEqual([230, 20])
  })

  it('reach to the next word with their space', () => {
    const [first] = piecesOf(two, measure) as [Piece]
    const end = first.length + measure(' ') + first.spacing
    expect(mapped(first.matrix, end, 0)).toEqual([130, 0])
  })

  it('need no space between runs of Chinese', () => {
    const pieces = piecesOf(
      lineOf('发票Invoice', [
        ['发票', box(0, 0, 40, 20)],
        ['Invoice', box(42, 0, 80, 20)],
      ]),
      measure,
    )
    expect(textOf(pieces)).toBe('发票Invoice')
    expect(pieces[0]?.spacing).toBe(0)
  })

  it('lie along a line that is turned', () => {
    const turned: Polygon = [
      [100, 0],
      [100, 50],
      [80, 50],
      [80, 0],
    ]
    const [piece] = piecesOf(lineOf('ab', [['ab', turned]]), measure) as [Piece]
    expect(mapped(piece.matrix, piece.length, 0)).toEqual([100, 50])
    expect(mapped(piece.matrix, 0, SIZE)).toEqual([80, 0])
  })

  it('run downwards where the line is vertical', () => {
    const tall = box(100, 0, 20, 200)
    const [piece] = piecesOf(lineOf('春眠', [['春眠', tall]], { vertical: true }), measure) as [Piece]
    expect(mapped(piece.matrix, SIZE, 0)).toEqual([120, 0])
    expect(mapped(piece.matrix, 0, piece.length)).toEqual([100, 200])
  })

  it('show what a person made of the line', () => {
    const same = piecesOf({ ...two, text: 'ax cd', edited: true }, measure)
    expect([same.length, textOf(same)]).toEqual([2, 'ax cd'])
    const other = piecesOf({ ...two, text: 'one two three', edited: true }, measure)
    expect([other.length, textOf(other)]).toEqual([1, 'one two three'])
  })

  it('are the whole line where its words do not agree with it', () => {
    expect(textOf(piecesOf({ ...two, text: 'something else' }, measure))).toBe('something else')
    expect(piecesOf({ ...two, words: [], polygon: [] }, measure)).toEqual([])
  })
})

describe('a point', () => {
  const [piece] = piecesOf(lineOf('abcd', [['abcd', box(100, 100, 80, 20)]]), measure) as [Piece]

  it('is in a word or beside it, above and below counting fourfold', () => {
    expect(distanceTo(piece, [140, 110])).toBe(0)
    expect(distanceTo(piece, [190, 110])).toBeCloseTo(10)
    expect(distanceTo(piece, [140, 130])).toBeCloseTo(40)
  })

  it('is before the character whose middle it has not passed', () => {
    expect([90, 109, 111, 131, 500].map((x) => offsetAt(piece, [x, 110], measure))).toEqual([0, 0, 1, 2, 4])
  })
})
