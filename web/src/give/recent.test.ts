import 'fake-indexeddb/auto'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { add, edit, entries, remove, setDocument } from '../documents/store'
import type { Doc, Entry } from '../documents/types'
import { blank } from './blank'
import { eventually } from './fakeServer'
import { beforeReload, entryOf, fetched, flush, forget, keep, keepsNothing, recent, shelve } from './recent'
import { opened, surplus, type Row } from './rows'

const TEXT: Doc = {
  schema: 'shizi/1',
  text: 'one',
  models: [],
  timings_ms: {},
  pages: [
    {
      number: 1,
      width: 10,
      height: 10,
      angle: 0,
      text: 'one',
      lines: [{ text: 'one', score: 1, polygon: [], angle: 0, vertical: false, source: 'ocr', words: [] }],
      tables: [],
      fields: [],
      warnings: [],
    },
  ],
}

async function kept(name: string): Promise<Entry> {
  const entry = add(blank(new File(['picture'], name), 'image'))
  keep(entry)
  await eventually(async () => expect(await fetched(entry.id)).not.toBeNull())
  return entry
}

beforeEach(() => {
  keepsNothing.value = false
})
afterEach(async () => {
  const ids = [...entries.map(({ id }) => id), ...recent.value.map(({ id }) => id)]
  for (const id of ids) remove(id)
  await forget(ids)
})

describe('what is kept', () => {
  it('comes back after a reload with text, changes and marks, and without its password', async () => {
    const entry = await kept('a.png')
    entry.password = 'sesame'
    setDocument(entry, TEXT)
    entry.state = 'done'
    edit(entry, { page: 1, line: 1, text: 'changed' })
    entry.checked = ['1:1']
    await Promise.resolve()
    flush()
    await eventually(async () => expect((await fetched(entry.id))?.row.checked).toEqual(['1:1']))
    const all = await beforeReload()
    expect(all).toHaveLength(1)
    const back = entryOf(all[0] as NonNullable<(typeof all)[0]>)
    expect(back).toMatchObject({
      id: entry.id,
      name: 'a.png',
      state: 'done',
      password: null,
      document: TEXT,
      edits: [{ page: 1, line: 1, text: 'changed' }],
    })
    const file = await (await opened()).get('files', entry.id)
    expect(file).toBeDefined()
    expect(JSON.stringify(await (await opened()).getAll('rows'))).not.toContain('sesame')
  })

  it('is a recent document when it was closed, and no longer of this tab', async () => {
    const entry = await kept('a.png')
    setDocument(entry, TEXT)
    remove(entry.id)
    await shelve(entry)
    expect(recent.value.map(({ name }) => name)).toEqual(['a.png'])
    expect((await fetched(entry.id))?.document).toEqual(TEXT)
    expect(await beforeReload()).toEqual([])
  })

  it('is gone for good when it was deleted, whatever becomes of the entry', async () => {
    const entry = await kept('a.png')
    await (await opened()).delete('rows', entry.id) // by another tab
    entry.state = 'done'
    await Promise.resolve()
    flush()
    await new Promise((done) => setTimeout(done, 50))
    expect(await fetched(entry.id)).toBeNull()
  })

  it('says so where the browser refuses to keep anything', async () => {
    const refused = vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(() => {
      throw new DOMException('no', 'UnknownError')
    })
    const warned = vi.spyOn(console, 'warn').mockReturnValue()
    keep(add(blank(new File(['x'], 'a.png'), 'image')))
    await eventually(() => expect(keepsNothing.value).toBe(true))
    refused.mockRestore()
    warned.mockRestore()
  })

  it('makes room where the browser is full: the oldest goes first', async () => {
    const old = await kept('old.png')
    remove(old.id)
    await shelve(old)
    const put = IDBObjectStore.prototype.put
    const full = vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(function (
      this: IDBObjectStore,
      ...given
    ) {
      if (this.name === 'files' && recent.value.length > 0 && full.mock.calls.length < 4)
        throw new DOMException('full', 'QuotaExceededError')
      return put.apply(this, given)
    })
    const entry = await kept('new.png')
    await eventually(async () => expect(await fetched(old.id)).toBeNull())
    full.mockRestore()
    expect((await fetched(entry.id))?.row.name).toBe('new.png')
    expect(keepsNothing.value).toBe(false)
  })
})

describe('surplus', () => {
  const row = (id: string, bytes: number): Row => ({ ...entryRow, id, bytes })
  const entryRow = { name: 'a', tab: '', usedAt: 0, restarts: 0 } as unknown as Row
  const rows = [row('c', 40), row('b', 40), row('a', 40)]

  it('takes the oldest, until both bounds hold', () => {
    expect(surplus(rows, new Set(), 3, 120)).toEqual([])
    expect(surplus(rows, new Set(), 2, 120)).toEqual(['a'])
    expect(surplus(rows, new Set(), 3, 79)).toEqual(['a', 'b'])
  })

  it('spares what is open', () => {
    expect(surplus(rows, new Set(['a']), 2, 120)).toEqual(['b'])
  })
})
