/** Text that is selected with the mouse on the image: by where words lie, so that the space between them never misleads it. */
import type { Point } from './geometry'
import { distanceTo, offsetAt, type Measure, type Piece } from './placing'

/** A word and the element that shows it. */
export interface Shown {
  readonly piece: Piece
  readonly element: HTMLElement
}

/** Before a character of a word. */
interface Place {
  readonly index: number
  readonly offset: number
}

/** How far beside a word a drag may begin and still mean it, in pixels of the screen. */
const REACH = 14

export class Selecting {
  #anchor: Place | null = null

  constructor(
    private readonly words: readonly Shown[],
    private readonly measure: Measure,
  ) {}

  /** Whether a drag that begins here selects text; `clicks`: 2 selects the word, 3 its line. */
  begin(point: Point, zoom: number, clicks: number, extend: boolean): boolean {
    const place = this.#at(point)
    if (!place) return false
    const shown = this.words[place.index] as Shown
    if (distanceTo(shown.piece, point) * zoom > REACH) return false
    if (clicks === 2) this.#show({ ...place, offset: 0 }, { ...place, offset: shown.piece.text.length })
    else if (clicks > 2) this.#line(shown)
    else if (extend && this.#anchor) this.#show(this.#anchor, place)
    else {
      getSelection()?.removeAllRanges()
      this.#anchor = place
    }
    return true
  }

  extend(point: Point): void {
    const place = this.#at(point)
    if (place && this.#anchor) this.#show(this.#anchor, place)
  }

  all(): void {
    const last = this.words.length - 1
    const text = this.words[last]?.piece.text ?? ''
    if (last >= 0) this.#show({ index: 0, offset: 0 }, { index: last, offset: text.length })
  }

  #line(shown: Shown): void {
    const line = shown.element.parentElement
    const inside = [...this.words.entries()].filter(([, other]) => other.element.parentElement === line)
    const [first, last] = [inside[0], inside[inside.length - 1]]
    if (first && last) {
      this.#show({ index: first[0], offset: 0 }, { index: last[0], offset: last[1].piece.text.length })
    }
  }

  #at(point: Point): Place | null {
    let nearest = -1
    let least = Infinity
    this.words.forEach(({ piece }, index) => {
      const distance = distanceTo(piece, point)
      if (distance < least) [least, nearest] = [distance, index]
    })
    const found = this.words[nearest]
    return found ? { index: nearest, offset: offsetAt(found.piece, point, this.measure) } : null
  }

  #show(from: Place, to: Place): void {
    const [one, other] = [
      this.words[from.index]?.element.firstChild,
      this.words[to.index]?.element.firstChild,
    ]
    if (one && other) getSelection()?.setBaseAndExtent(one, from.offset, other, to.offset)
  }
}

/** The selected text within the layer, a line each, in reading order; null where nothing of it is selected. */
export function selectedText(layer: HTMLElement, selection: Selection | null): string | null {
  if (!selection || selection.rangeCount === 0 || selection.isCollapsed) return null
  const range = selection.getRangeAt(0)
  if (!range.intersectsNode(layer)) return null
  const lines: string[] = []
  for (const line of layer.children) {
    if (!range.intersectsNode(line)) continue
    const text = [...line.children].map((word) => within(range, word.firstChild as Text | null)).join('')
    if (text !== '') lines.push(text.trimEnd())
  }
  return lines.length > 0 ? lines.join('\n') : null
}

function within(range: Range, text: Text | null): string {
  if (!text || !range.intersectsNode(text)) return ''
  const start = range.startContainer === text ? range.startOffset : 0
  const end = range.endContainer === text ? range.endOffset : text.data.length
  return text.data.slice(start, end)
}
