/** Widths of texts in the font of the text layer. */
import { SIZE } from './placing'

/** More texts than a large page has; then all are forgotten. */
const MOST = 20_000
const widths = new Map<string, number>()
let context: CanvasRenderingContext2D | null = null

export function measure(text: string): number {
  const known = widths.get(text)
  if (known !== undefined) return known
  context ??= made()
  const width = context ? context.measureText(text).width : text.length * SIZE
  if (widths.size >= MOST) widths.clear()
  widths.set(text, width)
  return width
}

function made(): CanvasRenderingContext2D | null {
  const context = document.createElement('canvas').getContext('2d')
  if (!context) return null
  const family = getComputedStyle(document.documentElement).getPropertyValue('--font') || 'sans-serif'
  context.font = `${SIZE}px ${family}`
  context.textRendering = 'geometricPrecision'
  return context
}
