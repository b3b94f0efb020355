/** Two languages, whose keys the compiler compares: `messages` refuses a text that one of them lacks. */
import { computed, type ComputedRef } from 'vue'
import { language } from '../settings/settings'

export type Language = 'en' | 'zh'
export type Messages<K extends string> = Readonly<Record<Language, Readonly<Record<K, string>>>>
export type Translate<K extends string> = (
  key: K,
  values?: Readonly<Record<string, string | number>>,
) => string

export function messages<K extends string>(
  en: Record<K, string>,
  zh: Record<NoInfer<K>, string>,
): Messages<K> {
  return { en, zh }
}

/** A text in the chosen language; `{name}` is replaced by the value of that name. */
export function translate<K extends string>(all: Messages<K>): Translate<K> {
  return (key, values = {}) =>
    all[language.value][key].replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole))
}

/** Numbers, sizes and dates as the language writes them. */
export const locale: ComputedRef<string> = computed(() => (language.value === 'zh' ? 'zh-CN' : 'en'))
