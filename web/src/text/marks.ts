/** Marks of lines that change with every move of the mouse: set on the elements themselves, so that no list is rendered again. */
import { watch, type ShallowRef, type WatchSource } from 'vue'
import { hovered, selected } from '../documents/store'

/**
 * Keeps `data-hovered`, `data-selected` and the one tab stop of a list on the right elements, which have `data-key`.
 *
 * `rendered` is anything that changes whenever elements may be others. The selected one is brought into view when it changes.
 */
export function useMarks(
  root: Readonly<ShallowRef<HTMLElement | null>>,
  rendered: readonly WatchSource[],
  reveal = true,
): void {
  const mark = (name: string, key: string | null): void => {
    const element = elementOf(root.value, key)
    root.value?.querySelectorAll(`[${name}]`).forEach((other) => {
      if (other !== element) other.removeAttribute(name)
    })
    element?.setAttribute(name, '')
  }
  const stop = (): void => {
    const element =
      elementOf(root.value, selected.value) ?? root.value?.querySelector<HTMLElement>('[data-key]') ?? null
    root.value?.querySelectorAll('[data-key][tabindex="0"]').forEach((other) => {
      if (other !== element) other.setAttribute('tabindex', '-1')
    })
    if (element?.hasAttribute('tabindex')) element.setAttribute('tabindex', '0')
  }
  watch(hovered, (key) => mark('data-hovered', key), { flush: 'sync' })
  watch(
    [selected, root, ...rendered],
    ([key, list], [before, listBefore]) => {
      mark('data-hovered', hovered.value)
      mark('data-selected', key as string | null)
      stop()
      if (reveal && (key !== before || list !== listBefore))
        elementOf(root.value, key as string | null)?.scrollIntoView({ block: 'nearest' })
    },
    { flush: 'post', immediate: true },
  )
}

export function elementOf(root: HTMLElement | null, key: string | null): HTMLElement | null {
  return key === null ? null : (root?.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`) ?? null)
}

/** The key of the line that an event is about. */
export function keyAt(event: Event): string | null {
  const element = event.target instanceof Element ? event.target.closest('[data-key]') : null
  return element?.getAttribute('data-key') ?? null
}
