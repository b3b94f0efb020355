import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { entries, remove } from '../documents/store'
import type { Entry } from '../documents/types'
import {
  calls,
  documentOf,
  ended,
  eventually,
  given,
  JOB,
  json,
  page,
  paths,
  problem,
  serve,
  type Answer,
} from './fakeServer'
import { cancel, LARGE_PDF, start } from './work'

beforeEach(() => {
  for (const { id } of [...entries]) remove(id)
})
afterEach(() => {
  for (const entry of entries) cancel(entry)
  vi.unstubAllGlobals()
})

const DETAIL = {
  id: JOB,
  pages_done: 0,
  last_event: 1,
  documents: [{ pages: null, sha256: 'ab', error: null }],
}
const STREAM = 'id: 2\nevent: page\ndata: {}\n\nid: 3\nevent: finished\ndata: {}\n\n'

/** A job of two pages: nothing at the first look, all of it at the second. */
function job(state = 'succeeded', error: string | null = null): Record<string, Answer> {
  let looks = 0
  return {
    'POST v1/jobs': () => json({ id: JOB }, 202),
    [`GET v1/jobs/${JOB}`]: () =>
      json(
        looks++ === 0
          ? { ...DETAIL, state: 'running' }
          : {
              ...DETAIL,
              state,
              last_event: 3,
              pages_done: 2,
              documents: [{ pages: 2, sha256: 'ab', error, detail: 'x' }],
            },
      ),
    [`GET v1/jobs/${JOB}/pages`]: ({ path }) => {
      const rest = path.endsWith('after=0') && looks > 1 ? [page(2), page(1)] : []
      return json({
        pages: rest.map((each) => ({ document: 1, page: each })),
        next: rest.length ? 2 : 0,
        complete: false,
      })
    },
    [`GET v1/jobs/${JOB}/events`]: () => new Response(STREAM),
    [`GET v1/jobs/${JOB}/documents/1/result`]: () =>
      error === 'ALL' ? problem(422, 'CORRUPT_DOCUMENT') : json(documentOf('whole')),
    [`POST v1/jobs/${JOB}/cancel`]: () => json({}),
    [`DELETE v1/jobs/${JOB}`]: () => new Response(null, { status: 204 }),
  }
}

describe('a large PDF', () => {
  const large = (): Entry => given('book.pdf', 'pdf', LARGE_PDF + 1)

  it('is a job, whose result is taken when it has ended', async () => {
    let answer: (response: Response) => void = () => undefined
    serve({
      ...job(),
      [`GET v1/jobs/${JOB}/documents/1/result`]: () => new Promise((done) => (answer = done)),
    })
    const entry = large()
    start(entry)
    await eventually(() => expect(entry.document?.text).toBe('page 1\fpage 2'))
    answer(json(documentOf('whole')))
    expect(entry.progress).toEqual({ done: 2, total: 2 })
    await ended(entry)
    expect(entry).toMatchObject({ state: 'done', jobId: JOB, sha256: 'ab', problem: null })
    expect(entry.document?.text).toBe('whole')
    expect(paths()).not.toContain('POST v1/ocr')
  })

  it('is ordered once, however often it must be sent', async () => {
    let attempts = 0
    serve({
      ...job(),
      'POST v1/jobs': () => (attempts++ ? json({ id: JOB }, 202) : problem(503, 'STORAGE_UNAVAILABLE', true)),
    })
    const entry = large()
    start(entry)
    await eventually(() => expect(entry.state).toBe('done'))
    const keys = calls
      .filter(({ path }) => path === 'v1/jobs')
      .map(({ headers }) => headers.get('Idempotency-Key'))
    expect(keys).toEqual([entry.orderKey, entry.orderKey])
  })

  it('goes on with the job that it has', async () => {
    serve(job())
    const entry = large()
    Object.assign(entry, { jobId: JOB, orderKey: 'k' })
    start(entry)
    await ended(entry)
    expect(paths()).not.toContain('POST v1/jobs')
    expect(entry.state).toBe('done')
  })

  it('that was read in part says so', async () => {
    serve(job('partial', 'TIMEOUT'))
    const entry = large()
    start(entry)
    await ended(entry)
    expect(entry).toMatchObject({ state: 'done', problem: { code: 'TIMEOUT' } })
  })

  it('that failed says why', async () => {
    serve(job('failed', 'ALL'))
    const entry = large()
    start(entry)
    await ended(entry)
    expect(entry).toMatchObject({ state: 'failed', problem: { code: 'CORRUPT_DOCUMENT' } })
  })

  it('is cancelled on the server as well', async () => {
    serve({ ...job(), [`GET v1/jobs/${JOB}/events`]: () => new Response(new ReadableStream()) })
    const entry = large()
    start(entry)
    await eventually(() => expect(paths()).toContain(`GET v1/jobs/${JOB}/events`))
    cancel(entry)
    expect(entry.state).toBe('cancelled')
    expect(paths()).toContain(`POST v1/jobs/${JOB}/cancel`)
  })

  it('is read at once with a key that may not order', async () => {
    serve({ 'POST v1/jobs': () => problem(403, 'FORBIDDEN'), 'POST v1/ocr': () => json(documentOf('fine')) })
    const entry = large()
    start(entry)
    await ended(entry)
    expect(entry).toMatchObject({ state: 'done', jobId: null, orderKey: null })
  })
})

describe('a document that takes too long', () => {
  it('becomes a job', async () => {
    serve({ ...job(), 'POST v1/ocr': () => problem(504, 'TIMEOUT', true) })
    const entry = given('small.pdf', 'pdf')
    start(entry)
    await ended(entry)
    expect(entry).toMatchObject({ state: 'done', jobId: JOB })
  })
})
