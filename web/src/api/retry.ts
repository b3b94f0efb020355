/** A call once more, where the server asked to come again later. */
import type { Problem } from '../documents/types'
import { ApiError } from './client'

/** Attempts after the first one. */
const RETRIES = 6
/** Nobody waits longer than this at a time, whatever the server says. */
const LONGEST_MS = 60_000
const FIRST_MS = 1_000

/** Whether the same call may succeed in a moment. What was read for its whole time (504) is not among these. */
export function passes(problem: Problem): boolean {
  return problem.retryable && [0, 429, 502, 503].includes(problem.status)
}

/** Waits as long as the server says, else longer each time; what `call` throws last is thrown. */
export async function retried<T>(call: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let attempt = 0; ;) {
    try {
      return await call()
    } catch (error) {
      if (!(error instanceof ApiError) || !passes(error.problem) || attempt === RETRIES) throw error
      await pause(waitOf(error, attempt), signal)
      if (navigator.onLine || error.problem.status !== 0) attempt++ // a machine without a net waits for it
    }
  }
}

/** Milliseconds. */
export function waitOf(error: ApiError, attempt: number): number {
  const asked = error.problem.retry_after
  const wait = typeof asked === 'number' ? asked * 1_000 : FIRST_MS * 2 ** attempt
  return Math.min(LONGEST_MS, wait) + Math.random() * 250 // not all at the same moment
}

/** Rejects with the signal's reason as soon as it is aborted; wakes early when the browser is online again. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  await new Promise<void>((done, fail) => {
    const timer = setTimeout(end, ms)
    signal.addEventListener('abort', stop)
    addEventListener('online', end)
    function clear(): void {
      clearTimeout(timer)
      signal.removeEventListener('abort', stop)
      removeEventListener('online', end)
    }
    function end(): void {
      clear()
      done()
    }
    function stop(): void {
      clear()
      fail(signal.reason as Error)
    }
  })
}
