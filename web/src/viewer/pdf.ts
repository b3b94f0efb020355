/** PDF pages by pdf.js; a chunk of its own, loaded with the first PDF. All it needs comes from where the page itself lies. */
import {
  AnnotationMode,
  getDocument,
  GlobalWorkerOptions,
  PDFDataRangeTransport,
  type PDFDocumentProxy,
} from 'pdfjs-dist'
import workerUrl from 'pdfjs-dist/build/pdf.worker.min.mjs?url'
import type { Box } from './geometry'

GlobalWorkerOptions.workerSrc = new URL(workerUrl, document.baseURI).href

const CHUNK = 1 << 18

/** The file is read in parts, as they are needed: a scan of 500 pages never lies in the memory as a whole. */
class Slices extends PDFDataRangeTransport {
  constructor(private readonly file: Blob) {
    super(file.size, null)
  }

  override requestDataRange(begin: number, end: number): void {
    void this.file
      .slice(begin, end)
      .arrayBuffer()
      .then((bytes) => this.onDataRange(begin, new Uint8Array(bytes)))
  }
}

export async function openPdf(
  file: Blob,
  password: string | null,
  signal: AbortSignal,
): Promise<PDFDocumentProxy> {
  const asset = (folder: string): string => new URL(`pdfjs/${folder}/`, document.baseURI).href
  const loading = getDocument({
    range: new Slices(file),
    rangeChunkSize: CHUNK,
    disableAutoFetch: true,
    disableStream: true,
    isEvalSupported: false,
    enableXfa: false,
    useSystemFonts: false, // a font of the same name has other widths; ours fit

    verbosity: 0,
    cMapUrl: asset('cmaps'),
    iccUrl: asset('iccs'),
    standardFontDataUrl: asset('standard_fonts'),
    wasmUrl: asset('wasm'),
    ...(password === null ? {} : { password }),
  })
  signal.addEventListener('abort', () => void loading.destroy())
  return loading.promise
}

/** Width and height of a page in points, upright. */
export async function pointsOf(pdf: PDFDocumentProxy, number: number): Promise<readonly [number, number]> {
  const viewport = (await pdf.getPage(number)).getViewport({ scale: 1 })
  return [viewport.width, viewport.height]
}

/** Draws a part of a page, `box` in points from the top left corner of the upright page, with `scale` pixels per point. */
export async function drawPdf(
  pdf: PDFDocumentProxy,
  number: number,
  box: Box,
  scale: number,
  signal: AbortSignal,
): Promise<HTMLCanvasElement> {
  const page = await pdf.getPage(number)
  signal.throwIfAborted()
  const canvas = document.createElement('canvas')
  canvas.width = Math.max(1, Math.round(box.width * scale))
  canvas.height = Math.max(1, Math.round(box.height * scale))
  const viewport = page.getViewport({ scale, offsetX: -box.x * scale, offsetY: -box.y * scale })
  const task = page.render({ canvas, viewport, annotationMode: AnnotationMode.ENABLE, background: '#fff' })
  const stop = (): void => task.cancel()
  signal.addEventListener('abort', stop, { once: true })
  try {
    await task.promise
  } finally {
    signal.removeEventListener('abort', stop)
    page.cleanup()
  }
  return canvas
}

export type { PDFDocumentProxy }
