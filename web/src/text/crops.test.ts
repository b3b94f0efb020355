import { describe, expect, it } from 'vitest'
import { cutting, type Cutting } from './crops'

function at(cut: Cutting | null, x: number, y: number): number[] {
  const [a, b, c, d, e, f] = (cut as Cutting).matrix
  return [a * x + c * y + e, b * x + d * y + f].map((value) => Math.round(value * 100) / 100)
}

describe('cutting', () => {
  it('has the line with a margin around it', () => {
    const cut = cutting(
      [
        [100, 50],
        [300, 50],
        [300, 90],
        [100, 90],
      ],
      2,
    )
    expect(cut).toMatchObject({ width: 424, height: 104 })
    expect(at(cut, 100, 50)).toEqual([12, 12])
    expect(at(cut, 300, 90)).toEqual([412, 92])
  })

  it('turns a line that runs upwards', () => {
    const cut = cutting(
      [
        [10, 300],
        [10, 100],
        [50, 100],
        [50, 300],
      ],
      1,
    )
    expect(at(cut, 10, 300)).toEqual([6, 6])
    expect(at(cut, 50, 100)).toEqual([206, 46])
  })

  it('has nothing of a line without corners or without area', () => {
    expect(cutting([], 1)).toBeNull()
    expect(
      cutting(
        [
          [1, 1],
          [1, 1],
          [1, 5],
          [1, 5],
        ],
        1,
      ),
    ).toBeNull()
  })
})
