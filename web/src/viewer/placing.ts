/** Where the text of lines lies on the page: one box of text per word, mapped onto the word's polygon. Pure. */
import type { Polygon, ShownLine } from '../documents/types'
import type { Point } from './geometry'

/** Font size and height of a box before it is mapped; the same for all, so that no browser's least font size matters. */
export const SIZE = 24

/** Width of a text in the layer's font at `SIZE`. */
export type Measure = (text: string) => number
/** As in CSS: x and y of the box's first axis, of its second, and its origin. */
export type Matrix = readonly [number, number, number, number, number, number]

export interface Piece {
  /** The word. */
  readonly text: string
  /** What stands between it and the next one of its line. */
  readonly gap: string
  readonly matrix: Matrix
  /** Added to each space, so that the gap is as wide as on the page. */
  readonly spacing: number
  /** Along the text, before it is mapped; without the gap. */
  readonly length: number
  readonly vertical: boolean
}

interface Part {
  readonly text: string
  readonly gap: string
  readonly polygon: Polygon
}

export function piecesOf(line: ShownLine, measure: Measure): Piece[] {
  const parts = partsOf(line).filter((part) => part.polygon.length >= 4 && part.text !== '')
  return parts.map((part, index) => {
    const length = Math.max(measure(part.text), 1)
    const matrix = matrixOf(part.polygon, length, line.vertical)
    const next = parts[index + 1]
    const spacing =
      part.gap !== '' && next ? spacingOf(part, next.polygon, matrix, line.vertical, measure) : 0
    return { text: part.text, gap: part.gap, matrix, spacing, length, vertical: line.vertical }
  })
}

/** The words of a line with the gaps between them; the whole line where words and text do not agree. */
function partsOf(line: ShownLine): Part[] {
  const whole = [{ text: line.text, gap: '', polygon: line.polygon }]
  if (line.words.length === 0) return whole
  const texts = line.edited ? line.text.split(/\s+/).filter(Boolean) : line.words.map((word) => word.text)
  if (texts.length !== line.words.length) return whole
  const parts: Part[] = []
  let at = 0
  for (const [index, text] of texts.entries()) {
    const start = line.text.indexOf(text, at)
    if (start < 0 || line.text.slice(at, start).trim() !== '') return whole
    const before = parts.pop()
    if (before) parts.push({ ...before, gap: line.text.slice(at, start) })
    parts.push({ text, gap: '', polygon: line.words[index]?.polygon as unknown as Polygon })
    at = start + text.length
  }
  return line.text.slice(at).trim() === '' ? parts : whole
}

/** Text runs from the first corner to the second, or, where it is vertical, from the first to the fourth. */
function matrixOf(polygon: Polygon, length: number, vertical: boolean): Matrix {
  const [origin, right, , below] = polygon as readonly [Point, Point, Point, Point]
  const [across, down] = vertical ? [SIZE, length] : [length, SIZE]
  return [
    (right[0] - origin[0]) / across,
    (right[1] - origin[1]) / across,
    (below[0] - origin[0]) / down,
    (below[1] - origin[1]) / down,
    origin[0],
    origin[1],
  ]
}

function spacingOf(part: Part, next: Polygon, matrix: Matrix, vertical: boolean, measure: Measure): number {
  const end = part.polygon[vertical ? 3 : 1] as Point
  const start = next[0] as Point
  const [x, y] = vertical ? [matrix[2], matrix[3]] : [matrix[0], matrix[1]]
  const along = ((start[0] - end[0]) * x + (start[1] - end[1]) * y) / (x * x + y * y || 1)
  const space = measure(' ')
  return Math.max(along / part.gap.length - space, -space)
}

/** How far a point of the page is from a piece, across its line counted fourfold: who drags beside a line means that line. */
export function distanceTo(piece: Piece, point: Point): number {
  const [a, b, c, d] = piece.matrix
  const [x, y] = local(piece, point)
  const [width, height] = piece.vertical ? [SIZE, piece.length] : [piece.length, SIZE]
  const aside = beyond(x, width) * Math.hypot(a, b)
  const below = beyond(y, height) * Math.hypot(c, d)
  return piece.vertical ? 4 * aside + below : aside + 4 * below
}

/** The number of characters of a piece that lie before a point. */
export function offsetAt(piece: Piece, point: Point, measure: Measure): number {
  const along = local(piece, point)[piece.vertical ? 1 : 0]
  let before = 0
  let offset = 0
  for (const character of piece.text) {
    const width = measure(piece.text.slice(0, offset + character.length))
    if ((before + width) / 2 > along) return offset
    before = width
    offset += character.length
  }
  return offset
}

function local(piece: Piece, point: Point): Point {
  const [a, b, c, d, e, f] = piece.matrix
  const determinant = a * d - b * c || 1
  const [x, y] = [point[0] - e, point[1] - f]
  return [(d * x - c * y) / determinant, (a * y - b * x) / determinant]
}

function beyond(value: number, most: number): number {
  return Math.max(0, -value, value - most)
}
