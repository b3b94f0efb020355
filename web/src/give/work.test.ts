import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { entries, remove } from '../documents/store'
import type { Entry } from '../documents/types'
import { key } from '../session/session'
import { calls, documentOf, ended, eventually, given, json, paths, problem, serve } from './fakeServer'
import { asking } from './password'
import { cancel, start } from './work'

vi.mock('./reduce', () => ({
  reduced: async (file: File) =>
    file.name.startsWith('small') ? null : { blob: new Blob(['reduced']), width: 2048, height: 1024 },
}))

beforeEach(() => {
  for (const { id } of [...entries]) remove(id)
})
afterEach(() => {
  for (const entry of entries) cancel(entry)
  key.value = ''
  asking.value = []
  vi.unstubAllGlobals()
})

describe('an image', () => {
  it('shows a preview in pixels of the original, then the whole', async () => {
    let answer: (response: Response) => void = () => undefined
    serve({
      'POST v1/preview': () => json(documentOf('rough')),
      'POST v1/ocr': () => new Promise((done) => (answer = done)),
    })
    const entry = given('scan.png')
    start(entry)
    await eventually(() => expect(entry.document?.text).toBe('rough'))
    expect(entry).toMatchObject({ state: 'reading', preview: true })
    expect(entry.document?.pages[0]).toMatchObject({ width: 2048, height: 1024 })
    await eventually(() => expect(paths()).toEqual(['POST v1/preview', 'POST v1/ocr']))
    answer(json(documentOf('fine')))
    await ended(entry)
    expect(entry).toMatchObject({ state: 'done', preview: false, problem: null })
    expect(entry.document?.text).toBe('fine')
    expect(entry.requestId).toBe(calls[1]?.headers.get('X-Request-ID'))
    await eventually(() => expect(entry.sha256).toMatch(/^[0-9a-f]{64}$/))
  })

  it('that is small is read at once', async () => {
    serve({ 'POST v1/ocr': () => json(documentOf('fine')) })
    const entry = given('small.png')
    start(entry)
    await ended(entry)
    expect(paths()).toEqual(['POST v1/ocr'])
  })

  it('is read although its preview failed', async () => {
    serve({
      'POST v1/preview': () => problem(429, 'OVERLOADED', true),
      'POST v1/ocr': () => json(documentOf('fine')),
    })
    const entry = given('scan.png')
    start(entry)
    await ended(entry)
    expect(entry).toMatchObject({ state: 'done', problem: null })
  })

  it('that took too long says so, where the key may order no job', async () => {
    serve({
      'POST v1/ocr': () => problem(504, 'TIMEOUT', true),
      'POST v1/jobs': () => problem(403, 'FORBIDDEN'),
    })
    const entry = given('small.png')
    start(entry)
    await ended(entry)
    expect(entry).toMatchObject({ state: 'failed', problem: { code: 'TIMEOUT' }, orderKey: null })
  })

  it('says what is wrong with it', async () => {
    serve({ 'POST v1/ocr': () => problem(422, 'CORRUPT_DOCUMENT') })
    const entry = given('small.png')
    start(entry)
    await ended(entry)
    expect(entry).toMatchObject({ state: 'failed', problem: { code: 'CORRUPT_DOCUMENT' } })
  })
})

describe('many', () => {
  it('are read two at a time, and one that is cancelled makes room', async () => {
    const answers: ((response: Response) => void)[] = []
    serve({ 'POST v1/ocr': () => new Promise((done) => answers.push(done)) })
    const all = ['small1', 'small2', 'small3', 'small4'].map((name) => given(name))
    for (const entry of all) start(entry)
    await eventually(() => expect(calls).toHaveLength(2))
    expect(all.map(({ state }) => state)).toEqual(['reading', 'reading', 'waiting', 'waiting'])
    cancel(all[0] as Entry)
    cancel(all[2] as Entry)
    await eventually(() => expect(calls).toHaveLength(3))
    expect(calls[0]?.signal.aborted).toBe(true)
    expect(all.map(({ state }) => state)).toEqual(['cancelled', 'reading', 'cancelled', 'reading'])
    for (const answer of answers) answer(json(documentOf('fine')))
    await eventually(() => expect(all.map(({ state }) => state)[3]).toBe('done'))
    expect(all.map(({ state }) => state)).toEqual(['cancelled', 'done', 'cancelled', 'done'])
  })
})

describe('an encrypted PDF', () => {
  it('asks for its password, and sends it in the form alone', async () => {
    serve({
      'POST v1/ocr': ({ body }) =>
        body?.get('password') === 'sesame' ? json(documentOf('open')) : problem(422, 'ENCRYPTED_DOCUMENT'),
    })
    const entry = given('locked.pdf', 'pdf')
    start(entry)
    await eventually(() => expect(asking.value).toHaveLength(1))
    expect(asking.value[0]?.wrong).toBe(false)
    asking.value[0]?.answer('wrong')
    await eventually(() => expect(asking.value[0]?.wrong).toBe(true))
    asking.value[0]?.answer('sesame')
    await eventually(() => expect(entry.state).toBe('done'))
    expect(paths()).toEqual(['POST v1/ocr', 'POST v1/ocr', 'POST v1/ocr'])
  })

  it('is left alone by whoever does not know it', async () => {
    serve({ 'POST v1/ocr': () => problem(422, 'ENCRYPTED_DOCUMENT') })
    const entry = given('locked.pdf', 'pdf')
    start(entry)
    await eventually(() => expect(asking.value).toHaveLength(1))
    asking.value[0]?.answer(null)
    await eventually(() => expect(asking.value).toHaveLength(0))
    expect(entry).toMatchObject({ state: 'failed', problem: { code: 'ENCRYPTED_DOCUMENT' } })
  })
})

describe('signing in', () => {
  it('tries again what was refused without it', async () => {
    serve({
      'POST v1/ocr': ({ headers }) =>
        headers.get('Authorization') === 'Bearer right'
          ? json(documentOf('fine'))
          : problem(401, 'UNAUTHENTICATED'),
    })
    const entry = given('small.png')
    start(entry)
    await ended(entry)
    expect(entry.problem?.status).toBe(401)
    key.value = 'right'
    await eventually(() => expect(entry.state).toBe('done'))
  })
})
