import { expect, it } from 'vitest'
import { keyLabel } from './labels'

it.each([
  ['b', 'B'],
  ['?', '?'],
  ['+', '+'],
  [' ', 'Space'],
  ['Control++', 'Ctrl + +'],
  ['Control+ArrowLeft', 'Ctrl + ←'],
  ['Shift+Tab', 'Shift + Tab'],
  ['F2', 'F2'],
])('names %s', (key, label) => {
  expect(keyLabel(key, 'Space')).toBe(label)
})
