import 'fake-indexeddb/auto'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { currentId, entries, remove, show } from '../documents/store'
import { messages } from '../shell/messages'
import { editing } from '../text/editing'
import { documentOf, eventually, JOB, json, paths, problem, serve } from './fakeServer'
import { close, give, leave, reopen, restore } from './give'
import { beforeReload, fetched, forget, recent, refresh } from './recent'
import { opened } from './rows'
import { cancel, LARGE_PDF, letGo } from './work'

const PNG = '\x89PNG\r\n\x1a\n'

function file(name: string, text = PNG): File {
  return new File([Uint8Array.from(text, (letter) => letter.charCodeAt(0))], name)
}

const limits = { 'GET v1/capabilities': () => json({ limits: { max_bytes: 100 } }) }
const reading = { ...limits, 'POST v1/ocr': () => json(documentOf('fine')) }
const states = (): string[] => entries.map(({ state }) => state)
const names = (): string[] => entries.map(({ name }) => name)

/** Nothing is cancelled, nothing is written any more. */
function reload(): void {
  for (const entry of entries.splice(0)) letGo(entry)
}

beforeEach(() => {
  messages.value = []
  editing.value = null
  show(null)
})
afterEach(async () => {
  for (const entry of entries) cancel(entry)
  await refresh()
  const ids = [...entries, ...recent.value].map(({ id }) => id)
  for (const id of ids) remove(id)
  await forget(ids)
  vi.unstubAllGlobals()
})

describe('give', () => {
  it('reads what it can and says what is wrong with the rest', async () => {
    serve(reading)
    await give([file('notes.png', 'text'), file('large.png', PNG + 'x'.repeat(100)), file('scan.txt')])
    await eventually(() => expect(states()).toEqual(['failed', 'failed', 'done']))
    expect(entries.map(({ problem }) => problem?.code)).toEqual([
      'UNSUPPORTED_FORMAT',
      'IMAGE_TOO_LARGE',
      undefined,
    ])
    expect(entries.find(({ id }) => id === currentId.value)?.name).toBe('scan.txt')
  })

  it('leaves out what is no document in a folder, and says how many', async () => {
    serve(reading)
    await give([file('a.png'), file('notes.txt', 'text')], true)
    expect(names()).toEqual(['a.png'])
    expect(messages.value[0]?.text).toContain('1')
  })

  it('shows the first of what was given, but not to a person who edits a line', async () => {
    serve(reading)
    await give([file('a.png')])
    await give([file('b.png'), file('c.png')])
    expect(currentId.value).toBe(entries[1]?.id)
    editing.value = '1:1'
    await give([file('d.png')])
    expect(currentId.value).toBe(entries[1]?.id)
  })

  it('is told once by modules that are loaded again', async () => {
    serve(reading)
    await give([file('a.png')])
    await eventually(() => expect(states()).toEqual(['done']))
    await restore()
    expect(names()).toEqual(['a.png'])
  })

  it('orders jobs for more than twenty', async () => {
    serve({ ...limits, 'POST v1/jobs': () => new Promise(() => undefined) })
    await give(Array.from({ length: 21 }, (_, index) => file(`${index}.png`)))
    await eventually(() => expect(paths().filter((path) => path === 'POST v1/jobs')).toHaveLength(2))
    expect(new Set(states())).toEqual(new Set(['job']))
  })
})

describe('what was given', () => {
  it('is among the recent ones when it is closed, and comes back without being read again', async () => {
    serve(reading)
    await give([file('a.png')])
    await eventually(() => expect(states()).toEqual(['done']))
    const entry = entries[0] as (typeof entries)[0]
    await close(entry)
    expect(entries).toHaveLength(0)
    expect(recent.value.map(({ name }) => name)).toEqual(['a.png'])
    serve({})
    await reopen(entry.id)
    expect(entries[0]).toMatchObject({ name: 'a.png', state: 'done', document: { text: 'fine' } })
    expect(recent.value).toEqual([])
  })

  it('is gone when nothing was read of it', async () => {
    serve({ ...limits, 'POST v1/ocr': () => problem(422, 'CORRUPT_DOCUMENT') })
    await give([file('a.png')])
    await eventually(() => expect(states()).toEqual(['failed']))
    const entry = entries[0] as (typeof entries)[0]
    await close(entry)
    expect(await fetched(entry.id)).toBeNull()
  })

  it('is read on after a reload, but not for ever', async () => {
    const never = (): Promise<Response> => new Promise(() => undefined)
    serve({ 'POST v1/jobs': () => json({ id: JOB }), [`GET v1/jobs/${JOB}`]: never })
    await give([file('a.pdf', `%PDF-${' '.repeat(LARGE_PDF)}`)])
    const id = entries[0]?.id ?? ''
    await eventually(async () => expect((await fetched(id))?.row.jobId).toBe(JOB))
    for (const restarts of [1, 2, 3]) {
      reload()
      await restore()
      expect(states()).toEqual(['job'])
      await eventually(async () => expect((await fetched(id))?.row.restarts).toBe(restarts))
    }
    reload()
    await restore()
    expect(entries[0]).toMatchObject({ state: 'cancelled', problem: { code: 'INTERRUPTED' } })
  })

  it('leaves nothing behind when a person signs out and wants it so', async () => {
    serve(reading)
    await give([file('a.png'), file('b.png')])
    await eventually(() => expect(states()).toEqual(['done', 'done']))
    await close(entries[0] as (typeof entries)[0])
    await leave(true)
    expect(entries).toHaveLength(0)
    const database = await opened()
    for (const store of ['rows', 'files', 'documents'] as const) expect(await database.count(store)).toBe(0)
  })

  it('can be kept for the next time', async () => {
    serve(reading)
    await give([file('a.png')])
    await eventually(() => expect(states()).toEqual(['done']))
    await leave(false)
    expect(recent.value.map(({ name }) => name)).toEqual(['a.png'])
    expect(await beforeReload()).toEqual([])
  })
})
