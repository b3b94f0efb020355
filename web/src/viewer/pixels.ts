/** Pages of files as pixels: images by the browser, PDFs by pdf.js, what neither can show by the server. */
import { ApiError, call } from '../api/client'
import { pageOf } from '../documents/lines'
import type { Entry } from '../documents/types'
import type { Box } from './geometry'
import type { PDFDocumentProxy } from './pdf'
import { Pool } from './pool'

/** A page as pixels. */
export interface PagePixels {
  /** Others have the same one: draw from it, do not draw into it. */
  readonly canvas: HTMLCanvasElement
  /** Pixels of the canvas per pixel of the original page (as in `Page.width`; for a PDF whose document is not there yet, per point ÷ 72 × 200). */
  readonly scale: number
}

/** Of a page without its pixels. */
export interface PageSize {
  readonly width: number
  readonly height: number
}

/** The picture of an entry is not in this browser any more. */
export class NoFile extends Error {}

/** Whether the server said that it can make nothing of the file; it need not be sent once more to be drawn. */
export function refused(entry: Entry): boolean {
  return entry.state === 'failed' && entry.document === null && entry.problem?.retryable === false
}

/** A page drawn, and its size where no document says it. */
interface Drawn {
  readonly canvas: HTMLCanvasElement
  readonly size: PageSize
}

interface Picture {
  readonly bitmap: ImageBitmap
  readonly size: PageSize
  readonly pages: number
}

/** No canvas is longer: browsers have limits, and what is beyond is drawn in parts. */
export const LONGEST = 4096
const POINT = 200 / 72
/** What the server is asked for: few sizes, since each costs an upload. */
const SIDES = [512, 2048]
const USUAL = 2048

const pdfs = new Pool<PDFDocumentProxy>(
  3,
  () => 1,
  (pdf) => void pdf.loadingTask.destroy(),
)
const pictures = new Pool<Picture>(
  300e6,
  ({ bitmap }) => 4 * bitmap.width * bitmap.height,
  ({ bitmap }) => bitmap.close(),
)
const pages = new Pool<Drawn>(
  200e6,
  ({ canvas }) => 4 * canvas.width * canvas.height,
  () => undefined,
)

const names = new WeakMap<Blob, string>()
let files = 0

/** Renders a page of an entry's file so that its longer side has at most `longestSide` pixels (never enlarged). */
export async function pagePixels(
  entry: Entry,
  page: number,
  longestSide: number,
  signal?: AbortSignal,
): Promise<PagePixels> {
  const side = Math.max(1, Math.min(LONGEST, Math.round(longestSide)))
  const key = `${nameOf(entry)} ${page} ${side}`
  return pages.use(key, (stop) => drawn(entry, page, side, stop), scaled(entry, page), signal)
}

/** The size of a page in its own pixels: as the document says, else as the file does. */
export async function pageSize(entry: Entry, page: number): Promise<PageSize> {
  const known = pageOf(entry, page)
  if (known) return { width: known.width, height: known.height }
  if (entry.kind === 'pdf') return withPdf(entry, async (pdf) => sizeOf(await points(pdf, page)))
  return withPicture(entry, page, USUAL, ({ size }) => size)
}

/** How many pages the file has. */
export async function pageCount(entry: Entry): Promise<number> {
  if (entry.kind === 'pdf') return withPdf(entry, (pdf) => pdf.numPages)
  if (entry.kind === 'image') return 1
  return withPicture(entry, 1, USUAL, ({ pages: count }) => count)
}

/** A part of a page, `box` in its pixels, with `scale` pixels per pixel of the page; null where `pagePixels` has all there is. */
export async function pagePart(
  entry: Entry,
  page: number,
  box: Box,
  scale: number,
  signal: AbortSignal,
): Promise<HTMLCanvasElement | null> {
  const { width } = await pageSize(entry, page)
  if (entry.kind === 'pdf') {
    return withPdf(entry, async (pdf) => {
      const { drawPdf } = await import('./pdf')
      const perPoint = width / (await points(pdf, page))[0]
      return drawPdf(pdf, page, byFactor(box, 1 / perPoint), scale * perPoint, signal)
    })
  }
  if (entry.kind !== 'image') return null
  return withPicture(entry, page, LONGEST, ({ bitmap }) => {
    if (Math.max(bitmap.width, bitmap.height) <= LONGEST) return null
    return cut(bitmap, byFactor(box, bitmap.width / width), scale * (width / bitmap.width))
  })
}

/** Gives up what is kept of a file. */
export function forget(file: Blob): void {
  const name = names.get(file)
  if (name !== undefined) for (const pool of [pdfs, pictures, pages]) pool.drop(`${name} `)
}

function scaled(entry: Entry, page: number): (drawn: Drawn) => PagePixels {
  return ({ canvas, size }) => ({ canvas, scale: canvas.width / (pageOf(entry, page)?.width ?? size.width) })
}

