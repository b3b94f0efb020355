/** Small pictures of lines, turned so that they can be read. */
import { pageOf } from '../documents/lines'
import type { Entry, Polygon, ShownLine } from '../documents/types'
import { LONGEST, pagePixels } from '../viewer/pixels'

export type Matrix = readonly [number, number, number, number, number, number]

/** How a line lies in its crop: the size of the crop, and the matrix from pixels of the page. */
export interface Cutting {
  readonly width: number
  readonly height: number
  readonly matrix: Matrix
}

const SHOWN_SIDE = 2048
const MARGIN = 0.15 // of the line's height, on all sides
const MOST_BYTES = 1024 * 1024
const MOST_PIXELS = 4_000_000

/** Turns the line so that its own top-left corner is that of the crop; `scale` pixels per pixel of the page. */
export function cutting(polygon: Polygon, scale: number): Cutting | null {
  const [start, right, , down] = polygon
  if (!start || !right || !down) return null
  const width = Math.hypot(right[0] - start[0], right[1] - start[1])
  const height = Math.hypot(down[0] - start[0], down[1] - start[1])
  if (!(width > 0 && height > 0)) return null
  const across = [(right[0] - start[0]) / width, (right[1] - start[1]) / width] as const
  const along = [(down[0] - start[0]) / height, (down[1] - start[1]) / height] as const
  const margin = MARGIN * Math.min(width, height)
  const shift = (axis: readonly [number, number]): number =>
    scale * (margin - axis[0] * start[0] - axis[1] * start[1])
  return {
    width: Math.max(1, Math.ceil(scale * (width + 2 * margin))),
    height: Math.max(1, Math.ceil(scale * (height + 2 * margin))),
    matrix: [
      scale * across[0],
      scale * along[0],
      scale * across[1],
      scale * along[1],
      shift(across),
      shift(along),
    ],
  }
}

/** Draws a line into a canvas; false where there is nothing to draw. */
export async function drawLine(
  canvas: HTMLCanvasElement,
  entry: Entry,
  line: ShownLine,
  longestSide = SHOWN_SIDE,
): Promise<boolean> {
  const page = await pagePixels(entry, line.page, longestSide)
  const cut = cutting(line.polygon, page.scale)
  if (!cut) return false
  canvas.width = cut.width
  canvas.height = cut.height
  const context = canvas.getContext('2d')
  if (!context) return false
  context.fillStyle = '#fff'
  context.fillRect(0, 0, cut.width, cut.height)
  context.setTransform(...cut.matrix)
  context.scale(1 / page.scale, 1 / page.scale)
  context.imageSmoothingQuality = 'high'
  context.drawImage(page.canvas, 0, 0)
  return true
}

/** The picture of a line as the server takes it: a PNG as base64; null without one, or where it is larger than the server takes. */
export async function linePng(entry: Entry, line: ShownLine): Promise<string | null> {
  const page = pageOf(entry, line.page)
  if (!entry.file || !page) return null
  try {
    const canvas = document.createElement('canvas')
    const side = Math.min(LONGEST, Math.max(page.width, page.height))
    if (!(await drawLine(canvas, entry, line, side)) || canvas.width * canvas.height > MOST_PIXELS)
      return null
    const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, 'image/png'))
    return blob && blob.size <= MOST_BYTES ? base64(new Uint8Array(await blob.arrayBuffer())) : null
  } catch {
    return null // the text is worth sending without it
  }
}

function base64(bytes: Uint8Array): string {
  let characters = ''
  for (let at = 0; at < bytes.length; at += 0x8000) {
    characters += String.fromCharCode(...bytes.subarray(at, at + 0x8000))
  }
  return btoa(characters)
}
