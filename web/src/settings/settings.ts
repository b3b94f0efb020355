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

function kept<T extends string>(name: string, allowed: readonly T[], otherwise: T): Ref<T> {
  const found = allowed.find((value) => value === read(name))
  const value = ref(found ?? otherwise) as Ref<T>
  watch(value, (now) => {
    try {
      localStorage.setItem(`shizi.${name}`, now)
    } catch {
      // a browser that keeps nothing asks again the next time
    }
  })
  return value
}

function read(name: string): string | null {
  try {
    return localStorage.getItem(`shizi.${name}`)
  } catch {
    return null
  }
}
