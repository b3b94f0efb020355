/** Short notices, shown for a moment and spoken by screen readers. What lasts stands where it belongs (`ProblemNote`). */
import { shallowRef } from 'vue'

export type Kind = 'info' | 'good' | 'bad'

export interface Message {
  readonly id: number
  readonly text: string
  readonly kind: Kind
}

const SHOWN_MS: Readonly<Record<Kind, number>> = { info: 5_000, good: 5_000, bad: 12_000 }
const AT_A_TIME = 3

export const messages = shallowRef<readonly Message[]>([])
let last = 0

/** Tells the person something, in the chosen language; the same text is not shown twice at a time. */
export function say(text: string, kind: Kind = 'info'): void {
  const message = { id: ++last, text, kind }
  messages.value = [...messages.value.filter((other) => other.text !== text), message].slice(-AT_A_TIME)
  setTimeout(() => dismiss(message.id), SHOWN_MS[kind])
}

export function dismiss(id: number): void {
  messages.value = messages.value.filter((message) => message.id !== id)
}
