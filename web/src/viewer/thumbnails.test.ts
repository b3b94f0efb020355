import { describe, expect, it } from 'vitest'
import { Queue } from './thumbnails'

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve))

describe('the queue of thumbnails', () => {
  it('runs a few at a time, the latest wish first', async () => {
    const queue = new Queue(2)
    const begun: number[] = []
    const finish: (() => void)[] = []
    const { signal } = new AbortController()
    const task = (page: number) => () => {
      begun.push(page)
      return new Promise<void>((resolve) => finish.push(resolve))
    }
    for (const page of [1, 2, 3, 4]) void queue.add(task(page), signal)
    expect(begun).toEqual([1, 2])
    finish[0]?.()
    await pause()
    expect(begun).toEqual([1, 2, 4])
  })

  it('never begins what scrolled away', async () => {
    const queue = new Queue(1)
    const begun: string[] = []
    let finish = (): void => undefined
    const first = queue.add(
      () => new Promise<void>((resolve) => (finish = resolve)),
      new AbortController().signal,
    )
    const gone = new AbortController()
    const waiting = queue.add(() => Promise.resolve(begun.push('gone')), gone.signal)
    gone.abort()
    await expect(waiting).rejects.toThrow()
    finish()
    await first
    await pause()
    expect(begun).toEqual([])
  })
})
