/** Language, theme and habits, kept in this browser. */
import { ref, watch, type Ref } from 'vue'
import type { Language } from '../i18n'

export type Theme = 'system' | 'light' | 'dark'

export const language = kept<Language>(
  'language',
  ['en', 'zh'],
  navigator.language.startsWith('zh') ? 'zh' : 'en',
)
export const theme = kept<Theme>('theme', ['system', 'light', 'dark'], 'system')

/** Measures of the frame: pixels of the list, and hundredths of the rest for the text. */
export const listWidth = keptNumber('list-width', 180, 520, 240)
export const textShare = keptNumber('text-share', 20, 75, 42)
export const listFolded = kept<'yes' | 'no'>('list-folded', ['yes', 'no'], 'no')

function kept<T extends string>(name: string, allowed: readonly T[], otherwise: T): Ref<T> {
  const found = allowed.find((value) => value === read(name))
  const value = ref(found ?? otherwise) as Ref<T>
  watch(value, (now) => {
    keep(name, now)
  })
  return value
}

function keptNumber(name: string, least: number, most: number, otherwise: number): Ref<number> {
  const found = Number.parseFloat(read(name) ?? '')
  const value = ref(found >= least && found <= most ? found : otherwise)
  watch(value, (now) => {
    keep(name, String(Math.round(now)))
  })
  return value
}

function keep(name: string, value: string): void {
  try {
    localStorage.setItem(`shizi.${name}`, value)
  } catch {
    // a browser that keeps nothing asks again the next time
  }
}

function read(name: string): string | null {
  try {
    return localStorage.getItem(`shizi.${name}`)
  } catch {
    return null
  }
}
