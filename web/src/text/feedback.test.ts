import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { add, currentId, entries, lines } from '../documents/store'
import type { Entry, ShownLine } from '../documents/types'
import { key as session } from '../session/session'
import { asking, consent, pictures } from './consent'
import { correct, toggleChecked, undoLast } from './correct'
import * as feedback from './feedback'
import { docWith, entryWith, pageWith } from './testing'

vi.mock('./crops', () => ({ linePng: () => Promise.resolve('iVBORw0KGgo=') }))

type Body = feedback.Correction & { readonly crop?: string }

let entry: Entry
let answers: (() => Response)[] = []
let sent: Body[] = []

const kept = (): Response => new Response('{}', { status: 201 })
const refused = (status: number, retryable: boolean) => (): Response =>
  new Response(JSON.stringify({ code: 'X', detail: '', status, retryable, retry_after: null }), { status })
const line = (number: number): ShownLine => lines.value.find((each) => each.number === number) as ShownLine
const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms)

beforeEach(() => {
  vi.useFakeTimers()
  answers = []
  sent = []
  vi.stubGlobal('fetch', (address: URL, init: RequestInit) => {
    if (address.pathname.endsWith('v1/capabilities')) return Promise.resolve(Response.json({ feedback: {} }))
    expect(address.pathname).toMatch(/v1\/feedback$/)
    sent.push(JSON.parse(String(init.body)) as Body)
    return Promise.resolve((answers.shift() ?? kept)())
  })
  consent.value = 'ask'
  pictures.value = 'no'
  asking.value = false
  feedback.picturesRefused.value = false
  feedback.sent.value = feedback.lost.value = 0
  entries.splice(0)
  currentId.value = null
  entry = add(entryWith(docWith(pageWith(['one', ['tvvo', 0.8]]))))
})

afterEach(() => {
  consent.value = 'no'
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

describe('without agreement', () => {
  it('nothing is sent, and the person is asked', async () => {
    correct(entry, line(2), 'two')
    toggleChecked(entry, line(1))
    await pass(600_000)
    expect(sent).toEqual([])
    expect(asking.value).toBe(true)
  })

  it('nothing is sent after a no, nor asked again', async () => {
    correct(entry, line(2), 'two')
    await pass(0)
    feedback.decide('no', false)
    correct(entry, line(2), 'zwei')
    await pass(600_000)
    expect(sent).toEqual([])
    expect(asking.value).toBe(false)
  })

  it('nothing is sent where it is taken back while a correction waits', async () => {
    feedback.decide('yes', false)
    correct(entry, line(2), 'two')
    await pass(100)
    consent.value = 'no'
    await pass(600_000)
    expect(sent).toEqual([])
  })
})

describe('with agreement', () => {
  it('sends what was corrected, the one that raised the question too', async () => {
    correct(entry, line(2), 'two')
    await pass(0)
    feedback.decide('yes', false)
    await pass(10_000)
    expect(sent).toEqual([
      {
        document: 'b'.repeat(64),
        page: 1,
        line: 2,
        polygon: [
          [10, 40],
          [110, 40],
          [110, 60],
          [10, 60],
        ],
        original: 'tvvo',
        correction: 'two',
        model: 'reader',
        model_version: '6',
      },
    ])
    expect(feedback.sent.value).toBe(1)
  })

  it('sends only the last of several corrections of a line, and nothing that was undone', async () => {
    feedback.decide('yes', false)
    correct(entry, line(2), 'to')
    await pass(500)
    correct(entry, line(2), 'two')
    toggleChecked(entry, line(1))
    await pass(500)
    undoLast(entry)
    await pass(10_000)
    expect(sent.map((body) => body.correction)).toEqual(['two'])
  })

  it('says of a line that was checked that it was right', async () => {
    feedback.decide('yes', false)
    toggleChecked(entry, line(1))
    await pass(10_000)
    expect(sent).toMatchObject([{ original: 'one', correction: 'one' }])
  })

  it('sends the picture only if it was agreed to, and without where the server refuses', async () => {
    feedback.decide('yes', true)
    answers = [refused(403, false)]
    correct(entry, line(2), 'two')
    toggleChecked(entry, line(1))
    await pass(20_000)
    expect(sent.map((body) => Boolean(body.crop))).toEqual([true, false, false])
    expect(feedback.sent.value).toBe(2)
    expect(feedback.picturesRefused.value).toBe(true)
  })

  it('tries again, each time later, and gives up in the end', async () => {
    feedback.decide('yes', false)
    answers = Array.from({ length: 20 }, () => refused(503, true))
    correct(entry, line(2), 'two')
    await pass(600_000)
    expect(sent).toHaveLength(6)
    expect([feedback.lost.value, feedback.waiting.value]).toEqual([1, 0])
    expect(feedback.lastProblem.value?.status).toBe(503)
  })

  it('does not try again what the server will not take', async () => {
    feedback.decide('yes', false)
    answers = [refused(409, false)]
    correct(entry, line(2), 'two')
    await pass(600_000)
    expect(sent).toHaveLength(1)
    expect(feedback.lost.value).toBe(1)
  })

  it('keeps a bounded number waiting', async () => {
    feedback.decide('yes', false)
    const many = add(
      entryWith(docWith(pageWith(Array.from({ length: 230 }, (_each, index) => `line ${index}`)))),
    )
    currentId.value = many.id
    for (const each of lines.value) toggleChecked(many, each)
    await pass(0)
    expect([feedback.waiting.value, feedback.lost.value]).toEqual([200, 30])
  })
})

describe('after signing out', () => {
  it('nothing goes to whoever signs in next, who is asked anew', async () => {
    session.value = 'shizi_a_1'
    feedback.decide('yes', true)
    correct(entry, line(2), 'two')
    await pass(100)
    expect(feedback.waiting.value).toBe(1)
    session.value = ''
    session.value = 'shizi_b_2'
    await pass(600_000)
    expect(sent).toEqual([])
    expect([consent.value, pictures.value]).toEqual(['ask', 'no'])
  })

  it('nor what was never agreed to', async () => {
    session.value = 'shizi_a_1'
    correct(entry, line(2), 'two')
    await pass(0)
    expect(asking.value).toBe(true)
    session.value = ''
    expect(asking.value).toBe(false)
    feedback.decide('yes', false)
    await pass(600_000)
    expect(sent).toEqual([])
  })
})

describe('a correction', () => {
  it.each([
    ['of a file without a hash', { sha256: null }],
    ['of a preview', { preview: true }],
  ])('%s is none', (_what, rest) => {
    expect(feedback.correctionOf({ ...entry, ...rest }, line(2), 'two')).toBeNull()
  })

  it('of what no recogniser read is none', () => {
    const original = {
      ...(line(2).original as NonNullable<ShownLine['original']>),
      source: 'text-layer' as const,
    }
    expect(feedback.correctionOf(entry, { ...line(2), original }, 'two')).toBeNull()
    expect(feedback.correctionOf(entry, { ...line(2), original: null, number: null }, 'two')).toBeNull()
    const document = { ...docWith(pageWith(['one'])), models: [] }
    expect(feedback.correctionOf({ ...entry, document }, line(2), 'two')).toBeNull()
  })
})
