import { beforeEach, describe, expect, it } from 'vitest'
import type { Piece } from './placing'
import { selectedText, Selecting, type Shown } from './selecting'

const measure = (text: string): number => 10 * text.length

/** Lines of words, each word on a spot of 10 pixels per character, lines 100 apart. */
function page(lines: string[][]): { layer: HTMLElement; words: Shown[] } {
  const layer = document.createElement('div')
  const words: Shown[] = []
  lines.forEach((line, row) => {
    const block = layer.appendChild(document.createElement('div'))
    let x = 0
    line.forEach((text, index) => {
      const gap = index < line.length - 1 ? ' ' : ''
      const element = block.appendChild(document.createElement('span'))
      element.textContent = text + gap
      const piece: Piece = {
        text,
        gap,
        matrix: [1, 0, 0, 1, x, row * 100],
        spacing: 0,
        length: measure(text),
        vertical: false,
      }
      x += measure(text) + 10
      words.push({ piece, element })
    })
  })
  document.body.replaceChildren(layer)
  return { layer, words }
}

describe('selecting on the image', () => {
  const { layer, words } = page([['Water', 'quality'], ['of', 'the', 'river'], ['序号']])
  const selecting = new Selecting(words, measure)
  const text = (): string | null => selectedText(layer, getSelection())

  beforeEach(() => {
    getSelection()?.removeAllRanges()
    document.body.replaceChildren(layer)
  })

  it('takes what lies between two points, with line breaks, in reading order', () => {
    expect(selecting.begin([61, 10], 1, 1, false)).toBe(true)
    selecting.extend([500, 110])
    expect(text()).toBe('quality\nof the river')
  })

  it('goes backwards as well', () => {
    selecting.begin([49, 110], 1, 1, false)
    selecting.extend([21, 10])
    expect(text()).toBe('ter quality\nof th')
  })

  it('takes a word with two clicks, a line with three, all at once', () => {
    selecting.begin([65, 10], 1, 2, false)
    expect(text()).toBe('quality')
    selecting.begin([65, 110], 1, 3, false)
    expect(text()).toBe('of the river')
    selecting.all()
    expect(text()).toBe('Water quality\nof the river\n序号')
  })

  it('does not begin far from any word', () => {
    expect(selecting.begin([10, 60], 1, 1, false)).toBe(false)
    expect(new Selecting([], measure).begin([0, 0], 1, 1, false)).toBe(false)
  })

  it('says nothing of text elsewhere', () => {
    expect(text()).toBeNull()
  })
})
