/** What is done with each entry: read at once or in the background, and how it ends. */
import { watch } from 'vue'
import { ApiError, own } from '../api/client'
import { entries } from '../documents/store'
import type { Entry, Problem } from '../documents/types'
import { key } from '../session/session'
import { deleteJob, endJob, follow, order } from './jobs'
import { askPassword } from './password'
import { mayBeJob, read } from './reading'
import { Slots } from './slots'

/** A PDF with more bytes than this is read in the background. */
export const LARGE_PDF = 4 * 2 ** 20
/** Of more files given at once each is read in the background, where a reload costs nothing. */
export const MANY = 20

/** Browsers open six connections to a server: two for these, two for streams of events, and two are left for the person. */
const uploads = new Slots(2)
const streams = new Slots(2)
const running = new Map<string, AbortController>()

/** Reads an entry, or goes on with it; one that is at work is left alone. */
export function start(entry: Entry, background = false): void {
  if (running.has(entry.id)) return
  const controller = new AbortController()
  running.set(entry.id, controller)
  const asJob = background || Boolean(entry.orderKey) || (entry.kind === 'pdf' && entry.size > LARGE_PDF)
  entry.state = asJob ? 'job' : 'waiting'
  entry.problem = null
  entry.progress = null
  void run(entry, asJob, controller.signal)
    .then((state) => end(entry, controller.signal, state, null))
    .catch((error: unknown) => end(entry, controller.signal, 'failed', problemOf(error)))
    .finally(() => {
      if (running.get(entry.id) === controller) running.delete(entry.id)
    })
}

async function run(entry: Entry, asJob: boolean, signal: AbortSignal): Promise<'done' | 'cancelled'> {
  if (!asJob && (await uploads.run(() => readOrOrder(entry, signal), signal))) return 'done'
  if (asJob && entry.jobId === null && (await uploads.run(() => orderOrRead(entry, signal), signal)))
    return 'done'
  return streams.run(() => follow(entry, signal), signal)
}

/** Whether it was read; what takes too long for that is ordered. */
async function readOrOrder(entry: Entry, signal: AbortSignal): Promise<boolean> {
  try {
    await read(entry, signal)
    return true
  } catch (error) {
    if (!mayBeJob(error, entry)) throw error
    try {
      await order(entry, signal)
    } catch (refusal) {
      entry.orderKey = null
      throw isForbidden(refusal) ? error : refusal
    }
    return false
  }
}

/** Whether it was read, since this key may not order jobs. */
async function orderOrRead(entry: Entry, signal: AbortSignal): Promise<boolean> {
  try {
    await order(entry, signal)
    return false
  } catch (error) {
    if (!isForbidden(error)) throw error
    entry.orderKey = null
    await read(entry, signal)
    return true
  }
}

function end(entry: Entry, signal: AbortSignal, state: Entry['state'], problem: Problem | null): void {
  if (signal.reason === LET_GO) return
  if (signal.aborted) {
    if (entry.state !== 'cancelled') entry.state = 'cancelled'
    return
  }
  if (problem) entry.problem = problem
  entry.state = state
  entry.progress = null
  if (problem?.code === 'ENCRYPTED_DOCUMENT') void unlock(entry)
}

/** Asks for the password of a document, and reads it with that. */
export async function unlock(entry: Entry): Promise<void> {
  const password = await askPassword(entry)
  if (password === null || !entries.some((other) => other.id === entry.id)) return
  entry.password = password
  again(entry)
}

/** From the beginning; a job that was ordered before is given up. */
export function again(entry: Entry): void {
  if (running.has(entry.id)) return
  const background = entry.jobId !== null || Boolean(entry.orderKey)
  if (entry.jobId !== null) void deleteJob(entry.jobId)
  entry.jobId = null
  entry.orderKey = null
  start(entry, background)
}

/** Ends the work on an entry; pages that were read stay. */
export function cancel(entry: Entry): void {
  const controller = running.get(entry.id)
  if (!controller) return
  running.delete(entry.id)
  entry.state = 'cancelled'
  entry.progress = null
  controller.abort()
  if (entry.jobId !== null) void endJob(entry.jobId)
}

const LET_GO = new DOMException('nobody looks at it now', 'AbortError')

/** Stops the work on an entry here, for now: its state stays, and so does its job on the server. */
export function letGo(entry: Entry): void {
  const controller = running.get(entry.id)
  running.delete(entry.id)
  controller?.abort(LET_GO)
}

/** Whoever signed in wants what was refused before. */
watch(key, (now) => {
  if (!now) return
  for (const entry of entries) {
    if (entry.state === 'failed' && entry.problem?.status === 401) {
      if (entry.jobId === null) again(entry)
      else start(entry)
    }
  }
})

function isForbidden(error: unknown): boolean {
  return error instanceof ApiError && error.problem.status === 403
}

function problemOf(error: unknown): Problem {
  return error instanceof ApiError ? error.problem : { ...own('INTERNAL', String(error)), retryable: false }
}
