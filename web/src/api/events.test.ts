import { afterEach, describe, expect, it, vi } from 'vitest'
import { EventParser, events, type ServerEvent } from './events'

const STREAM =
  'retry: 1000\n\nid: 1\nevent: queued\ndata: {}\n\n: silence\n\nid: 2\r\nevent: page\r\ndata: {"page":\r\ndata: 1}\r\n\r\nid: 3\revent: finished\rdata:{}\r\r'
const WHOLE: ServerEvent[] = [
  { id: '1', event: 'queued', data: '{}' },
  { id: '2', event: 'page', data: '{"page":\n1}' },
  { id: '3', event: 'finished', data: '{}' },
]

function streamed(pieces: readonly Uint8Array[], ends = true): Response {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const piece of pieces) controller.enqueue(piece)
      if (ends) controller.close()
    },
  })
  return new Response(body, { headers: { 'Content-Type': 'text/event-stream' } })
}

async function all(stream: AsyncIterable<ServerEvent>): Promise<ServerEvent[]> {
  const found: ServerEvent[] = []
  for await (const event of stream) found.push(event)
  return found
}

afterEach(() => vi.unstubAllGlobals())

describe('EventParser', () => {
  it('finds the same events however the stream is cut', () => {
    for (let size = 1; size <= STREAM.length; size++) {
      const parser = new EventParser()
      const found: ServerEvent[] = []
      for (let at = 0; at < STREAM.length; at += size) found.push(...parser.push(STREAM.slice(at, at + size)))
      // the last \r may be the first half of a line's end: what follows tells
      found.push(...parser.push(':\n'))
      expect(found, `pieces of ${size}`).toEqual(WHOLE)
    }
  })

  it('says nothing of an event that is not whole, or has no data', () => {
    const parser = new EventParser()
    expect(parser.push('event: page\n\nid: 7\ndata: 1\n')).toEqual([])
    expect(parser.push('\n')).toEqual([{ id: '7', event: 'message', data: '1' }])
  })

  it('takes no line without an end', () => {
    const parser = new EventParser()
    expect(() => parser.push('x'.repeat((1 << 20) + 1))).toThrow('too long')
  })
})

describe('events', () => {
  it('reads characters that two pieces share, and says which event it saw last', async () => {
    const bytes = new TextEncoder().encode('id: 9\ndata: 识字\n\n')
    const asked = vi.fn(async (..._: unknown[]) => streamed([bytes.slice(0, 14), bytes.slice(14)]))
    vi.stubGlobal('fetch', asked)
    const found = await all(events('v1/jobs/x/events', '8', new AbortController().signal))
    expect(found).toEqual([{ id: '9', event: 'message', data: '识字' }])
    expect(((asked.mock.calls[0] as [URL, RequestInit])[1].headers as Headers).get('Last-Event-ID')).toBe('8')
  })

  it('ends at once where nothing follows', async () => {
    vi.stubGlobal('fetch', async () => new Response(null, { status: 204 }))
    expect(await all(events('v1/jobs/x/events', '8', new AbortController().signal))).toEqual([])
  })

  it('gives up a stream that is silent, and ends quietly, so that its reader asks again', async () => {
    vi.stubGlobal('fetch', async (_: URL, init: RequestInit) => {
      const body = new ReadableStream({
        start(controller) {
          init.signal?.addEventListener('abort', () =>
            controller.error(new DOMException('gone', 'AbortError')),
          )
        },
      })
      return new Response(body)
    })
    expect(await all(events('v1/jobs/x/events', '', new AbortController().signal, 20))).toEqual([])
  })
})
