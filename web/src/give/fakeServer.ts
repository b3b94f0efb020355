/** For tests: a server in a few lines, and entries to read by it. */
import { expect, vi } from 'vitest'
import { add } from '../documents/store'
import type { Doc, Entry } from '../documents/types'
import { blank } from './blank'

export interface Call {
  readonly path: string
  readonly method: string
  readonly headers: Headers
  readonly body: FormData | null
  readonly signal: AbortSignal
}
export type Answer = (call: Call) => Response | Promise<Response>

export const JOB = 'job_1'
export const calls: Call[] = []

/** What the server answers to "POST v1/ocr"; an address that is not among these is a fault. */
export function serve(answers: Record<string, Answer>): void {
  calls.length = 0
  vi.stubGlobal('fetch', async (address: URL, init: RequestInit) => {
    const path = address.pathname.slice(1) + address.search
    const method = init.method ?? 'GET'
    const signal = init.signal as AbortSignal
    const call = {
      path,
      method,
      headers: init.headers as Headers,
      body: init.body as FormData | null,
      signal,
    }
    calls.push(call)
    const answer = answers[`${method} ${path.split('?')[0] ?? ''}`]
    if (!answer) throw new Error(`nobody answers ${method} ${path}`)
    const gone = new Promise<never>((_, fail) =>
      signal.addEventListener('abort', () => fail(signal.reason as Error)),
    )
    return Promise.race([answer(call), gone])
  })
}

export function page(number: number): Doc['pages'][number] {
  return {
    number,
    width: 1024,
    height: 512,
    angle: 0,
    text: `page ${number}`,
    lines: [],
    tables: [],
    fields: [],
    warnings: [],
  }
}

export const documentOf = (text: string): Doc => ({
  schema: 'shizi/1',
  text,
  pages: [page(1)],
  models: [],
  timings_ms: {},
})
export const json = (value: unknown, status = 200): Response =>
  new Response(JSON.stringify(value), { status })

export function problem(status: number, code: string, retryable = false): Response {
  return json(
    { type: 'x', title: code, status, detail: code, code, number: 1, request_id: 'r', retryable },
    status,
  )
}

export function given(name: string, kind: Entry['kind'] = 'image', size = 1): Entry {
  return add(blank(new File([new Uint8Array(size)], name), kind))
}

export const paths = (): string[] => calls.map(({ method, path }) => `${method} ${path}`)
/** Waits for as long as a slow machine may take; Vitest's own second is too short for one. */
export const eventually = <T>(holds: () => T | Promise<T>): Promise<T> => vi.waitFor(holds, 20_000)

export const ended = (entry: Entry): Promise<void> =>
  eventually(() => expect(['done', 'failed', 'cancelled']).toContain(entry.state))
