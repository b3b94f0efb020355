import { describe, expect, it } from 'vitest'
import { Slots } from './slots'

const settled = (): Promise<void> => new Promise((done) => setTimeout(done))

describe('Slots', () => {
  it('lets so many run, the others in their order', async () => {
    const slots = new Slots(2)
    const begun: number[] = []
    const ends: (() => void)[] = []
    const signal = new AbortController().signal
    const task = (name: number) => () => {
      begun.push(name)
      return new Promise<void>((done) => ends.push(done))
    }
    const all = [1, 2, 3, 4].map((name) => slots.run(task(name), signal))
    await settled()
    expect(begun).toEqual([1, 2])
    ends[1]?.()
    await settled()
    expect(begun).toEqual([1, 2, 3])
    for (const end of ends) end()
    await settled()
    ends[3]?.()
    await Promise.all(all)
    expect(begun).toEqual([1, 2, 3, 4])
  })

  it('gives back the place of a task that fails, and forgets one that was cancelled while it waited', async () => {
    const slots = new Slots(1)
    const signal = new AbortController().signal
    const controller = new AbortController()
    const failing = slots.run(() => Promise.reject(new Error('no')), signal)
    const waiting = slots.run(() => Promise.resolve('never'), controller.signal)
    const last = slots.run(() => Promise.resolve('last'), signal)
    controller.abort(new Error('cancelled'))
    await expect(failing).rejects.toThrow('no')
    await expect(waiting).rejects.toThrow('cancelled')
    expect(await last).toBe('last')
  })
})
