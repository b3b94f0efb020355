import { describe, expect, it, vi } from 'vitest'
import { Pool } from './pool'

function pool(limit: number) {
  const closed: string[] = []
  return {
    closed,
    pool: new Pool<string>(
      limit,
      () => 1,
      (value) => void closed.push(value),
    ),
  }
}
const made = (value: string) => () => Promise.resolve(value)
const same = (value: string): string => value

describe('a pool', () => {
  it('makes a thing once, for all who ask at the same time', async () => {
    const make = vi.fn(made('a'))
    const { pool: things } = pool(2)
    expect(await Promise.all([things.use('a', make, same), things.use('a', make, same)])).toEqual(['a', 'a'])
    expect(await things.use('a', make, same)).toBe('a')
    expect(make).toHaveBeenCalledTimes(1)
  })

  it('gives up what was not used for the longest time', async () => {
    const { pool: things, closed } = pool(2)
    for (const key of ['a', 'b', 'a', 'c']) await things.use(key, made(key), same)
    await Promise.resolve()
    expect(closed).toEqual(['b'])
  })

  it('keeps what somebody works with', async () => {
    const { pool: things, closed } = pool(1)
    let finish = (): void => undefined
    const work = things.use('a', made('a'), () => new Promise<void>((resolve) => (finish = resolve)))
    await things.use('b', made('b'), same)
    expect(closed).not.toContain('a')
    finish()
    await work
  })

  it('stops making what nobody waits for any more', async () => {
    const { pool: things } = pool(1)
    let stopped = false
    const make = (signal: AbortSignal): Promise<string> =>
      new Promise((_resolve, reject) =>
        signal.addEventListener('abort', () => {
          stopped = true
          reject(new Error('stopped'))
        }),
      )
    const leaving = new AbortController()
    const waiting = things.use('a', make, same, leaving.signal)
    leaving.abort()
    await expect(waiting).rejects.toThrow()
    expect(stopped).toBe(true)
    expect(await things.use('a', made('again'), same)).toBe('again')
  })

  it('tries again what failed', async () => {
    const { pool: things } = pool(1)
    await expect(things.use('a', () => Promise.reject(new Error('no')), same)).rejects.toThrow('no')
    expect(await things.use('a', made('a'), same)).toBe('a')
  })
})
