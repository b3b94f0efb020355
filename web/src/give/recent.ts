/** Keeps the documents of this tab in the browser, and offers those of earlier ones. */
import { effectScope, markRaw, shallowRef, toRaw, watch, type EffectScope } from 'vue'
import { entries } from '../documents/store'
import type { Doc, Entry } from '../documents/types'
import { allRows, documentBytes, erase, load, MOST_BYTES, opened, surplus, write } from './rows'
import type { Change, Database, Kept, Row } from './rows'

const SAVE_MS = 400
/** With many documents at once, not after each of them. */
const TIDY_MS = 300

/** Kept documents that are not open in this tab, the latest first. */
export const recent = shallowRef<readonly Row[]>([])
/** The browser keeps nothing, or has no room left: after a reload these documents are gone. */
export const keepsNothing = shallowRef(false)

interface Keeper {
  readonly scope: EffectScope
  readonly restarts: number
  first: boolean
  keepsFile: boolean
  /** Of what was written last. */
  bytes: number
  file: Blob | null
  document: Doc | null
  timer: ReturnType<typeof setTimeout> | undefined
  /** Saves of one entry follow one another. */
  saving: Promise<void>
}

const keepers = new Map<string, Keeper>()
const tab = tabId()
let database: Promise<Database> | null = null
let tidying: ReturnType<typeof setTimeout> | undefined

function db(): Promise<Database> {
  database ??= opened()
  return database
}

/** From now on what becomes of the entry is kept. `kept`: it comes from there. */
export function keep(entry: Entry, kept: Kept | null = null): void {
  const keeper: Keeper = {
    scope: effectScope(true),
    restarts: kept?.row.restarts ?? 0,
    first: kept === null,
    keepsFile: kept === null || kept.file !== null,
    bytes: kept?.row.bytes ?? 0,
    file: kept?.file ?? null,
    document: kept?.document ?? null,
    timer: undefined,
    saving: Promise.resolve(),
  }
  keepers.set(entry.id, keeper)
  keeper.scope.run(() => {
    watch(
      () => [
        entry.state,
        entry.jobId,
        entry.orderKey,
        entry.edits,
        entry.checked,
        entry.document,
        entry.problem,
        entry.sha256,
      ],
      () => {
        keeper.timer ??= setTimeout(() => void save(entry, keeper), SAVE_MS)
      },
    )
  })
  void save(entry, keeper)
}

/** Nothing more of it is written; what is kept stays. */
export function release(id: string): void {
  const keeper = keepers.get(id)
  keeper?.scope.stop()
  clearTimeout(keeper?.timer)
  keepers.delete(id)
}

/** Ends when what the entry is now is kept. */
export async function keepNow(entry: Entry): Promise<void> {
  const keeper = keepers.get(entry.id)
  if (keeper) await save(entry, keeper)
}

/** Writes at once what still waits for its moment; for a page that is about to go. */
export function flush(): void {
  for (const entry of entries) {
    const keeper = keepers.get(entry.id)
    if (keeper?.timer !== undefined) void save(entry, keeper)
  }
}

function save(entry: Entry, keeper: Keeper): Promise<void> {
  clearTimeout(keeper.timer)
  keeper.timer = undefined
  keeper.saving = keeper.saving.then(() => saved(entry, keeper))
  return keeper.saving
}

async function saved(entry: Entry, keeper: Keeper): Promise<void> {
  const raw = toRaw(entry)
  // Pages of a job that runs are asked for again after a reload: writing all of them after each would be slow.
  const document =
    raw.state === 'job' || raw.document === keeper.document ? undefined : (raw.document ?? undefined)
  try {
    if (keeper.first) keeper.keepsFile = openBytes() + raw.size <= MOST_BYTES
    const file = keeper.keepsFile && raw.file !== keeper.file ? (raw.file ?? undefined) : undefined
    const row = rowOf(raw, keeper)
    if (!(await stored(await db(), { row, file, document }, keeper))) return release(entry.id)
    keeper.first = false
    keeper.bytes = row.bytes
    keeper.document = document ?? keeper.document
    keeper.file = file ?? keeper.file
  } catch (error) {
    keepsNothing.value = true
    console.warn('shizi: not kept', error)
  }
  tidying ??= setTimeout(() => void refresh(), TIDY_MS)
}

