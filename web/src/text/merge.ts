/** Lines that were read in a region, as changes of the document they belong to. Pure. */
import { shownLines, withEdit } from '../documents/lines'
import type { Doc, LineEdit, Page, Polygon, ShownLine } from '../documents/types'
import { boundsOf, boundsTurned, turnOf, type Box, type Point } from '../viewer/geometry'

export interface Found {
  readonly text: string
  readonly score: number
  readonly polygon: Polygon
}

/** Two boxes that share more of what both cover are of the same line. */
const SAME = 0.5
/** A line stands beside another where it is not further off than this many times its height. */
const BESIDE = 4

/** What was read of the lines in a region; parts of lines that merely reach into it are left to those. */
export function ofRegion(
  page: Page,
  edits: readonly LineEdit[],
  region: Box,
  found: readonly Found[],
): Found[] {
  const others = shownLines(page, edits, new Set()).filter(
    (line) => !isInside(centreOf(line.polygon), region),
  )
  return found.filter(({ polygon }) => {
    const centre = centreOf(polygon)
    return isInside(centre, region) && !others.some((line) => covers(line.polygon, centre))
  })
}

/** The edits with those of a region, and the key of the first line that came of it. */
export function editsOf(
  document: Doc,
  edits: readonly LineEdit[],
  pageNumber: number,
  region: Box,
  found: readonly Found[],
): { edits: LineEdit[]; first: string } {
  const page = document.pages.find((each) => each.number === pageNumber)
  if (!page) return { edits: [...edits], first: '' }
  const inside = shownLines(page, edits, new Set()).filter((line) => isInside(centreOf(line.polygon), region))
  const same = matches(inside, found)
  let result = [...edits]
  for (const line of inside) {
    if (![...same.values()].includes(line)) result = without(document, result, line)
  }
  let after = inside.find((line) => line.number !== null)?.number ?? null
  after = after === null ? placeOf(page, found[0]) : after - 1
  const keys: string[] = []
  for (const each of found) {
    const line = same.get(each)
    if (line?.number) {
      after = line.number
      result = withEdit(document, result, { page: pageNumber, line: line.number, text: each.text })
      keys.push(line.key)
    } else {
      const id = freshId()
      const { text, polygon, score } = each
      result = [...result, { page: pageNumber, line: null, after, polygon, score, text, id }]
      keys.push(`${pageNumber}:+${id}`)
    }
  }
  return { edits: sorted(page, result), first: keys[0] ?? '' }
}

/** Lines that were read before and are still there, each for the found one it is the same as. */
function matches(inside: readonly ShownLine[], found: readonly Found[]): Map<Found, ShownLine> {
  const pairs = found.flatMap((each) =>
    inside
      .filter((line) => line.number !== null)
      .map((line) => ({ each, line, shared: shared(boundsOf(each.polygon), boundsOf(line.polygon)) }))
      .filter((pair) => pair.shared > SAME),
  )
  pairs.sort((one, other) => other.shared - one.shared)
  const same = new Map<Found, ShownLine>()
  const taken = new Set<ShownLine>()
  for (const { each, line } of pairs) {
    if (same.has(each) || taken.has(line)) continue
    same.set(each, line)
    taken.add(line)
  }
  return same
}

function without(document: Doc, edits: readonly LineEdit[], line: ShownLine): LineEdit[] {
  if (line.number !== null) {
    return withEdit(document, edits, { page: line.page, line: line.number, text: '' })
  }
  return edits.filter((edit) => `${edit.page}:+${edit.id ?? ''}` !== line.key)
}

/** The line that an added one follows, where no line was in its place. */
export function placeOf(page: Page, found: Found | undefined): number {
  if (!found) return page.lines.length
  const turn = turnOf(360 - page.angle)
  const box = boundsTurned(found.polygon, page, turn)
  const all = page.lines.map((line, index) => ({
    number: index + 1,
    box: boundsTurned(line.polygon as unknown as Polygon, page, turn),
  }))
  const beside = all
    .filter((other) => overlap(box.y, box.height, other.box.y, other.box.height) > 0.5)
    .map((other) => ({ ...other, off: box.x - other.box.x - other.box.width }))
    .filter(({ off }) => off > -box.height && off < BESIDE * box.height)
    .sort((one, other) => one.off - other.off)[0]
  if (beside) return beside.number
  const middle = box.y + box.height / 2
  const same = all.filter((other) => overlap(box.x, box.width, other.box.x, other.box.width) > 0)
  const above = same.filter((other) => other.box.y + other.box.height / 2 <= middle).sort(byBottom)[0]
  if (above) return above.number
  const below = (same.length ? same : all).find((other) => other.box.y + other.box.height / 2 > middle)
  return below ? below.number - 1 : page.lines.length
}

function byBottom(one: { box: Box; number: number }, other: { box: Box; number: number }): number {
  return other.box.y + other.box.height - (one.box.y + one.box.height) || other.number - one.number
}

/** Added lines that follow the same one, from top to bottom; those of one row from the left. */
function sorted(page: Page, edits: readonly LineEdit[]): LineEdit[] {
  const turn = turnOf(360 - page.angle)
  const boxOf = (edit: LineEdit): Box => boundsTurned(edit.polygon ?? [], page, turn)
  const ours = edits.filter((edit) => edit.page === page.number && edit.line === null)
  ours.sort((one, other) => {
    const [a, b] = [boxOf(one), boxOf(other)]
    if ((one.after ?? 0) !== (other.after ?? 0)) return (one.after ?? 0) - (other.after ?? 0)
    return overlap(a.y, a.height, b.y, b.height) > 0.5 ? a.x - b.x : a.y - b.y
  })
  return [...edits.filter((edit) => !ours.includes(edit)), ...ours]
}

export function centreOf(polygon: Polygon): Point {
  const count = Math.max(1, polygon.length)
  const sum = polygon.reduce<[number, number]>(([x, y], point) => [x + point[0], y + point[1]], [0, 0])
  return [sum[0] / count, sum[1] / count]
}

export function isInside([x, y]: Point, box: Box): boolean {
  return x >= box.x && x <= box.x + box.width && y >= box.y && y <= box.y + box.height
}

/** Corners run clockwise: what is inside lies on the same side of all edges. */
function covers(polygon: Polygon, [x, y]: Point): boolean {
  return (
    polygon.length > 2 &&
    polygon.every((from, index) => {
      const to = polygon[(index + 1) % polygon.length] ?? from
      return (to[0] - from[0]) * (y - from[1]) - (to[1] - from[1]) * (x - from[0]) >= 0
    })
  )
}

/** Of what either covers, the share that both do. */
function shared(one: Box, other: Box): number {
  const width = Math.min(one.x + one.width, other.x + other.width) - Math.max(one.x, other.x)
  const height = Math.min(one.y + one.height, other.y + other.height) - Math.max(one.y, other.y)
  if (width <= 0 || height <= 0) return 0
  const both = width * height
  return both / (one.width * one.height + other.width * other.height - both)
}

/** Of the shorter of two spans, the share that lies in the other. */
function overlap(one: number, oneLength: number, other: number, otherLength: number): number {
  const both = Math.min(one + oneLength, other + otherLength) - Math.max(one, other)
  return both / Math.max(1e-9, Math.min(oneLength, otherLength))
}

function freshId(): string {
  return [...crypto.getRandomValues(new Uint8Array(8))]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('')
}
