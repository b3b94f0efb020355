/** Files that a person gave become entries; entries leave, and come back. */
import { call, own } from '../api/client'
import { add, currentId, currentPage, entries, remove, show } from '../documents/store'
import type { Entry, Problem } from '../documents/types'
import { say } from '../shell/messages'
import { editing } from '../text/editing'
import { blank } from './blank'
import { deleteJob } from './jobs'
import { kindOfFile, type Kind } from './kinds'
import { beforeReload, entryOf, fetched, forget, keep, recent, refresh, release, shelve } from './recent'
import type { Kept, Row } from './rows'
import { cancel, letGo, MANY, start } from './work'
import { t } from './words'

/** More at once are not taken. */
export const MOST_FILES = 1_000
/** What was begun this often, and never came to an end, is not begun again by itself: it may be what ends the browser. */
const MOST_RESTARTS = 3

/**
 * The first one that can be read is shown, unless a line is being edited.
 *
 * `folder`: what else lies in it is left out; a single file that cannot be read is shown with its problem.
 */
export async function give(files: readonly File[], folder = false): Promise<void> {
  if (files.length > MOST_FILES) say(t('tooMany', { count: MOST_FILES }), 'bad')
  const known: { file: File; kind: Kind | null }[] = []
  for (const file of files.slice(0, MOST_FILES)) {
    const kind = await kindOfFile(file).catch(() => undefined)
    known.push({ file, kind: kind === undefined ? 'other' : kind })
  }
  const wanted = folder ? known.filter(({ kind }) => kind !== null) : known
  if (folder && wanted.length === 0) say(t('nothing'), 'bad')
  else if (wanted.length < known.length) say(t('leftOut', { count: known.length - wanted.length }))
  const most = await mostBytes()
  const taken = wanted.map(({ file, kind }) => taking(file, kind, most, wanted.length > MANY))
  const first = taken.find((entry) => entry.state !== 'failed') ?? taken[0]
  if (first && (editing.value === null || taken.some(({ id }) => id === currentId.value))) show(first.id)
}

function taking(file: File, kind: Kind | null, most: number, many: boolean): Entry {
  const problem = refusal(file, kind, most)
  const entry = add(blank(file, kind ?? 'other'))
  if (problem) {
    entry.state = 'failed'
    entry.problem = problem
  }
  keep(entry)
  if (!problem) start(entry, many)
  return entry
}

function refusal(file: File, kind: Kind | null, most: number): Problem | null {
  if (kind === null)
    return final('UNSUPPORTED_FORMAT', 'the first bytes are neither of an image nor of a PDF')
  if (file.size > most) {
    const text = `the file has ${mib(file.size)} MiB, the limit (max_bytes) is ${mib(most)} MiB: split it`
    return final('IMAGE_TOO_LARGE', text)
  }
  return null
}

function final(code: string, detail: string): Problem {
  return { ...own(code, detail), retryable: false }
}

function mib(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1)
}

/** Of one document, as the server says; without its word nothing is refused here, and the server does it. */
async function mostBytes(): Promise<number> {
  try {
    const answer = await call('v1/capabilities', { signal: AbortSignal.timeout(3_000) })
    const { limits } = (await answer.json()) as { limits?: { max_bytes?: number } }
    return limits?.max_bytes ?? Infinity
  } catch {
    return Infinity
  }
}

/** Takes an entry off the list. What was read of it stays among the recent ones; one without any text is gone. */
export async function close(entry: Entry): Promise<void> {
  cancel(entry)
  remove(entry.id)
  if (entry.document) await shelve(entry)
  else await forget([entry.id])
}

/** Opens a recent document, and goes on with what was not finished. */
export async function reopen(id: string): Promise<void> {
  const kept = await fetched(id).catch(() => null)
  if (kept) show(restored(kept).id)
  await refresh()
}

/** Opens what this tab had open before it was reloaded; where only modules were, as in development, it is open still. */
export async function restore(): Promise<void> {
  const all = (await beforeReload()).filter(({ row }) => !entries.some(({ id }) => id === row.id))
  for (const kept of all) restored(kept)
  const [id, page] = (sessionStorage.getItem(SHOWN) ?? '').split(':')
  if (all.some(({ row }) => row.id === id)) show(id ?? null, Number(page) || undefined)
  await refresh()
}

const SHOWN = 'shizi.shown'

/** For the next `restore`. */
export function noteShown(): void {
  if (currentId.value) sessionStorage.setItem(SHOWN, `${currentId.value}:${currentPage.value}`)
  else sessionStorage.removeItem(SHOWN)
}

function restored(kept: Kept): Entry {
  const { row } = kept
  const open = row.state === 'waiting' || row.state === 'reading' || row.state === 'job'
  const stopped = open && row.restarts >= MOST_RESTARTS
  const entry = add(entryOf(kept))
  if (stopped) {
    entry.state = 'cancelled'
    entry.problem = own('INTERRUPTED', t('stopped', { count: row.restarts }))
  }
  keep(entry, open ? { ...kept, row: { ...row, restarts: row.restarts + 1 } } : kept)
  if (open && !stopped) start(entry)
  return entry
}

/** Deletes recent documents for good, here and, where a job of theirs may still be there, on the server. */
export async function discard(rows: readonly Row[]): Promise<void> {
  await forget(rows.map((row) => row.id))
  for (const row of rows) if (row.jobId !== null) await deleteJob(row.jobId)
}

/** Closes everything; with `forgetting`, nothing of it, nor of earlier documents, stays in the browser. */
export async function leave(forgetting: boolean): Promise<void> {
  const open = [...entries]
  for (const entry of open) {
    letGo(entry)
    remove(entry.id)
  }
  if (!forgetting) {
    for (const entry of open) await shelve(entry)
    return
  }
  for (const entry of open) release(entry.id)
  await refresh()
  await forget([...open, ...recent.value].map(({ id }) => id))
}