/** Of what is open in this tab, and so makes no room for others. */
function openBytes(): number {
  let bytes = 0
  for (const keeper of keepers.values()) bytes += keeper.bytes
  return bytes
}

/** Where the browser has less room than the bounds, the oldest make it. */
async function stored(database: Database, change: Change, keeper: Keeper): Promise<boolean> {
  for (let left = change; ;) {
    try {
      return await write(database, left, keeper.first)
    } catch (error) {
      if (!(error instanceof DOMException) || error.name !== 'QuotaExceededError') throw error
      const oldest = (await allRows(database)).findLast((row) => !openIds().has(row.id))
      if (oldest) await erase(database, [oldest.id])
      else if (left.file)
        left = { row: { ...left.row, bytes: left.row.bytes - left.row.size }, document: left.document }
      else throw error
    }
  }
}

function openIds(): Set<string> {
  return new Set(entries.map((entry) => entry.id))
}

function rowOf(entry: Entry, keeper: Keeper): Row {
  return {
    id: entry.id,
    name: entry.name,
    size: entry.size,
    addedAt: entry.addedAt,
    kind: entry.kind,
    state: entry.state,
    jobId: entry.jobId,
    orderKey: entry.orderKey ?? null,
    preview: entry.preview,
    problem: toRaw(entry.problem),
    requestId: entry.requestId,
    sha256: entry.sha256,
    edits: toRaw(entry.edits),
    checked: toRaw(entry.checked),
    tab,
    usedAt: Date.now(),
    bytes: (keeper.keepsFile ? entry.size : 0) + documentBytes(entry.document),
    restarts: entry.state === 'done' ? 0 : keeper.restarts,
  }
}

/** Keeps the bounds, and looks again at what is kept. */
export async function refresh(): Promise<void> {
  clearTimeout(tidying)
  tidying = undefined
  try {
    const database = await db()
    const open = openIds()
    const rows = await allRows(database)
    const gone = new Set(surplus(rows, open))
    if (gone.size > 0) await erase(database, [...gone])
    recent.value = rows.filter(({ id }) => !open.has(id) && !gone.has(id))
  } catch {
    keepsNothing.value = true
  }
}

/** What this tab had open before it was reloaded, in the order in which it was given. */
export async function beforeReload(): Promise<Kept[]> {
  try {
    const rows = (await allRows(await db())).filter((row) => tab !== '' && row.tab === tab)
    rows.sort((one, other) => one.addedAt - other.addedAt)
    const all = await Promise.all(rows.map(async (row) => load(await db(), row.id)))
    return all.filter((kept) => kept !== null)
  } catch {
    keepsNothing.value = true
    return []
  }
}

export async function fetched(id: string): Promise<Kept | null> {
  return load(await db(), id)
}

/** Deletes kept documents for good. */
export async function forget(ids: readonly string[]): Promise<void> {
  await Promise.all(ids.map((id) => keepers.get(id)?.saving))
  for (const id of ids) release(id)
  await erase(await db(), ids).catch(() => undefined)
  await refresh()
}

/** The entry leaves this tab and is kept among the recent ones. */
export async function shelve(entry: Entry): Promise<void> {
  const keeper = keepers.get(entry.id)
  release(entry.id)
  if (!keeper) return
  await save(entry, keeper)
  const kept = await fetched(entry.id).catch(() => null)
  if (kept) await write(await db(), { row: { ...kept.row, tab: '' } }, false)
  await refresh()
}

export function entryOf({ row, file, document }: Kept): Entry {
  return {
    id: row.id,
    name: row.name,
    size: row.size,
    addedAt: row.addedAt,
    kind: row.kind,
    file,
    password: null,
    state: row.state,
    progress: null,
    jobId: row.jobId,
    orderKey: row.orderKey,
    document: document && markRaw(document),
    preview: row.preview,
    problem: row.problem,
    requestId: row.requestId,
    sha256: row.sha256,
    edits: markRaw([...row.edits]),
    checked: row.checked,
  }
}

/** Lives as long as the tab, reloads included. */
function tabId(): string {
  try {
    const kept = sessionStorage.getItem('shizi.tab')
    if (kept) return kept
    const id = String(crypto.getRandomValues(new Uint32Array(1))[0])
    sessionStorage.setItem('shizi.tab', id)
    return id
  } catch {
    return ''
  }
}
