/** Documents for tests. */
import { reactive } from 'vue'
import type { Doc, Entry, Page } from '../documents/types'

type Line = Page['lines'][number]

/** Lines of 100 × 20 pixels, 40 pixels under each other; a text may have a score: ['unsure', 0.8]. */
export function pageWith(texts: readonly (string | readonly [string, number])[], number = 1): Page {
  const lines = texts.map((each, index): Line => {
    const [text, score] = typeof each === 'string' ? ([each, 0.99] as const) : each
    const top = 40 * index
    const polygon: Line['polygon'] = [
      [10, top],
      [110, top],
      [110, top + 20],
      [10, top + 20],
    ]
    return { text, score, polygon, angle: 0, words: [], source: 'ocr', vertical: false }
  })
  const text = lines.map((line) => line.text).join('\n')
  return {
    number,
    width: 400,
    height: Math.max(100, 40 * texts.length),
    angle: 0,
    lines,
    text,
    tables: [],
    fields: [],
    quality: {},
    warnings: [],
  }
}

export function docWith(...pages: Page[]): Doc {
  return {
    schema: 'shizi/1',
    text: pages.map((page) => page.text).join('\f'),
    pages,
    models: [{ task: 'recognize', name: 'reader', version: '6', sha256: 'a'.repeat(64) }],
    timings_ms: {},
  }
}

let made = 0

export function entryWith(document: Doc | null, rest: Partial<Entry> = {}): Entry {
  return reactive<Entry>({
    id: `entry-${++made}`,
    name: 'scan.png',
    size: 1,
    addedAt: 0,
    kind: 'image',
    file: new Blob(['x']),
    password: null,
    state: 'done',
    progress: null,
    jobId: null,
    document,
    preview: false,
    problem: null,
    requestId: null,
    sha256: 'b'.repeat(64),
    edits: [],
    checked: [],
    ...rest,
  })
}