async function drawn(entry: Entry, page: number, side: number, signal: AbortSignal): Promise<Drawn> {
  if (entry.kind !== 'pdf') {
    return withPicture(entry, page, side, ({ bitmap, size }) => ({ canvas: reduced(bitmap, side), size }))
  }
  return withPdf(entry, async (pdf) => {
    const { drawPdf } = await import('./pdf')
    const [width, height] = await points(pdf, page)
    const size = pageOf(entry, page) ?? sizeOf([width, height])
    const scale = Math.min(side, Math.max(LONGEST / 2, size.width, size.height)) / Math.max(width, height)
    return { canvas: await drawPdf(pdf, page, { x: 0, y: 0, width, height }, scale, signal), size }
  })
}

async function withPdf<R>(entry: Entry, work: (pdf: PDFDocumentProxy) => R | Promise<R>): Promise<R> {
  const file = fileOf(entry)
  const open = async (signal: AbortSignal): Promise<PDFDocumentProxy> =>
    (await import('./pdf')).openPdf(file, entry.password, signal)
  return pdfs.use(`${nameOf(entry)} ${entry.password ?? ''}`, open, work)
}

async function points(pdf: PDFDocumentProxy, page: number): Promise<readonly [number, number]> {
  return (await import('./pdf')).pointsOf(pdf, page)
}

/** The first page of an image that the browser knows is taken from it, the rest from the server. */
async function withPicture<R>(
  entry: Entry,
  page: number,
  side: number,
  work: (picture: Picture) => R | Promise<R>,
): Promise<R> {
  const file = fileOf(entry)
  if (entry.kind === 'image' && page === 1) {
    const own = await pictures.use(`${nameOf(entry)} own`, () => decoded(file), work).catch(unlessUnknown)
    if (own !== UNKNOWN) return own as R
  }
  if (entry.problem && refused(entry)) throw new ApiError(entry.problem)
  const wanted = SIDES.find((each) => each >= side) ?? SIDES[SIDES.length - 1]
  const ask = (signal: AbortSignal): Promise<Picture> => served(entry, file, page, wanted as number, signal)
  return pictures.use(`${nameOf(entry)} ${page} ${wanted}`, ask, work)
}

const UNKNOWN = Symbol('a format that the browser does not know')

function unlessUnknown(error: unknown): typeof UNKNOWN {
  if (error instanceof DOMException && error.name === 'InvalidStateError') return UNKNOWN
  throw error
}

/** Turned as its EXIF block says, as the server does. */
async function decoded(file: Blob): Promise<Picture> {
  if (await isWebpWithExif(file)) throw new DOMException('browsers do not turn it', 'InvalidStateError')
  const bitmap = await createImageBitmap(file, { imageOrientation: 'from-image' })
  return { bitmap, size: { width: bitmap.width, height: bitmap.height }, pages: 1 }
}

/** By the flags of its chunk VP8X: browsers leave such a picture as it is stored. */
async function isWebpWithExif(file: Blob): Promise<boolean> {
  const head = new Uint8Array(await file.slice(0, 21).arrayBuffer())
  return String.fromCharCode(...head.slice(8, 16)) === 'WEBPVP8X' && ((head[20] ?? 0) & 8) !== 0
}

async function served(
  entry: Entry,
  file: Blob,
  page: number,
  side: number,
  signal: AbortSignal,
): Promise<Picture> {
  const form = new FormData()
  form.set('page', String(page))
  form.set('longest_side', String(side))
  if (entry.password !== null) form.set('password', entry.password)
  form.set('file', file, entry.name)
  const answer = await call('v1/render', { method: 'POST', body: form, signal })
  const bitmap = await createImageBitmap(await answer.blob())
  const number = (name: string, otherwise: number): number => Number(answer.headers.get(name)) || otherwise
  const size = { width: number('X-Page-Width', bitmap.width), height: number('X-Page-Height', bitmap.height) }
  return { bitmap, size, pages: number('X-Pages', 1) }
}

function reduced(bitmap: ImageBitmap, side: number): HTMLCanvasElement {
  const scale = Math.min(1, side / Math.max(bitmap.width, bitmap.height))
  return cut(bitmap, { x: 0, y: 0, width: bitmap.width, height: bitmap.height }, scale)
}

function cut(bitmap: ImageBitmap, box: Box, scale: number): HTMLCanvasElement {
  const canvas = document.createElement('canvas')
  canvas.width = Math.max(1, Math.round(box.width * scale))
  canvas.height = Math.max(1, Math.round(box.height * scale))
  const context = canvas.getContext('2d')
  if (!context) throw new Error('the browser has no memory for a picture of the page')
  context.imageSmoothingQuality = 'high'
  context.fillStyle = '#fff' // as the server reads what is transparent
  context.fillRect(0, 0, canvas.width, canvas.height)
  context.drawImage(bitmap, box.x, box.y, box.width, box.height, 0, 0, canvas.width, canvas.height)
  return canvas
}

function byFactor(box: Box, factor: number): Box {
  return { x: box.x * factor, y: box.y * factor, width: box.width * factor, height: box.height * factor }
}

function sizeOf([width, height]: readonly [number, number]): PageSize {
  return { width: Math.round(width * POINT), height: Math.round(height * POINT) }
}

function fileOf(entry: Entry): Blob {
  if (!entry.file) throw new NoFile(entry.name)
  return entry.file
}

function nameOf(entry: Entry): string {
  const file = fileOf(entry)
  const name = names.get(file) ?? `${++files}`
  names.set(file, name)
  return name
}
