/** Files that are read in the background: ordered, followed while they are read, and taken over when they are done. */
import { ApiError, call, own } from '../api/client'
import { events } from '../api/events'
import { passes, pause, retried } from '../api/retry'
import type { components } from '../api/schema'
import type { Doc, Entry, Page } from '../documents/types'
import { replace } from './place'
import { hex, within } from './reading'
import { keepNow } from './recent'

type Schemas = components['schemas']
type Detail = Schemas['JobDetailBody']
type Order = Schemas['JobBody']

const UPLOAD_MS = 600_000
const ANSWER_MS = 60_000
/** Pages of one answer; the server gives no more. */
const PAGES = 50
/** Between two looks while pages arrive. */
const PAUSE_MS = 300
const LONGEST_MS = 30_000

/** Sends the file, once, however often this is called for one `orderKey`. */
export async function order(entry: Entry, signal: AbortSignal): Promise<void> {
  const file = entry.file
  if (!file)
    throw new ApiError({ ...own('PICTURE_GONE', 'the browser keeps this file no more'), retryable: false })
  entry.state = 'job'
  entry.orderKey ??= hex(crypto.getRandomValues(new Uint8Array(16)))
  await keepNow(entry) // before the order is sent: a tab that is loaded anew meanwhile sends it with the same key
  const headers = { 'Idempotency-Key': entry.orderKey }
  const job = await retried(() => {
    const body = new FormData()
    if (entry.password !== null) body.append('password', entry.password)
    body.append('file', file, entry.name)
    return within(UPLOAD_MS, signal, async (both) => {
      const answer = await call('v1/jobs', { method: 'POST', body, headers, signal: both })
      entry.requestId = answer.headers.get('X-Request-ID')
      return (await answer.json()) as Order
    })
  }, signal)
  entry.jobId = job.id
}

/** Until the job has ended and its result is here; pages are shown as they are read. */
export async function follow(entry: Entry, signal: AbortSignal): Promise<'done' | 'cancelled'> {
  entry.state = 'job'
  const watch = new Watch(entry, entry.jobId ?? '', signal)
  for (let failures = 0; ; failures++) {
    try {
      const state = await watch.untilEnd()
      if (state === 'cancelled') return 'cancelled'
      if (state !== null) return await taken(entry, watch, signal)
      failures = 0 // the server ended the stream: it is about to stop, or the last event was seen
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof ApiError) || !passes(error.problem)) throw error
    }
    await pause(Math.min(LONGEST_MS, 1_000 * 2 ** failures), signal)
  }
}

/** A job as far as it was seen; a stream that breaks goes on where it was. */
class Watch {
  detail: Detail | null = null
  private after = 0
  private last = ''
  private readonly pages = new Map<number, Page>()

  constructor(
    private readonly entry: Entry,
    private readonly id: string,
    private readonly signal: AbortSignal,
  ) {}

  /** The state in which the job ended; null where the stream ended before it. */
  async untilEnd(): Promise<Detail['state'] | null> {
    await this.look()
    if (this.ended()) return this.ended()
    for await (const event of events(`v1/jobs/${this.id}/events`, this.last, this.signal)) {
      this.last = event.id
      if (Number(event.id) <= (this.detail?.last_event ?? 0)) continue
      await pause(PAUSE_MS, this.signal)
      await this.look()
    }
    return this.ended()
  }

  private ended(): Detail['state'] | null {
    const state = this.detail?.state
    return state === undefined || state === 'queued' || state === 'running' ? null : state
  }

  private async look(): Promise<void> {
    this.detail = await json<Detail>(`v1/jobs/${this.id}`, this.signal)
    const document = this.detail.documents[0]
    this.entry.progress = { done: this.detail.pages_done, total: document?.pages ?? null }
    this.entry.sha256 ??= document?.sha256 ?? null
    const before = this.pages.size
    for (let more = true; more;) {
      const path = `v1/jobs/${this.id}/pages?limit=${PAGES}&after=${this.after}`
      const answer = await json<Schemas['JobPagesBody']>(path, this.signal)
      for (const { page } of answer.pages) this.pages.set(page.number, page)
      this.after = answer.next
      more = answer.pages.length > 0
    }
    if (this.pages.size > before) replace(this.entry, soFar([...this.pages.values()]))
  }
}

/** The result as a whole, with what only it has: models, timings. */
async function taken(entry: Entry, watch: Watch, signal: AbortSignal): Promise<'done'> {
  const result = `v1/jobs/${entry.jobId ?? ''}/documents/1/result`
  replace(entry, await retried(() => json<Doc>(result, signal, UPLOAD_MS), signal))
  const document = watch.detail?.documents[0]
  if (document?.error) {
    entry.problem = { ...own(document.error, document.detail ?? ''), request_id: entry.requestId ?? '' }
  }
  return 'done'
}

/** Pages that were read, as a document. */
export function soFar(pages: readonly Page[]): Doc {
  const sorted = [...pages].sort((one, other) => one.number - other.number)
  return {
    schema: 'shizi/1',
    text: sorted.map((page) => page.text).join('\f'),
    pages: sorted,
    models: [],
    timings_ms: {},
  }
}

async function json<T>(path: string, signal: AbortSignal, ms = ANSWER_MS): Promise<T> {
  return within(ms, signal, async (both) => {
    const answer = await call(path, { headers: { Accept: 'application/json' }, signal: both })
    return (await answer.json()) as T
  })
}

/** Tells the server to end a job; one that ended already, or is gone, is as good. */
export async function endJob(id: string): Promise<void> {
  await call(`v1/jobs/${id}/cancel`, { method: 'POST' }).catch(ignore)
}

/** Deletes a job and its results from the server, as far as that can be done now; a day later it does so itself. */
export async function deleteJob(id: string): Promise<void> {
  await call(`v1/jobs/${id}`, { method: 'DELETE' }).catch(ignore)
}

function ignore(): void {
  // nobody waits for it
}
