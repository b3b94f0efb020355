/** Reading a part of a page once more. */
import { computed, markRaw, shallowRef } from 'vue'
import { ApiError, call } from '../api/client'
import { pageOf } from '../documents/lines'
import { currentPage, entries, select } from '../documents/store'
import type { Doc, Entry, Polygon } from '../documents/types'
import { language } from '../settings/settings'
import { say } from '../shell/messages'
import { explained } from '../understand/problems'
import { boundsOf, type Box } from '../viewer/geometry'
import { LONGEST, NoFile, pagePart, pagePixels } from '../viewer/pixels'
import { change } from './history'
import { editsOf, ofRegion, type Found } from './merge'
import { t } from './words'

/** What is around the region helps to find lines that touch its edge. */
const MARGIN = 24
/** Smaller regions are enlarged, up to twice: the reader expects letters of some size. */
const SMALL = 240
const LEAST = 4 // pixels of the page
/** A person looks at what comes of it, so less sure lines are welcome. */
const LEAST_SCORE = '0.5'

/** Regions that are being read. */
const running = shallowRef(0)
export const busy = computed(() => running.value > 0)

/** Reads a region of a page once more; its lines take the place of those inside it. Says what came of it; never throws. */
export async function reread(entry: Entry, pageNumber: number, region: Polygon): Promise<void> {
  const page = pageOf(entry, pageNumber)
  if (!page || entry.preview) return say(t('rereadWait'))
  const bounds = boundsOf(region)
  if (Math.min(bounds.width, bounds.height) < LEAST) return say(t('rereadSmall'), 'bad')
  running.value++
  try {
    const document = entry.document
    const read = await readAgain(entry, pageNumber, bounds)
    const found = ofRegion(page, entry.edits, bounds, read)
    if (document === entry.document && entries.includes(entry)) put(entry, pageNumber, bounds, found)
  } catch (error) {
    tell(error)
  } finally {
    running.value--
  }
}

function put(entry: Entry, pageNumber: number, bounds: Box, found: readonly Found[]): void {
  if (!found.length || !entry.document) return say(t('rereadNothing'))
  const { edits, first } = editsOf(entry.document, entry.edits, pageNumber, bounds, found)
  change(entry, first, () => {
    entry.edits = markRaw(edits)
  })
  if (currentPage.value === pageNumber) select(first)
  say(found.length === 1 ? t('rereadOne') : t('rereadMany', { count: found.length }), 'good')
}

function tell(error: unknown): void {
  if (error instanceof NoFile) return say(t('rereadNoFile'), 'bad')
  if (!(error instanceof ApiError)) throw error
  const { title, todo } = explained(error.problem, language.value)
  say(`${title}. ${todo}`, 'bad')
}

async function readAgain(entry: Entry, pageNumber: number, bounds: Box): Promise<Found[]> {
  const page = pageOf(entry, pageNumber)
  if (!page) return []
  const box = grown(bounds, page.width, page.height)
  const enlarged = Math.min(2, Math.max(1, SMALL / Math.min(bounds.width, bounds.height)))
  const part = await cropped(entry, pageNumber, box, enlarged)
  const picture = upright(part, page.angle)
  const blob = await new Promise<Blob | null>((done) => picture.toBlob(done, 'image/png'))
  if (!blob) throw new Error('the browser has no memory for the picture of the region')
  const form = new FormData()
  form.set('min_score', LEAST_SCORE)
  form.set('file', blob, 'region.png')
  const answer = (await (await call('v1/ocr', { method: 'POST', body: form })).json()) as Doc
  const scale = part.width / box.width
  return (answer.pages[0]?.lines ?? []).map((line) => ({
    text: line.text,
    score: line.score,
    polygon: line.polygon.map((point) => {
      const [x, y] = turnedBack(point as [number, number], part, page.angle)
      return [rounded(box.x + x / scale), rounded(box.y + y / scale)] as const
    }),
  }))
}

async function cropped(entry: Entry, page: number, box: Box, scale: number): Promise<HTMLCanvasElement> {
  const part = await pagePart(entry, page, box, scale, new AbortController().signal)
  if (part) return part
  const whole = await pagePixels(entry, page, LONGEST)
  const canvas = blank(box.width * scale, box.height * scale)
  const context = contextOf(canvas)
  const k = whole.scale
  context.imageSmoothingQuality = 'high'
  context.drawImage(
    whole.canvas,
    ...([box.x * k, box.y * k, box.width * k, box.height * k] as const),
    ...([0, 0, canvas.width, canvas.height] as const),
  )
  return canvas
}

/** The page's content is turned clockwise by `angle` degrees; it is turned back. */
function upright(part: HTMLCanvasElement, angle: number): HTMLCanvasElement {
  if (angle === 0) return part
  const { width, height } = part
  const canvas = angle === 180 ? blank(width, height) : blank(height, width)
  const context = contextOf(canvas)
  if (angle === 90) context.translate(0, width)
  else if (angle === 180) context.translate(width, height)
  else context.translate(height, 0)
  context.rotate((-angle * Math.PI) / 180)
  context.drawImage(part, 0, 0)
  return canvas
}

/** A point of the picture that was turned back, in the one that was not. */
export function turnedBack(
  [x, y]: readonly [number, number],
  { width, height }: { readonly width: number; readonly height: number },
  angle: number,
): readonly [number, number] {
  if (angle === 90) return [width - y, x]
  if (angle === 180) return [width - x, height - y]
  if (angle === 270) return [y, height - x]
  return [x, y]
}

function grown({ x, y, width, height }: Box, pageWidth: number, pageHeight: number): Box {
  const left = Math.max(0, Math.floor(x - MARGIN))
  const top = Math.max(0, Math.floor(y - MARGIN))
  return {
    x: left,
    y: top,
    width: Math.min(pageWidth, Math.ceil(x + width + MARGIN)) - left,
    height: Math.min(pageHeight, Math.ceil(y + height + MARGIN)) - top,
  }
}

function blank(width: number, height: number): HTMLCanvasElement {
  const canvas = document.createElement('canvas')
  canvas.width = Math.max(1, Math.round(width))
  canvas.height = Math.max(1, Math.round(height))
  return canvas
}

function contextOf(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const context = canvas.getContext('2d')
  if (!context) throw new Error('the browser has no memory for the picture of the region')
  return context
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100
}
