/** What is done with each entry, and its end. */
import { ApiError, own } from '../api/client'
import type { Entry, Problem } from '../documents/types'
import { read } from './reading'
import { Slots } from './slots'

const reads = new Slots(2)
const running = new Map<string, AbortController>()

/** Reads an entry, or reads it again; one that is at work goes on. */
export function start(entry: Entry): void {
  if (running.has(entry.id)) return
  const controller = new AbortController()
  running.set(entry.id, controller)
  entry.state = 'waiting'
  entry.problem = null
  entry.progress = null
  void run(entry, controller.signal).finally(() => {
    if (running.get(entry.id) === controller) running.delete(entry.id)
  })
}

async function run(entry: Entry, signal: AbortSignal): Promise<void> {
  try {
    await reads.run(() => read(entry, signal), signal)
    entry.state = 'done'
  } catch (error) {
    if (signal.aborted) entry.state = 'cancelled'
    else {
      entry.problem = problemOf(error)
      entry.state = 'failed'
    }
  }
}

export function cancel(entry: Entry): void {
  running.get(entry.id)?.abort()
  running.delete(entry.id)
}

function problemOf(error: unknown): Problem {
  return error instanceof ApiError ? error.problem : own('BROKEN_PAGE', String(error))
}
