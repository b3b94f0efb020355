/** Documents that this browser keeps, as they lie in its IndexedDB. */
import { openDB, type DBSchema, type IDBPDatabase } from 'idb'
import type { Doc, Entry } from '../documents/types'

export const MOST_DOCUMENTS = 200
export const MOST_BYTES = 500 * 2 ** 20

/** All but the file, the text and the password, which is kept nowhere. */
export interface Row {
  readonly id: string
  readonly name: string
  readonly size: number
  readonly addedAt: number
  readonly kind: Entry['kind']
  readonly state: Entry['state']
  readonly jobId: string | null
  readonly orderKey: string | null
  readonly preview: boolean
  readonly problem: Entry['problem']
  readonly requestId: string | null
  readonly sha256: string | null
  readonly edits: Entry['edits']
  readonly checked: Entry['checked']
  /** The tab that has it open. */
  readonly tab: string
  /** When it was last written; the oldest go first. */
  readonly usedAt: number
  /** About as many as it takes. */
  readonly bytes: number
  /** How often it was begun again after a reload. */
  readonly restarts: number
}

interface Schema extends DBSchema {
  rows: { key: string; value: Row; indexes: { usedAt: number } }
  files: { key: string; value: Blob }
  documents: { key: string; value: Doc }
}

export type Database = IDBPDatabase<Schema>

export async function opened(name = 'shizi'): Promise<Database> {
  return openDB<Schema>(name, 1, {
    upgrade(database) {
      database.createObjectStore('rows', { keyPath: 'id' }).createIndex('usedAt', 'usedAt')
      database.createObjectStore('files')
      database.createObjectStore('documents')
    },
    blocking(_current, _blocked, event) {
      ;(event.target as IDBDatabase).close() // a newer page wants to change it
    },
  })
}

/** Latest first. */
export async function allRows(database: Database): Promise<Row[]> {
  return (await database.getAllFromIndex('rows', 'usedAt')).reverse()
}

export interface Kept {
  readonly row: Row
  readonly file: Blob | null
  readonly document: Doc | null
}

export async function load(database: Database, id: string): Promise<Kept | null> {
  const step = database.transaction(['rows', 'files', 'documents'])
  const [row, file, document] = await Promise.all([
    step.objectStore('rows').get(id),
    step.objectStore('files').get(id),
    step.objectStore('documents').get(id),
  ])
  return row ? { row, file: file ?? null, document: document ?? null } : null
}

/** What of an entry is to be written; undefined leaves what is there. */
export interface Change {
  readonly row: Row
  readonly file?: Blob | undefined
  readonly document?: Doc | undefined
}

/** `first`: it may be new. Otherwise one that was deleted meanwhile, by another tab, stays so: the answer is false. */
export async function write(database: Database, change: Change, first: boolean): Promise<boolean> {
  const step = database.transaction(['rows', 'files', 'documents'], 'readwrite')
  const { id } = change.row
  const there = (await step.objectStore('rows').getKey(id)) !== undefined
  if (there || first) {
    await step.objectStore('rows').put(change.row)
    if (change.file) await step.objectStore('files').put(change.file, id)
    if (change.document) await step.objectStore('documents').put(change.document, id)
  }
  await step.done
  return there || first
}

export async function erase(database: Database, ids: readonly string[]): Promise<void> {
  const step = database.transaction(['rows', 'files', 'documents'], 'readwrite')
  for (const id of ids) {
    for (const store of ['rows', 'files', 'documents'] as const) await step.objectStore(store).delete(id)
  }
  await step.done
}

/** The rows that must go so that the others stay within the bounds: the oldest that are not `open`. `rows`: latest first. */
export function surplus(
  rows: readonly Row[],
  open: ReadonlySet<string>,
  mostDocuments = MOST_DOCUMENTS,
  mostBytes = MOST_BYTES,
): string[] {
  let count = rows.length
  let bytes = rows.reduce((sum, row) => sum + row.bytes, 0)
  const gone: string[] = []
  for (const row of [...rows].reverse()) {
    if (count <= mostDocuments && bytes <= mostBytes) break
    if (open.has(row.id)) continue
    gone.push(row.id)
    count--
    bytes -= row.bytes
  }
  return gone
}

/** Bytes of a document in the browser's own form, near enough for a bound. */
export function documentBytes(document: Doc | null): number {
  if (!document) return 0
  let bytes = 500
  for (const page of document.pages) {
    bytes += 500 + 2 * page.text.length
    for (const line of page.lines) {
      bytes += 300 + 2 * line.text.length
      for (const word of line.words) bytes += 200 + 2 * word.text.length
    }
  }
  return bytes
}
