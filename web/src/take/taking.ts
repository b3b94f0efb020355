/** Taking documents: one as a file, several as an archive; what goes wrong with one costs none of the others. */
import { shallowRef, watch } from 'vue'
import { ApiError, own } from '../api/client'
import type { Entry, Problem } from '../documents/types'
import { key } from '../session/session'
import { exported } from './export'
import type { Format } from './formats'
import { namesOf } from './names'
import type { Archive } from './zip'

export interface Failure {
  readonly entry: string
  readonly name: string
  readonly problem: Problem
}

export interface Taking {
  readonly format: Format
  readonly done: number
  readonly total: number
  readonly failures: readonly Failure[]
  readonly running: boolean
}

/** The last one; it stays until the next, or until it is dismissed. */
export const taking = shallowRef<Taking | null>(null)
let controller: AbortController | null = null

/** Saves the documents; how many were. One at a time runs. */
export async function take(entries: readonly Entry[], format: Format): Promise<number> {
  if (taking.value?.running || !entries.length) return 0
  const abort = (controller = new AbortController())
  taking.value = { format, done: 0, total: entries.length, failures: [], running: true }
  const names = namesOf(
    entries.map((entry) => entry.name),
    format.extension,
  )
  try {
    return entries.length === 1
      ? await single(entries[0] as Entry, names[0] as string, format, abort.signal)
      : await several(entries, names, format, abort.signal)
  } catch (error) {
    if (!abort.signal.aborted) throw error
    return 0
  } finally {
    update({ running: false })
    if (!taking.value?.failures.length) taking.value = null
  }
}

export function cancel(): void {
  controller?.abort()
}

// Documents of somebody who signed out are neither saved afterwards nor named in what is said about it.
watch(
  key,
  (now) => {
    if (now) return
    cancel()
    taking.value = null
  },
  { flush: 'sync' },
)

export function dismiss(): void {
  if (!taking.value?.running) taking.value = null
}

async function single(entry: Entry, name: string, format: Format, signal: AbortSignal): Promise<number> {
  const file = await attempt(entry, () => exported(entry, format, signal), signal)
  signal.throwIfAborted()
  if (file) save(file, name)
  return file ? 1 : 0
}

async function several(
  entries: readonly Entry[],
  names: readonly string[],
  format: Format,
  signal: AbortSignal,
): Promise<number> {
  const { Archive, TooLarge } = await import('./zip')
  const archive = new Archive()
  let count = 0
  for (const [index, entry] of entries.entries()) {
    const name = names[index] as string
    const added = await attempt(entry, () => put(archive, entry, name, format, signal), signal, TooLarge)
    if (added) count++
    update({ done: index + 1 })
  }
  if (count) save(archive.blob(), `shizi-${format.name}-${today()}.zip`)
  return count
}

async function put(
  archive: Archive,
  entry: Entry,
  name: string,
  format: Format,
  signal: AbortSignal,
): Promise<true> {
  const file = await exported(entry, format, signal)
  signal.throwIfAborted()
  await archive.add(name, file, format.packed)
  return true
}

/** null where it failed, which is noted. */
async function attempt<R>(
  entry: Entry,
  work: () => Promise<R>,
  signal: AbortSignal,
  TooLarge?: new () => Error,
): Promise<R | null> {
  signal.throwIfAborted()
  try {
    return await work()
  } catch (error) {
    if (signal.aborted) throw error
    const tooLarge = TooLarge && error instanceof TooLarge
    if (!(error instanceof ApiError) && !tooLarge) throw error
    const problem = error instanceof ApiError ? error.problem : own('ARCHIVE_TOO_LARGE', entry.name)
    update({ failures: [...(taking.value?.failures ?? []), { entry: entry.id, name: entry.name, problem }] })
    return null
  }
}

function update(part: Partial<Taking>): void {
  if (taking.value) taking.value = { ...taking.value, ...part }
}

function save(file: Blob, name: string): void {
  const address = URL.createObjectURL(file)
  const link = document.createElement('a')
  link.href = address
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(address), 60_000)
}

function today(): string {
  const now = new Date()
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`
}
