/** Keys of the whole page, each with what it does, so that the help lists just those that work. */
import { onBeforeUnmount, onMounted, shallowReactive } from 'vue'

export interface Shortcut {
  /** As `KeyboardEvent.key`; a letter stands for both cases. With "Control+" or "Shift+" before it, only with these. */
  readonly keys: readonly string[]
  /** What it does, in the chosen language. */
  readonly label: () => string
  /** What returns false was not meant after all, and the key goes on to others. */
  readonly run: (event: KeyboardEvent) => false | undefined
}

export const shortcuts = shallowReactive<Shortcut[]>([])

/** A key that works while a component is there, except where a person types. */
export function useShortcut(shortcut: Shortcut): void {
  onMounted(() => shortcuts.push(shortcut))
  onBeforeUnmount(() => {
    const index = shortcuts.indexOf(shortcut)
    if (index >= 0) shortcuts.splice(index, 1)
  })
}

export function nameOf(event: KeyboardEvent): string {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key
  const control = event.ctrlKey || event.metaKey ? 'Control+' : ''
  return `${control}${event.shiftKey && event.key.length > 1 ? 'Shift+' : ''}${event.altKey ? 'Alt+' : ''}${key}`
}

export function handle(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing || typing(event.target)) return
  if (document.querySelector('dialog[open]')) return
  const name = nameOf(event)
  for (const shortcut of shortcuts) {
    if (shortcut.keys.includes(name) && shortcut.run(event) !== false) {
      event.preventDefault()
      return
    }
  }
}

function typing(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false
  return target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName)
}
