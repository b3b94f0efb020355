/** Things that are dear to make and dear to keep: each made once, the least used given up when all of them cost too much. */

interface Item<T> {
  readonly value: Promise<T>
  readonly stop: AbortController
  users: number
  /** 0 until it is made. */
  cost: number
}

export class Pool<T> {
  readonly #items = new Map<string, Item<T>>()

  constructor(
    private readonly limit: number,
    private readonly cost: (value: T) => number,
    private readonly close: (value: T) => void,
  ) {}

  /**
   * What `work` makes of the value of a key, which is made first where it is not there. It is not given up while somebody works
   * with it; where all who wait for it have gone (`signal`), its making is stopped.
   */
  async use<R>(
    key: string,
    make: (signal: AbortSignal) => Promise<T>,
    work: (value: T) => R | Promise<R>,
    signal?: AbortSignal,
  ): Promise<R> {
    signal?.throwIfAborted()
    const item = this.#items.get(key) ?? this.#made(make)
    this.#items.delete(key)
    this.#items.set(key, item) // the last one used stands last
    item.users += 1
    const leave = once(() => {
      item.users -= 1
      if (item.users === 0 && item.cost === 0) {
        item.stop.abort()
        item.value.then(this.close, () => undefined) // made all the same
        if (this.#items.get(key) === item) this.#items.delete(key)
      }
      this.#trim()
    })
    try {
      const value = await unlessAborted(item.value, signal)
      if (item.cost === 0) item.cost = this.cost(value)
      return await work(value)
    } catch (error) {
      if (item.cost === 0 && this.#items.get(key) === item && !signal?.aborted) this.#items.delete(key)
      throw error
    } finally {
      leave()
    }
  }

  /** Gives up all that begin with `prefix` and nobody works with. */
  drop(prefix: string): void {
    for (const [key, item] of this.#items)
      if (key.startsWith(prefix) && item.users === 0) this.#give(key, item)
  }

  #made(make: (signal: AbortSignal) => Promise<T>): Item<T> {
    const stop = new AbortController()
    return { value: make(stop.signal), stop, users: 0, cost: 0 }
  }

  #trim(): void {
    let all = 0
    for (const item of this.#items.values()) all += item.cost
    for (const [key, item] of this.#items) {
      if (all <= this.limit) return
      if (item.users > 0) continue
      all -= item.cost
      this.#give(key, item)
    }
  }

  #give(key: string, item: Item<T>): void {
    this.#items.delete(key)
    void item.value.then(this.close)
  }
}

function once(run: () => void): () => void {
  let done = false
  return () => {
    if (!done) run()
    done = true
  }
}

function unlessAborted<T>(value: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return value
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason as Error)
    signal.addEventListener('abort', stop, { once: true })
    value.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
  })
}
