import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { unzipSync } from 'fflate'
import type { Entry } from '../documents/types'
import { key } from '../session/session'
import { docWith, entryWith, pageWith } from '../text/testing'
import { wholeTables, wholeText } from './copying'
import { isTakeable, sentOf } from './export'
import { formatsOf, type Format } from './formats'
import { namesOf, stemOf } from './names'
import { cancel, take, taking } from './taking'

const TEXT: Format = { name: 'text', extension: '.txt', needsFile: false, packed: false }
const PDF: Format = { name: 'pdf', extension: '.pdf', needsFile: true, packed: true }

describe('names', () => {
  it.each([
    ['scan.png', 'scan'],
    ['a.b.tar', 'a.b'],
    ['folder/sub\\x.pdf', 'x'],
    ['../../etc/passwd', 'passwd'],
    ['.hidden', 'hidden'],
    ['a<b>:"c|?*.png', 'a_b_c_'],
    ['\u202egnp.exe', '_gnp'],
    ['con.png', '_con'],
    ['', 'document'],
    ['...', 'document'],
    ['发票 2024.jpg', '发票 2024'],
  ])('of %j is %j', (name, stem) => {
    expect(stemOf(name)).toBe(stem)
  })

  it('are distinct, also for systems that do not tell case', () => {
    expect(namesOf(['a.png', 'A.pdf', 'a.jpg', 'a (2).png'], '.txt')).toEqual([
      'a.txt',
      'A (2).txt',
      'a (3).txt',
      'a (2) (2).txt',
    ])
  })

  it('are not longer than file systems take', () => {
    expect(stemOf('字'.repeat(500))).toBe('字'.repeat(66))
    expect(stemOf('👍'.repeat(500))).toBe('👍'.repeat(50))
  })
})

describe('formats', () => {
  it('are those of the server, in an order of use, with those that are not known last', () => {
    const formats = formatsOf({ json: '', tsv: '', text: '', xlsx: '' })
    expect(formats.map((format) => format.extension)).toEqual(['.txt', '.xlsx', '.json', '.tsv'])
  })
})

describe('what is sent', () => {
  it('has the edits without what is the page’s own', () => {
    expect(sentOf({ page: 1, line: 2, text: 'x', id: 'y' })).toEqual({ page: 1, line: 2, text: 'x' })
    const polygon = [[0, 0]] as const
    expect(sentOf({ page: 1, line: null, after: 3, polygon, score: 0.5, text: 'x', id: 'y' })).toEqual({
      page: 1,
      line: null,
      after: 3,
      polygon,
      score: 0.5,
      text: 'x',
    })
  })

  it('is only what has been read', () => {
    const document = docWith(pageWith(['one']))
    expect(isTakeable(entryWith(document))).toBe(true)
    expect(isTakeable(entryWith(document, { state: 'cancelled' }))).toBe(true)
    expect(isTakeable(entryWith(document, { state: 'job' }))).toBe(false)
    expect(isTakeable(entryWith(document, { preview: true }))).toBe(false)
    expect(isTakeable(entryWith(null, { state: 'failed' }))).toBe(false)
  })
})

describe('the text to copy', () => {
  it('has all pages with the corrections', () => {
    const entry = entryWith(docWith(pageWith(['one', 'tvvo']), pageWith([], 2), pageWith(['three'], 3)))
    entry.edits = [{ page: 1, line: 2, text: 'two' }]
    expect(wholeText(entry)).toBe('one\ntwo\n\nthree')
    expect(wholeTables(entry)).toBeNull()
  })
})

describe('taking', () => {
  let forms: FormData[] = []
  let saved: { name: string; blob: Blob }[] = []
  let answer: (form: FormData) => Response

  beforeEach(() => {
    forms = []
    saved = []
    answer = (form) => new Response(`${String(form.get('format'))} of it`)
    vi.stubGlobal('fetch', (_address: URL, init: RequestInit) => {
      if (init.signal?.aborted) return Promise.reject(new DOMException('', 'AbortError'))
      forms.push(init.body as FormData)
      return Promise.resolve(answer(init.body as FormData))
    })
    let last = new Blob()
    vi.spyOn(URL, 'createObjectURL').mockImplementation((blob) => {
      last = blob as Blob
      return 'blob:x'
    })
    vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(function (this: HTMLAnchorElement) {
      saved.push({ name: this.download, blob: last })
    })
  })
  afterEach(() => {
    taking.value = null
    vi.restoreAllMocks()
    vi.unstubAllGlobals()
  })

  const some = (count: number): Entry[] =>
    Array.from({ length: count }, () => entryWith(docWith(pageWith(['one']))))

  it('of one document saves its file; the original goes only where it is needed', async () => {
    expect(await take(some(1), TEXT)).toBe(1)
    expect(saved.map((file) => file.name)).toEqual(['scan.txt'])
    expect(await saved[0]?.blob.text()).toBe('text of it')
    await take(some(1), PDF)
    expect(forms.map((form) => form.has('file'))).toEqual([false, true])
    expect(taking.value).toBeNull()
  })

  it('of several saves an archive with distinct names', async () => {
    expect(await take(some(3), TEXT)).toBe(3)
    expect(saved[0]?.name).toMatch(/^shizi-text-\d{4}-\d\d-\d\d\.zip$/)
    const files = unzipSync(new Uint8Array(await (saved[0] as { blob: Blob }).blob.arrayBuffer()))
    expect(Object.keys(files)).toEqual(['scan.txt', 'scan (2).txt', 'scan (3).txt'])
    expect(new TextDecoder().decode(files['scan (3).txt'])).toBe('text of it')
  })

  it('goes on where one fails, and says which and why', async () => {
    const entries = some(3)
    const [, second] = entries
    if (second) second.file = null
    expect(await take(entries, PDF)).toBe(2)
    expect(taking.value).toMatchObject({ running: false, done: 3 })
    expect(taking.value?.failures).toMatchObject([{ entry: second?.id, problem: { code: 'PICTURE_GONE' } }])
  })

  it.each([1, 3])(
    'saves nothing of %i documents, and says nothing of them, after signing out',
    async (count) => {
      key.value = 'shizi_a_1'
      answer = () => {
        key.value = ''
        return new Response('x')
      }
      expect(await take(some(count), TEXT)).toBe(0)
      expect(saved).toEqual([])
      expect(taking.value).toBeNull()
    },
  )

  it('saves nothing where it is cancelled', async () => {
    answer = () => {
      cancel()
      return new Response('x')
    }
    expect(await take(some(3), TEXT)).toBe(0)
    expect(saved).toEqual([])
    expect(forms).toHaveLength(1)
    expect(taking.value).toBeNull()
  })
})
