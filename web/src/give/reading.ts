/** One file read at once: a reduced picture first, then the whole. */
import { ApiError, call, own } from '../api/client'
import { passes, retried } from '../api/retry'
import type { Doc, Entry } from '../documents/types'
import { replace } from './place'
import { reduced } from './reduce'
import { scaled } from './scale'

const PREVIEW_MS = 30_000
/** For the upload, the server's queue and the reading; the server itself gives up earlier. */
const ANSWER_MS = 300_000

/** Throws `ApiError`, or the signal's reason. */
export async function read(entry: Entry, signal: AbortSignal): Promise<void> {
  const file = entry.file
  if (!file)
    throw new ApiError({ ...own('PICTURE_GONE', 'the browser keeps this file no more'), retryable: false })
  entry.state = 'reading'
  void noteDigest(entry, file)
  if (entry.kind === 'image') await preview(entry, file, signal)
  replace(entry, await retried(() => sent(entry, 'v1/ocr', file, ANSWER_MS, signal), signal))
}

/** What goes wrong here goes wrong again, and is said, when the whole file is read. */
async function preview(entry: Entry, file: Blob, signal: AbortSignal): Promise<void> {
  const small = await reduced(file)
  signal.throwIfAborted()
  if (!small) return
  try {
    const document = await sent(entry, 'v1/preview', small.blob, PREVIEW_MS, signal)
    replace(entry, scaled(document, small.width, small.height), true)
  } catch (error) {
    if (!(error instanceof ApiError) || error.problem.status === 401) throw error
  }
}

async function sent(entry: Entry, path: string, file: Blob, ms: number, signal: AbortSignal): Promise<Doc> {
  const body = new FormData()
  if (entry.password !== null) body.append('password', entry.password)
  body.append('file', file, 'file')
  const id = requestId()
  entry.requestId = id
  const answer = await within(ms, signal, (both) =>
    call(path, {
      method: 'POST',
      body,
      headers: { Accept: 'application/json', 'X-Request-ID': id },
      signal: both,
    }).then(async (response) => (await response.json()) as Doc),
  )
  return answer
}

/** The same, with an end: a call that takes longer is a problem that no repetition helps. */
export async function within<T>(
  ms: number,
  signal: AbortSignal,
  task: (both: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = AbortSignal.timeout(ms)
  try {
    return await task(AbortSignal.any([signal, late]))
  } catch (error) {
    if (signal.aborted) throw signal.reason
    if (late.aborted)
      throw new ApiError({ ...own('TIMEOUT', `no answer within ${ms / 1_000} s`), retryable: false })
    throw error
  }
}

/** As the server takes over; 16 hexadecimal digits. */
export function requestId(): string {
  return hex(crypto.getRandomValues(new Uint8Array(8)))
}

/** Browsers have no digests on pages without TLS, other than this machine's own: there it stays null. */
export async function noteDigest(entry: Entry, file: Blob): Promise<void> {
  const subtle = (globalThis.crypto as Partial<Crypto>).subtle
  if (!subtle || entry.sha256 !== null) return
  try {
    entry.sha256 = hex(new Uint8Array(await subtle.digest('SHA-256', await file.arrayBuffer())))
  } catch {
    // a file that changed or went away since it was given: reading says so
  }
}

export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** Whether the same file may be read as a job: a page has 120 s there, and a document ten thousand pages. */
export function mayBeJob(error: unknown, entry: Entry): boolean {
  if (!(error instanceof ApiError) || passes(error.problem)) return false
  const { code, status } = error.problem
  return status === 504 || (code === 'IMAGE_TOO_LARGE' && entry.kind !== 'image')
}
