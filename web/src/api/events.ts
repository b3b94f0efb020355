/** Server-sent events by fetch: EventSource cannot send a key. https://html.spec.whatwg.org/multipage/server-sent-events.html */
import { call } from './client'

export interface ServerEvent {
  readonly id: string
  readonly event: string
  readonly data: string
}

/** A line or an event longer than this is none of ours. */
const LONGEST = 1 << 20

/** Takes the stream piece by piece, however it was cut, and gives the events that are whole. */
export class EventParser {
  private rest = ''
  private id = ''
  private name = ''
  private data: string[] = []

  push(piece: string): ServerEvent[] {
    let text = this.rest + piece
    const held = text.endsWith('\r') // its \n may be in the next piece
    if (held) text = text.slice(0, -1)
    const lines = text.split(/\r\n|\r|\n/)
    this.rest = (lines.pop() ?? '') + (held ? '\r' : '')
    if (this.rest.length > LONGEST) throw new Error('a line of the stream of events is too long')
    return lines.flatMap((line) => this.line(line))
  }

  private line(line: string): ServerEvent[] {
    if (line === '') return this.end()
    const colon = line.indexOf(':')
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (field === 'id' && !value.includes('\0')) this.id = value
    else if (field === 'event') this.name = value
    else if (field === 'data') this.data.push(value)
    return []
  }

  private end(): ServerEvent[] {
    const event = { id: this.id, event: this.name || 'message', data: this.data.join('\n') }
    const said = this.data.length > 0
    this.name = ''
    this.data = []
    return said ? [event] : []
  }
}

/** The events after `last`, until the server ends the stream. One that says nothing for `silence` ms, comments included, is given up. */
export async function* events(
  path: string,
  last: string,
  signal: AbortSignal,
  silence = 45_000,
): AsyncGenerator<ServerEvent, void, void> {
  const quiet = new AbortController()
  const both = AbortSignal.any([signal, quiet.signal])
  const headers = { Accept: 'text/event-stream', ...(last ? { 'Last-Event-ID': last } : {}) }
  const answer = await call(path, { headers, signal: both })
  if (answer.status === 204 || !answer.body) return
  const reader = answer.body.getReader()
  const decoder = new TextDecoder()
  const parser = new EventParser()
  try {
    for (;;) {
      const timer = setTimeout(() => quiet.abort(), silence)
      const { done, value } = await reader.read().finally(() => clearTimeout(timer))
      if (done) return
      yield* parser.push(decoder.decode(value, { stream: true }))
    }
  } catch (error) {
    if (signal.aborted || !quiet.signal.aborted) throw error
  } finally {
    quiet.abort() // whoever stops listening lets go of the connection
  }
}
