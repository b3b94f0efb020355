import { describe, expect, it } from 'vitest'
import {
  boundsOf,
  boundsTurned,
  fitZoom,
  regionOf,
  scrollFor,
  stepZoom,
  toPage,
  toTurned,
  turnedSize,
  turnOf,
  withinZoom,
  type Turn,
} from './geometry'

const size = { width: 400, height: 300 }
const turns: Turn[] = [0, 90, 180, 270]

describe('turning', () => {
  it('takes any angle to the nearest quarter', () => {
    expect([0, 90, -90, 360, 450, 89.4, -0.2].map(turnOf)).toEqual([0, 90, 270, 0, 90, 90, 0])
  })

  it('puts the corners where a quarter-turn clockwise puts them', () => {
    expect(toTurned([0, 0], size, 90)).toEqual([300, 0])
    expect(toTurned([400, 0], size, 90)).toEqual([300, 400])
    expect(toTurned([0, 300], size, 270)).toEqual([300, 400])
    expect(toTurned([10, 20], size, 180)).toEqual([390, 280])
  })

  it.each(turns)('is undone by its inverse, and stays on the sheet (%i)', (turn) => {
    const turned = toTurned([123, 45], size, turn)
    expect(toPage(turned, size, turn)).toEqual([123, 45])
    const sheet = turnedSize(size, turn)
    expect(turned[0]).toBeLessThanOrEqual(sheet.width)
    expect(turned[1]).toBeLessThanOrEqual(sheet.height)
  })

  it('bounds a polygon as it is seen', () => {
    const line = [
      [10, 20],
      [110, 20],
      [110, 40],
      [10, 40],
    ] as const
    expect(boundsOf(line)).toEqual({ x: 10, y: 20, width: 100, height: 20 })
    expect(boundsTurned(line, size, 90)).toEqual({ x: 260, y: 10, width: 20, height: 100 })
  })
})

describe('a region', () => {
  it('begins at the top left corner that a reader sees, whichever way it was drawn', () => {
    const drawn = regionOf([50, 60], [10, 20], size, 0)
    expect(drawn).toEqual([
      [10, 20],
      [50, 20],
      [50, 60],
      [10, 60],
    ])
    expect(regionOf([10, 20], [50, 60], size, 90)[0]).toEqual(toPage([10, 20], size, 90))
  })

  it.each(turns)('does not leave the page (%i)', (turn) => {
    const box = boundsOf(regionOf([-50, -50], [9999, 9999], size, turn))
    expect([box.x + 0, box.y + 0, box.width, box.height]).toEqual([0, 0, 400, 300])
  })
})

describe('zoom', () => {
  it('fits the width or all of the page', () => {
    expect(fitZoom(size, { width: 200, height: 75 }, 'width')).toBe(0.5)
    expect(fitZoom(size, { width: 200, height: 75 }, 'page')).toBe(0.25)
    expect(fitZoom(size, { width: 0, height: 0 }, 'page')).toBe(withinZoom(0))
  })

  it('steps through round numbers, and stops at both ends', () => {
    expect(stepZoom(0.46, 1)).toBe(0.5)
    expect(stepZoom(0.5, 1)).toBe(0.67)
    expect(stepZoom(0.5, -1)).toBe(0.33)
    expect(stepZoom(16, 1)).toBe(16)
    expect(stepZoom(0.05, -1)).toBe(0.05)
  })
})

describe('scrolling to a line', () => {
  const view = { x: 0, y: 0, width: 500, height: 400 }

  it('leaves alone what can be read', () => {
    expect(scrollFor({ x: 60, y: 100, width: 100, height: 20 }, view, 48)).toBeNull()
  })

  it('brings what is below to the middle, and does not move aside for it', () => {
    expect(scrollFor({ x: 60, y: 900, width: 100, height: 20 }, view, 48)).toEqual([0, 710])
  })

  it('goes to the start of a line that is wider than the view', () => {
    expect(scrollFor({ x: 700, y: 100, width: 900, height: 20 }, view, 48)).toEqual([700, 0])
  })
})
