/** Figures about a document, for the panel that says how it was read. */
import type { Doc, Page } from '../documents/types'

/** In the order of their work; what a newer server adds follows. */
const ORDER = ['queue', 'decode', 'render', 'detect', 'classify', 'recognize', 'layout']

export interface StageTime {
  readonly stage: string
  readonly ms: number
  /** Of the longest stage, 0 to 1. */
  readonly share: number
}

export function stageTimes(document: Pick<Doc, 'timings_ms'>): StageTime[] {
  const all = Object.entries(document.timings_ms)
  const longest = Math.max(...all.map(([, ms]) => ms), Number.MIN_VALUE)
  return all
    .map(([stage, ms]) => ({ stage, ms, share: ms / longest }))
    .toSorted((a, b) => rank(a.stage) - rank(b.stage))
}

function rank(stage: string): number {
  const index = ORDER.indexOf(stage)
  return index < 0 ? ORDER.length : index
}

export interface Counts {
  readonly lines: number
  readonly words: number
  readonly characters: number
  /** Lines whose text the PDF had already. */
  readonly fromLayer: number
}

export function countsOf(pages: readonly Page[]): Counts {
  const lines = pages.flatMap((page) => page.lines ?? [])
  return {
    lines: lines.length,
    words: lines.reduce((sum, line) => sum + (line.words?.length ?? 0), 0),
    characters: lines.reduce((sum, line) => sum + [...line.text].length, 0),
    fromLayer: lines.filter((line) => line.source === 'text-layer').length,
  }
}

/** "1,183 ms", "4.2 s", "2 min 5 s" */
export function duration(ms: number, locale: string): string {
  const number = (value: number, digits: number) =>
    value.toLocaleString(locale, { maximumFractionDigits: digits, minimumFractionDigits: 0 })
  if (ms < 10) return `${number(ms, 1)} ms`
  if (ms < 10_000) return `${number(Math.round(ms), 0)} ms`
  if (ms < 120_000) return `${number(ms / 1000, 1)} s`
  return `${number(Math.floor(ms / 60_000), 0)} min ${number(Math.round((ms % 60_000) / 1000), 0)} s`
}
