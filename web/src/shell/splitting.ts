/** Sizes that a person changes by dragging or with keys. */
export interface Span {
  readonly least: number
  readonly most: number
  /** One press of an arrow key. */
  readonly step: number
  /** Where a double click goes, one after the other: who cannot drag has these. */
  readonly stops: readonly number[]
}

export function within(size: number, span: Span): number {
  return Math.min(span.most, Math.max(span.least, size))
}

/** The size after a key; null for a key that means nothing here. `toRight`: 1 where the arrow to the right enlarges, else -1. */
export function byKey(
  event: Pick<KeyboardEvent, 'key' | 'shiftKey'>,
  size: number,
  span: Span,
  toRight: 1 | -1,
) {
  const step = span.step * (event.shiftKey ? 4 : 1)
  switch (event.key) {
    case 'ArrowRight':
    case 'ArrowUp':
      return within(size + step * toRight, span)
    case 'ArrowLeft':
    case 'ArrowDown':
      return within(size - step * toRight, span)
    case 'Home':
      return toRight === 1 ? span.least : span.most
    case 'End':
      return toRight === 1 ? span.most : span.least
    default:
      return null
  }
}

/** The next larger of the stops, else the first. */
export function nextStop(size: number, span: Span): number {
  return within(span.stops.find((stop) => stop > size + 0.5) ?? span.stops[0] ?? size, span)
}
