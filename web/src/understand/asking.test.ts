import { afterEach, expect, it, vi } from 'vitest'
import type { Entry, Page } from '../documents/types'
import { stagesOf } from './asking'

const box = (x: number) => [
  [x, 0],
  [x + 10, 0],
  [x + 10, 5],
  [x, 5],
]
const round = (polygon: number[][]) => [...polygon.slice(2), ...polygon.slice(0, 2)]
const line = (polygon: number[][], source = 'ocr') => ({ text: '', score: 1, polygon, words: [], source })
const page = (lines: unknown[]) => ({ number: 3, width: 100, height: 100, lines }) as unknown as Page

afterEach(() => {
  vi.unstubAllGlobals()
})

it('asks for the page without its later stages, and counts what was turned', async () => {
  const forms: FormData[] = []
  vi.stubGlobal('fetch', (_url: URL, init: RequestInit) => {
    const form = init.body as FormData
    forms.push(form)
    const all = [line(box(0)), line(box(20)), line(box(40))]
    const lines = form.get('classify') === 'false' ? all : [line(box(0)), line(round(box(20))), line(box(40))]
    return Promise.resolve(Response.json({ pages: [page(lines)] }))
  })
  const entry = { file: new Blob(['%PDF-']), password: 'open' } as unknown as Entry
  const found = await stagesOf(entry, page([line(box(0))]), new AbortController().signal)
  expect([found.detected.length, found.classified.length, found.recognised.length, found.turned]).toEqual([
    3, 3, 1, 1,
  ])
  expect(forms.map((form) => [form.get('recognize'), form.get('classify')])).toEqual([
    ['false', 'false'],
    ['false', null],
  ])
  for (const form of forms) {
    expect([form.get('pages'), form.get('text_layer'), form.get('password')]).toEqual(['3', 'ignore', 'open'])
  }
})

it('reads a page as a picture whose text came from the PDF', async () => {
  const forms: FormData[] = []
  vi.stubGlobal('fetch', (_url: URL, init: RequestInit) => {
    forms.push(init.body as FormData)
    return Promise.resolve(Response.json({ pages: [page([line(box(0)), line(box(20))])] }))
  })
  const entry = { file: new Blob(['%PDF-']), password: null } as unknown as Entry
  const found = await stagesOf(entry, page([line(box(7), 'text-layer')]), new AbortController().signal)
  expect(found.recognised).toHaveLength(2)
  expect(forms[2]?.get('recognize')).toBeNull()
})
