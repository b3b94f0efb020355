/** A few at a time, first come, first served. */
export class Slots {
  private free: number
  private readonly waiting: (() => void)[] = []

  constructor(most: number) {
    this.free = most
  }

  /** Rejects with the signal's reason when it is aborted before the task has begun; what has begun ends by itself. */
  async run<T>(task: () => Promise<T>, signal: AbortSignal): Promise<T> {
    await this.turn(signal)
    try {
      return await task()
    } finally {
      const next = this.waiting.shift()
      if (next) next()
      else this.free++
    }
  }

  private async turn(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (this.free > 0) {
      this.free--
      return
    }
    await new Promise<void>((done, fail) => {
      const begin = (): void => {
        signal.removeEventListener('abort', leave)
        done()
      }
      const leave = (): void => {
        this.waiting.splice(this.waiting.indexOf(begin), 1)
        fail(signal.reason as Error)
      }
      this.waiting.push(begin)
      signal.addEventListener('abort', leave, { once: true })
    })
  }
}
