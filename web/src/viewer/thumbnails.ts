/** Small pictures of pages, a few at a time, the latest wish first; who scrolls on wishes no more. */
import type { Entry } from '../documents/types'
import { turnMatrix, turnedSize, type Turn } from './geometry'
import { pagePixels } from './pixels'

const AT_ONCE = 2

interface Wish {
  readonly run: () => Promise<void>
  readonly signal: AbortSignal
}

export class Queue {
  readonly #wishes: Wish[] = []
  #running = 0

  constructor(private readonly atOnce: number) {}

  /** What a task makes; rejects as soon as the signal says so, and the task never begins if it has not yet. */
  add<T>(task: () => Promise<T>, signal: AbortSignal): Promise<T> {
    return new Promise((resolve, reject) => {
      const run = (): Promise<void> => task().then(resolve, reject)
      const wish = { run, signal }
      this.#wishes.push(wish)
      signal.addEventListener('abort', () => {
        const index = this.#wishes.indexOf(wish)
        if (index >= 0) this.#wishes.splice(index, 1)
        reject(signal.reason as Error)
      })
      this.#next()
    })
  }

  #next(): void {
    if (this.#running >= this.atOnce) return
    const wish = this.#wishes.pop()
    if (!wish) return
    this.#running += 1
    void wish.run().finally(() => {
      this.#running -= 1
      this.#next()
    })
  }
}

const queue = new Queue(AT_ONCE)

/** Draws a page upright into a canvas, at most `side` CSS pixels long. */
export async function drawThumbnail(
  canvas: HTMLCanvasElement,
  entry: Entry,
  page: number,
  turn: Turn,
  side: number,
  signal: AbortSignal,
): Promise<void> {
  const task = () => pagePixels(entry, page, Math.ceil(side * devicePixelRatio), signal)
  const { canvas: source } = await queue.add(task, signal)
  const size = turnedSize(source, turn)
  canvas.width = size.width
  canvas.height = size.height
  const context = canvas.getContext('2d')
  context?.setTransform(...turnMatrix(source, turn))
  context?.drawImage(source, 0, 0)
}
