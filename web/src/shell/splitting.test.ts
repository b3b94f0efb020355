import { describe, expect, it } from 'vitest'
import { byKey, nextStop, within } from './splitting'

const span = { least: 20, most: 75, step: 2, stops: [30, 42, 60] }
const key = (name: string, shiftKey = false) => ({ key: name, shiftKey })

describe('a splitter', () => {
  it('keeps sizes within their bounds', () => {
    expect(within(10, span)).toBe(20)
    expect(within(90, span)).toBe(75)
    expect(within(33, span)).toBe(33)
  })

  it('moves with the arrow, whichever side the pane is on', () => {
    expect(byKey(key('ArrowRight'), 42, span, 1)).toBe(44)
    expect(byKey(key('ArrowRight'), 42, span, -1)).toBe(40)
    expect(byKey(key('ArrowLeft', true), 42, span, 1)).toBe(34)
    expect(byKey(key('ArrowLeft', true), 74, span, -1)).toBe(75)
  })

  it('knows the ends, and leaves other keys to others', () => {
    expect(byKey(key('Home'), 42, span, 1)).toBe(20)
    expect(byKey(key('Home'), 42, span, -1)).toBe(75)
    expect(byKey(key('End'), 42, span, 1)).toBe(75)
    expect(byKey(key('a'), 42, span, 1)).toBeNull()
  })

  it('goes from stop to stop without dragging', () => {
    expect(nextStop(20, span)).toBe(30)
    expect(nextStop(30, span)).toBe(42)
    expect(nextStop(42, span)).toBe(60)
    expect(nextStop(70, span)).toBe(30)
  })
})
