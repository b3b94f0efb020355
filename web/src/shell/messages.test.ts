import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { dismiss, messages, say } from './messages'

const texts = (): string[] => messages.value.map((message) => message.text)

describe('say', () => {
  beforeEach(() => {
    vi.useFakeTimers()
    messages.value = []
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('shows a notice for a moment, a bad one longer', () => {
    say('Copied')
    say('The server is gone', 'bad')
    vi.advanceTimersByTime(5_000)
    expect(texts()).toEqual(['The server is gone'])
    vi.advanceTimersByTime(7_000)
    expect(texts()).toEqual([])
  })

  it('shows the same text once, and three at most', () => {
    for (const text of ['one', 'two', 'one', 'three', 'four']) say(text)
    expect(texts()).toEqual(['one', 'three', 'four'])
  })

  it('takes one away when told to', () => {
    say('one')
    say('two')
    dismiss(messages.value[0]?.id ?? 0)
    expect(texts()).toEqual(['two'])
  })
})
