/** Asks the server for a page as it is after each stage. */
import { call } from '../api/client'
import type { Doc, Entry, Page, Polygon } from '../documents/types'
import type { Stage } from './stages'

export type Found = Readonly<Record<Stage, readonly Polygon[]>> & {
  /** Lines that the direction classifier turned round. */
  readonly turned: number
}

/** Reads a page twice more, without its later stages. A page whose text came from the PDF itself is read as a picture. */
export async function stagesOf(entry: Entry, page: Page, signal: AbortSignal): Promise<Found> {
  const detected = await read(entry, page, { recognize: 'false', classify: 'false' }, signal)
  const classified = await read(entry, page, { recognize: 'false' }, signal)
  const recognised = page.lines?.some((line) => line.source === 'text-layer')
    ? await read(entry, page, {}, signal)
    : (page.lines ?? [])
  return {
    detected: polygons(detected),
    classified: polygons(classified),
    recognised: polygons(recognised),
    turned: turned(detected, classified),
  }
}

type Lines = NonNullable<Page['lines']>

async function read(
  entry: Entry,
  page: Page,
  stages: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Lines> {
  const form = new FormData()
  const values = { ...stages, pages: String(page.number), text_layer: 'ignore', format: 'json' }
  for (const [name, value] of Object.entries(values)) form.append(name, value)
  if (entry.password !== null) form.append('password', entry.password)
  if (entry.file) form.append('file', entry.file, 'document')
  const answer = await call('v1/ocr', { method: 'POST', body: form, signal })
  const document = (await answer.json()) as Doc
  return document.pages[0]?.lines ?? []
}

function polygons(lines: Lines): Polygon[] {
  return lines.map((line) => line.polygon as unknown as Polygon)
}

/** Lines that stand in the same place but start at the other end. */
export function turned(before: Lines, after: Lines): number {
  const starts = new Set(before.map((line) => cornersFrom(line.polygon as unknown as Polygon, 0)))
  return after.filter((line) => {
    const polygon = line.polygon as unknown as Polygon
    return !starts.has(cornersFrom(polygon, 0)) && starts.has(cornersFrom(polygon, 2))
  }).length
}

function cornersFrom(polygon: Polygon, first: number): string {
  return [...polygon.slice(first), ...polygon.slice(0, first)]
    .map(([x, y]) => `${Math.round(x)},${Math.round(y)}`)
    .join(' ')
}
