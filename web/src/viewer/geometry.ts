/** Where things are: pixels of the page, and of the view that shows it turned and enlarged. Pure. */
import type { Polygon } from '../documents/types'

export type Point = readonly [number, number]

export interface Size {
  readonly width: number
  readonly height: number
}

export interface Box extends Size {
  readonly x: number
  readonly y: number
}

/** Degrees, clockwise, by which the view turns the page. */
export type Turn = 0 | 90 | 180 | 270

export const LEAST_ZOOM = 0.02
export const MOST_ZOOM = 16

export function turnOf(degrees: number): Turn {
  return ((((Math.round(degrees / 90) * 90) % 360) + 360) % 360) as Turn
}

export function turnedSize(size: Size, turn: Turn): Size {
  return turn % 180 === 0 ? size : { width: size.height, height: size.width }
}

/** From pixels of the page to those of the turned page, as a CSS matrix. */
export function turnMatrix(
  { width, height }: Size,
  turn: Turn,
): readonly [number, number, number, number, number, number] {
  if (turn === 90) return [0, 1, -1, 0, height, 0]
  if (turn === 180) return [-1, 0, 0, -1, width, height]
  if (turn === 270) return [0, -1, 1, 0, 0, width]
  return [1, 0, 0, 1, 0, 0]
}

export function toTurned(point: Point, size: Size, turn: Turn): Point {
  const [a, b, c, d, e, f] = turnMatrix(size, turn)
  return [a * point[0] + c * point[1] + e, b * point[0] + d * point[1] + f]
}

export function toPage(point: Point, size: Size, turn: Turn): Point {
  const [a, b, c, d, e, f] = turnMatrix(size, turn)
  const [x, y] = [point[0] - e, point[1] - f]
  return [a * x + b * y, c * x + d * y] // a rotation's inverse is its transpose
}

export function boundsOf(polygon: Polygon): Box {
  const xs = polygon.map((point) => point[0])
  const ys = polygon.map((point) => point[1])
  const [x, y] = [Math.min(...xs), Math.min(...ys)]
  return { x, y, width: Math.max(...xs) - x, height: Math.max(...ys) - y }
}

export function boundsTurned(polygon: Polygon, size: Size, turn: Turn): Box {
  return boundsOf(polygon.map((point) => toTurned(point, size, turn)))
}

/** The rectangle between two corners of the turned page, as a polygon on the page that begins where a reader of the turned page does. */
export function regionOf(one: Point, other: Point, size: Size, turn: Turn): Polygon {
  const turned = turnedSize(size, turn)
  const within = (value: number, most: number): number => Math.min(Math.max(value, 0), most)
  const left = within(Math.min(one[0], other[0]), turned.width)
  const right = within(Math.max(one[0], other[0]), turned.width)
  const top = within(Math.min(one[1], other[1]), turned.height)
  const bottom = within(Math.max(one[1], other[1]), turned.height)
  const corners: Point[] = [
    [left, top],
    [right, top],
    [right, bottom],
    [left, bottom],
  ]
  return corners.map((corner) => toPage(corner, size, turn))
}

export function withinZoom(zoom: number): number {
  return Math.min(Math.max(zoom, LEAST_ZOOM), MOST_ZOOM)
}

/** The zoom at which a page fits; `room` is what the view has for it. */
export function fitZoom(page: Size, room: Size, how: 'width' | 'page'): number {
  const across = room.width / page.width
  return withinZoom(how === 'width' ? across : Math.min(across, room.height / page.height))
}

const STEPS = [0.1, 0.125, 0.17, 0.25, 0.33, 0.5, 0.67, 0.75, 1, 1.25, 1.5, 2, 3, 4, 6, 8, 12, 16]

/** The next round zoom above (`direction` 1) or below. */
export function stepZoom(zoom: number, direction: 1 | -1): number {
  const above = STEPS.find((step) => step > zoom * 1.01)
  const below = STEPS.filter((step) => step < zoom * 0.99).pop()
  return (direction === 1 ? above : below) ?? withinZoom(zoom)
}

/** Where to scroll to so that a line can be read, or null where it can already; in pixels of the view. */
export function scrollFor(line: Box, view: Box, margin: number): Point | null {
  const x = alongOne(line.x, line.width, view.x, view.width, margin)
  const y = alongOne(line.y, line.height, view.y, view.height, margin)
  return x === null && y === null ? null : [x ?? view.x, y ?? view.y]
}

function alongOne(start: number, length: number, from: number, room: number, margin: number): number | null {
  const spare = Math.min(margin, Math.max(0, (room - length) / 2))
  if (start >= from + spare && start + length <= from + room - spare) return null
  if (length > room) return start < from + room && start + length > from ? null : start - spare
  return start + length / 2 - room / 2
}
