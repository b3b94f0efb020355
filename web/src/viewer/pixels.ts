import type { Entry } from '../documents/types'

/** A page as pixels. */
export interface PagePixels {
  readonly canvas: HTMLCanvasElement
  /** Pixels of the canvas per pixel of the original page (as in `Page.width`; for a PDF whose document is not there yet, per point ÷ 72 × 200). */
  readonly scale: number
}

/** Renders a page of an entry's file so that its longer side has at most `longestSide` pixels (never enlarged). */
export async function pagePixels(_entry: Entry, _page: number, _longestSide: number): Promise<PagePixels> {
  throw new Error('not written yet')
}
