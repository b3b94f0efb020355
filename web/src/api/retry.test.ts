import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ApiError, own } from './client'
import { pause, retried, waitOf } from './retry'

function refusal(status: number, retryAfter: number | null = null, retryable = true): ApiError {
  return new ApiError({ ...own('X', 'x'), status, retryable, retry_after: retryAfter })
}

describe('retried', () => {
  const signal = (): AbortSignal => new AbortController().signal
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('waits as long as the server says', async () => {
    const call = vi.fn().mockRejectedValueOnce(refusal(429, 7)).mockResolvedValue('text')
    const answer = retried(call, signal())
    await vi.advanceTimersByTimeAsync(6_900)
    expect(call).toHaveBeenCalledTimes(1)
    await vi.advanceTimersByTimeAsync(400)
    expect(await answer).toBe('text')
  })

  it('gives up after a few times', async () => {
    const call = vi.fn().mockRejectedValue(refusal(503))
    const answer = expect(retried(call, signal())).rejects.toMatchObject({ problem: { status: 503 } })
    await vi.advanceTimersByTimeAsync(600_000)
    await answer
    expect(call).toHaveBeenCalledTimes(7)
  })

  it.each([400, 401, 413, 422, 504])('does not repeat a %i', async (status) => {
    const call = vi.fn().mockRejectedValue(refusal(status))
    await expect(retried(call, signal())).rejects.toBeInstanceOf(ApiError)
    expect(call).toHaveBeenCalledTimes(1)
  })

  it('does not repeat what the server calls final', async () => {
    const call = vi.fn().mockRejectedValue(refusal(503, null, false))
    await expect(retried(call, signal())).rejects.toBeInstanceOf(ApiError)
    expect(call).toHaveBeenCalledTimes(1)
  })

  it('waits for the net for as long as the machine has none', async () => {
    const online = vi.spyOn(navigator, 'onLine', 'get').mockReturnValue(false)
    const call = vi.fn().mockRejectedValue(refusal(0))
    const answer = retried(call, signal())
    await vi.advanceTimersByTimeAsync(3_600_000)
    expect(call.mock.calls.length).toBeGreaterThan(7)
    call.mockResolvedValue('text')
    dispatchEvent(new Event('online'))
    expect(await answer).toBe('text')
    online.mockRestore()
  })

  it('stops waiting when it is cancelled', async () => {
    const controller = new AbortController()
    const answer = retried(vi.fn().mockRejectedValue(refusal(429, 50)), controller.signal)
    const seen = expect(answer).rejects.toThrow('enough')
    await vi.advanceTimersByTimeAsync(10)
    controller.abort(new Error('enough'))
    await seen
  })
})

describe('waitOf', () => {
  it('doubles, and has an end', () => {
    vi.spyOn(Math, 'random').mockReturnValue(0)
    expect([0, 1, 2, 3].map((attempt) => waitOf(refusal(503), attempt))).toEqual([1_000, 2_000, 4_000, 8_000])
    expect(waitOf(refusal(429, 86_400), 0)).toBe(60_000)
    vi.restoreAllMocks()
  })
})

describe('pause', () => {
  it('does not begin when it is cancelled already', async () => {
    await expect(pause(1, AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough')
  })
})
